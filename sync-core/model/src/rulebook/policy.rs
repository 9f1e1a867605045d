//! Policies: numbers and switches that the law leaves to a place, or that are not settled.
//!
//! Defaults are the safe side.

use serde::{Deserialize, Serialize};

use crate::money::Fen;

/// How Art. 51 reads an individual business (个体工商户), which the law leaves open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoleProprietorClass {
    /// Cap of a citizen; the safe side.
    #[default]
    Citizen,
    /// Cap of an organization.
    Organization,
}

/// The switches; every field has a default, so a rulebook names only what differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policies {
    /// 《行政处罚法》第五十一条: 公民二百元以下.
    pub on_spot_citizen_max_fen: Fen,
    /// 《行政处罚法》第五十一条: 法人或者其他组织三千元以下.
    pub on_spot_organization_max_fen: Fen,
    /// Which cap binds a 个体工商户.
    pub sole_proprietor_class: SoleProprietorClass,
    /// Whether several on-the-spot fines of one visit together stay under the cap.
    pub sum_cap: bool,
    /// Whether 警告 and 罚款 may be decided together on the spot (P5).
    pub warning_with_fine: bool,
    /// 《行政处罚法》第六十八条: 一百元以下可以当场收缴.
    pub collect_on_spot_max_fen: Fen,
    /// Age of a certificate's status from which the officer is warned, hours.
    pub credential_freshness_warn_h: u32,
    /// Age of a certificate's status from which penalties are blocked, hours.
    pub credential_freshness_block_h: u32,
    /// After this many hours a resumed visit displays the credential again.
    pub redisplay_h: u32,
    /// On-site inspections of one enterprise by one authority per calendar year.
    pub visits_max_per_year: u32,
    /// Hours within which an emergency visit's approval must be made up.
    pub approval_make_up_h: u32,
    /// Age of the frequency count from which it is called stale, hours.
    pub visit_count_stale_h: u32,
    /// Shortest plausible interview, minutes.
    pub interview_min_minutes: u32,
    /// Shortest plausible scene record, minutes.
    pub scene_min_minutes: u32,
    /// Officers that must take part.
    pub officers_min: u32,
    /// Whether 先行登记保存 may be approved afterwards within 24 hours.
    pub preservation_retroactive: bool,
    /// Age of the rulebook's lists from which opening the app warns, days.
    pub list_age_warn_days: u32,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            on_spot_citizen_max_fen: Fen(20_000),
            on_spot_organization_max_fen: Fen(300_000),
            sole_proprietor_class: SoleProprietorClass::Citizen,
            sum_cap: true,
            warning_with_fine: true,
            collect_on_spot_max_fen: Fen(10_000),
            credential_freshness_warn_h: 24,
            credential_freshness_block_h: 72,
            redisplay_h: 4,
            visits_max_per_year: 2,
            approval_make_up_h: 24,
            visit_count_stale_h: 24,
            interview_min_minutes: 2,
            scene_min_minutes: 4,
            officers_min: 2,
            preservation_retroactive: false,
            list_age_warn_days: 30,
        }
    }
}
