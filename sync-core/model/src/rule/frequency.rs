//! How often one authority may come to one enterprise in a year.
//!
//! The counter lives at HQ; the device holds a snapshot and says as of when.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What brings the officers to the door (`domain` §1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// 计划内的日常、专项检查; the only one that counts against the cap.
    Planned,
    /// 双随机抽查; counts too.
    RandomDraw,
    /// 投诉举报
    Complaint,
    /// 转办交办
    Transferred,
    /// 数据监测
    DataMonitoring,
    /// 企业申请
    PartyRequest,
    /// 紧急情况
    Emergency,
}

/// Visits already made this calendar year, from HQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitCount {
    /// How many that count against the cap.
    pub count: u32,
    /// When HQ counted.
    pub as_of: Timestamp,
}
