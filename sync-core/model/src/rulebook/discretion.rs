//! Discretion benchmarks (裁量权基准), their tiers, and the exemption lists (不予处罚清单).
//!
//! A tier is a band; both ends belong to it. Only published versions may be selected.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::money::Fen;

/// 《行政处罚法》第九条: the kinds of penalty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PenaltyKind {
    /// 警告
    Warning,
    /// 通报批评
    PublicCriticism,
    /// 罚款
    Fine,
    /// 没收违法所得
    ConfiscationOfGains,
    /// 没收非法财物
    ConfiscationOfProperty,
    /// 暂扣许可证件
    LicenseSuspension,
    /// 降低资质等级
    LicenseDowngrade,
    /// 吊销许可证件
    LicenseRevocation,
    /// 限制开展生产经营活动
    BusinessRestriction,
    /// 责令停产停业
    BusinessSuspension,
    /// 责令关闭
    BusinessClosure,
    /// 限制从业
    PracticeBan,
    /// 行政拘留
    Detention,
    /// 法律、行政法规规定的其他行政处罚
    Other,
}

/// Whom a tier binds, where the law sets different ranges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyScope {
    /// Everyone.
    #[default]
    Any,
    /// 个人
    Individual,
    /// 单位
    Organization,
}

/// One published benchmark for one matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscretionBenchmark {
    /// Stable key, printed in the decision with version and tier.
    pub id: String,
    /// The matter.
    pub matter_code: String,
    /// Who published it.
    pub publisher: String,
    /// Its document number or title.
    pub source_document: String,
    /// Edition.
    pub version: u32,
    /// `None` = not published, cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_on: Option<NaiveDate>,
    /// First day.
    pub effective_from: NaiveDate,
    /// Last day, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_to: Option<NaiveDate>,
    /// From the lightest on.
    pub tiers: Vec<DiscretionTier>,
}

/// One tier (裁量阶次).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscretionTier {
    /// 1 is the lightest.
    pub order: u32,
    /// 轻微, 一般, 较重, 严重 …
    pub name: String,
    /// Whom it binds.
    #[serde(default)]
    pub scope: PartyScope,
    /// When it applies, each a sentence the officer can compare with the facts.
    pub conditions: Vec<String>,
    /// What may be chosen in this tier.
    pub penalty_kinds: Vec<PenaltyKind>,
    /// Kinds that must be given together with whatever is chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mandatory_kinds: Vec<PenaltyKind>,
    /// Lowest fine, inclusive; zero if no fine need be given.
    pub min_fen: Fen,
    /// Highest fine, inclusive.
    pub max_fen: Fen,
    /// 基数×倍 as text where the law counts by goods value; such a tier is never on the spot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
}

/// What an exemption list says of an act (《行政处罚法》第三十三条).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExemptionKind {
    /// 不予处罚: minor, corrected in time, no harm.
    ShallNot,
    /// 首违不罚 (可以不予处罚): first time, minor harm, corrected in time.
    MayNot,
    /// 减轻处罚
    Mitigated,
}

/// One line of an exemption list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// Stable key.
    pub id: String,
    /// The list's title and edition.
    pub list: String,
    /// Shall not, may not, mitigated.
    pub kind: ExemptionKind,
    /// The matter.
    pub matter_code: String,
    /// The act as the list words it.
    pub act: String,
    /// All must hold.
    pub conditions: Vec<String>,
    /// Natural days within which the act must be corrected; `None` = on the spot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction_days: Option<u32>,
    /// What must be on file.
    pub evidence_needed: Vec<String>,
    /// Where the list was published.
    pub source: String,
}
