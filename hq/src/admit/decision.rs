//! A decision on the spot is asked the same questions again, by the law that it pinned.

use sync_model::record::case::DecisionIssued;
use sync_model::rule::on_spot;
use sync_model::rule::{Finding, Weight};
use sync_model::rulebook::Rulebook;
use sync_model::time::{Moment, TimeQuality, Timestamp};

use super::OWN_ORDER;

/// Returns the time by which the decision is judged: a device that says its clock fell back states
/// the steps in the order of its records, and the decision came after them.
pub(super) fn judged_at(decision: &DecisionIssued, recorded: &Moment) -> Timestamp {
    let at = recorded.wall_at;
    if recorded.quality != TimeQuality::Suspect {
        return at;
    }
    let facts = &decision.facts;
    let heard_at = facts.defense.as_ref().map(|(heard_at, _)| *heard_at);
    let steps =
        [facts.act_ended_at, facts.arrived_at, facts.displayed_at, facts.notice_at, heard_at];
    steps.into_iter().flatten().fold(at, Timestamp::max)
}

/// Checks the decision against the rulebook of its time.
// 《行政处罚法》第五十一条、第五十二条.
pub(super) fn check_decision(
    decision: &DecisionIssued,
    rulebook: Option<&Rulebook>,
    decided_at: Timestamp,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    match rulebook {
        Some(rulebook) => {
            let overridden = |finding: &Finding| {
                decision
                    .overrides
                    .iter()
                    .any(|one| one.finding.code == finding.code && !one.reason.trim().is_empty())
            };
            findings.extend(
                on_spot::check(&decision.facts, rulebook, decided_at)
                    .into_iter()
                    // The officers went past these and said why; the reason stands in the record.
                    .filter(|finding| finding.weight != Weight::Warn || !overridden(finding)),
            );
        }
        None => findings.push(Finding::block(
            "HQ-RULEBOOK",
            OWN_ORDER,
            "决定所依据的规则库版本不是总部平台发布的，待人工复核",
        )),
    }
    if decision.facts.fine.0 != decision.fine_fen {
        findings.push(Finding::block(
            "HQ-FACTS",
            OWN_ORDER,
            "决定书的罚款数额与核查时所用的数额不一致，请核查",
        ));
    }
    findings
}

/// Article that asks for preset, numbered decisions.
const NUMBERS_BASIS: &str = "《行政处罚法》第五十二条";

/// Returns the finding that another document carries the number.
// 《行政处罚法》第五十二条: 预定格式、编有号码的行政处罚决定书.
pub(super) fn number_taken(number: &str) -> Finding {
    let message = format!("文号{number}已被另一份文书使用，请核查");
    Finding::block("R-25", NUMBERS_BASIS, message)
}

/// Returns the finding that the number was not leased to the device.
// 《行政处罚法》第五十二条: 预定格式、编有号码的行政处罚决定书.
pub(super) fn number_not_leased(number: &str) -> Finding {
    let message = format!("文号{number}不在发给本终端的号段内，请核查");
    Finding::block("R-25", NUMBERS_BASIS, message)
}
