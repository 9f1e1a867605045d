//! The rulebook (规则库): law as versioned, effective-dated data that HQ signs.
//!
//! Counsel corrects it without a release. It reads the same from JSON source and from CBOR, so it
//! holds no floats and only ordered maps. Lookups never guess: what is absent is `None`.

pub mod authority;
pub mod calendar;
pub mod checklist;
pub mod discretion;
pub mod lookup;
pub mod matter;
pub mod policy;
pub mod problems;
#[cfg(test)]
pub(crate) mod sample;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use authority::{Authority, Delegation};
use calendar::{DeadlineRule, WorkCalendar};
use checklist::Checklist;
use discretion::{DiscretionBenchmark, Exemption};
use matter::Matter;
use policy::Policies;

/// Everything a device needs to know of the law for one region, at one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rulebook {
    /// Rises with every issue; a device never goes back.
    pub version: u32,
    /// The day HQ issued this version.
    pub issued_on: NaiveDate,
    /// Six-digit code of the county it serves.
    pub region_code: String,
    /// What it is and is not, for people who read the source.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// 执法主体
    pub authorities: Vec<Authority>,
    /// 执法事项
    pub matters: Vec<Matter>,
    /// 检查表单
    pub checklists: Vec<Checklist>,
    /// 赋权、划转: who may act on which matter where.
    pub delegations: Vec<Delegation>,
    /// 裁量权基准
    pub benchmarks: Vec<DiscretionBenchmark>,
    /// 不予处罚、首违不罚清单
    pub exemptions: Vec<Exemption>,
    /// T-01 to T-17.
    pub deadlines: Vec<DeadlineRule>,
    /// Working-day calendars; a year without one is not computable.
    pub calendars: Vec<WorkCalendar>,
    /// Numbers and switches that differ by place.
    pub policies: Policies,
    /// Standing texts by key; see [`lookup::text`] for the keys that must exist.
    pub text_blocks: BTreeMap<String, String>,
    /// 常用语
    pub phrases: Vec<String>,
    /// 检查结果 classes, a table because places differ.
    pub result_classes: Vec<ResultClass>,
}

/// One class of inspection result (`domain` §6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultClass {
    /// Stable key.
    pub id: String,
    /// As published.
    pub name: String,
    /// Whether a problem was found, so that a correction or a case may follow.
    pub has_problem: bool,
}
