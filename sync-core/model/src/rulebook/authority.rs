//! Authorities (执法主体) and what has been delegated to them (赋权、划转).
//!
//! The officer never types an authority, its court or its reconsideration body: they stand here.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The level of government an authority belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 省级
    Province,
    /// 设区市
    City,
    /// 县(市、区)
    County,
    /// 乡镇、街道
    Town,
}

/// One authority that acts in its own name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// Stable key used in records.
    pub id: String,
    /// Full name as printed.
    pub name: String,
    /// Unified social credit code, or a place's own code.
    pub code: String,
    /// Level of government.
    pub level: Level,
    /// Six digits for a county, nine for a town.
    pub region_code: String,
    /// Full name of the body that reconsiders (行政复议机关), R-27.
    pub reconsideration_body: String,
    /// Full name of the court that hears a suit.
    pub court: String,
    /// 机关代字 in document numbers.
    pub document_word: String,
    /// Bank or e-payment institution that collects fines.
    pub payment_institution: String,
    /// 监督电话
    pub supervision_phone: String,
    /// 互联网申请行政复议的渠道.
    pub online_remedy: String,
}

/// One matter given to one authority in one region for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// Who may act.
    pub authority_id: String,
    /// On what.
    pub matter_code: String,
    /// Where: six digits cover every town below them.
    pub region_code: String,
    /// First day.
    pub from: NaiveDate,
    /// Last day, inclusive; `None` while in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<NaiveDate>,
}
