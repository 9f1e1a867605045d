//! How often one authority may come to one enterprise in a year.
//!
//! The counter lives at HQ; the device holds a snapshot and says as of when.

use chrono::Datelike;
use serde::{Deserialize, Serialize};

use super::Finding;
use crate::rulebook::policy::Policies;
use crate::time::Timestamp;

/// What every finding here rests on.
const BASIS: &str = "浙政办发〔2025〕5号";

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

/// Checks the yearly cap.
///
/// 浙政办发〔2025〕5号: 同一行政执法主体对同一企业的现场检查每年原则上不超过2次; 投诉举报、转办交办、
/// 数据监测触发的不计入.
#[must_use]
pub fn check_frequency(
    trigger: Trigger,
    count: Option<VisitCount>,
    policies: &Policies,
    now: Timestamp,
) -> Vec<Finding> {
    if !counts(trigger) {
        let message = "因投诉举报、转办交办、数据监测、企业申请或者紧急情况实施的检查，不计入年度频次上限，请在记录中写明事由";
        return vec![Finding::record("R-66", BASIS, message)];
    }
    let max = policies.visits_max_per_year;
    let Some(VisitCount { count, as_of }) = count else {
        let message =
            format!("本机未取得该企业本年度检查次数，请联网核实不超过{max}次，或者写明理由后继续");
        return vec![Finding::warn("R-66", BASIS, message)];
    };
    let mut findings = Vec::new();
    if as_of.legal_date().year() != now.legal_date().year() {
        // A count of last year says nothing about this one.
        let message = format!(
            "检查次数截至{}，不是本年度数据，请联网核实或者写明理由后继续",
            as_of.chinese()
        );
        return vec![Finding::warn("R-66", BASIS, message)];
    }
    if count >= max {
        let message = format!(
            "该企业本年度已检查{count}次（截至{}），达到上限{max}次，不得再实施计划内检查；有投诉举报等事由的请改选检查来源",
            as_of.chinese()
        );
        findings.push(Finding::block("R-66", BASIS, message));
    }
    let stale_ms = i64::from(policies.visit_count_stale_h).saturating_mul(3_600_000);
    if now.since_ms(as_of) > stale_ms {
        let message = format!("检查次数截至{}，已经较旧，检查后将由平台复核", as_of.chinese());
        findings.push(Finding::record("R-66", BASIS, message));
    }
    findings
}

/// Returns whether a visit with this trigger counts against the cap.
#[must_use]
pub fn counts(trigger: Trigger) -> bool {
    matches!(trigger, Trigger::Planned | Trigger::RandomDraw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Weight, blocks, warns};
    use crate::rulebook::sample::{at, day};

    fn check(trigger: Trigger, count: Option<(u32, Timestamp)>) -> Vec<Finding> {
        let count = count.map(|(count, as_of)| VisitCount { count, as_of });
        check_frequency(trigger, count, &Policies::default(), at(9, 0))
    }

    /// 浙政办发〔2025〕5号; field case 26.
    #[test]
    fn the_third_planned_visit_is_blocked_and_a_complaint_is_not() {
        let today = at(7, 0);
        assert!(check(Trigger::Planned, Some((1, today))).is_empty());
        assert!(blocks(&check(Trigger::Planned, Some((2, today)))));
        assert!(blocks(&check(Trigger::RandomDraw, Some((3, today)))));
        for trigger in [Trigger::Complaint, Trigger::Transferred, Trigger::DataMonitoring] {
            let findings = check(trigger, Some((9, today)));
            assert_eq!(findings.first().map(|finding| finding.weight), Some(Weight::Record));
        }
        let message = &check(Trigger::Planned, Some((2, today)))[0].message;
        assert!(message.contains("截至2026年11月24日 07时00分"), "{message}");
    }

    #[test]
    fn an_unknown_or_last_years_count_asks_for_a_reason() {
        assert!(warns(&check(Trigger::Planned, None)));
        let last_year = Timestamp::start_of(day(2025, 12, 31));
        let findings = check(Trigger::Planned, Some((2, last_year)));
        assert!(warns(&findings) && !blocks(&findings));
        let stale = check(Trigger::Planned, Some((0, Timestamp::start_of(day(2026, 11, 1)))));
        assert_eq!(stale.len(), 1);
    }
}
