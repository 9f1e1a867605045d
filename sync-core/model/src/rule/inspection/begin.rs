//! May the visit begin: approval, code, place, purpose, frequency, officers, matters.
//!
//! Rules.

use super::{Approval, BeginFacts, VisitCode, matter};
use crate::rule::frequency::{Trigger, check_frequency};
use crate::rule::{Finding, credential};
use crate::rulebook::Rulebook;
use crate::time::Timestamp;

/// The State Council's rule on inspections of enterprises.
const BASIS_54: &str = "国办发〔2024〕54号";
/// Zhejiang's rule on the code and the frequency.
const BASIS_ZJ5: &str = "浙政办发〔2025〕5号";

pub(super) fn check(facts: &BeginFacts, rulebook: &Rulebook, now: Timestamp) -> Vec<Finding> {
    let mut findings = credential::check_officers(&facts.officers, &rulebook.policies, now);
    findings.extend(approval(facts, rulebook, now));
    findings.extend(code(facts));
    findings.extend(place(facts, rulebook));
    if facts.on_site_reason.trim().is_empty() {
        let message = "没有写明需要到现场检查的原因，能够通过非现场方式核实的不到现场，请补充";
        findings.push(Finding::warn("R-72", BASIS_ZJ5, message));
    }
    if facts.is_enterprise {
        let policies = &rulebook.policies;
        findings.extend(check_frequency(facts.trigger, facts.visit_count, policies, now));
    }
    if facts.matter_codes.is_empty() {
        let message = "没有选择检查事项，未经公布的事项不得检查，请选择已公布的检查事项";
        findings.push(Finding::block("R-62", BASIS_54, message));
    }
    for code in &facts.matter_codes {
        findings.extend(matter::check(code, facts, rulebook, now));
    }
    findings
}

/// no approval, no inspection; an emergency makes it up.
fn approval(facts: &BeginFacts, rulebook: &Rulebook, now: Timestamp) -> Option<Finding> {
    // 国办发〔2024〕54号: 实施行政检查前应当经行政机关负责人批准; 情况紧急的, 及时报告并补办批准手续.
    match &facts.approval {
        Approval::Approved { at, .. } if *at <= now => None,
        Approval::Approved { at, .. } => {
            let message =
                format!("检查批准时间{}晚于当前时间，请核对审批表和本机时间", at.chinese());
            Some(Finding::block("R-60", BASIS_54, message))
        }
        Approval::MakeUp { reason }
            if facts.trigger == Trigger::Emergency && !reason.trim().is_empty() =>
        {
            let hours = rulebook.policies.approval_make_up_h;
            let message =
                format!("情况紧急先行检查，请在{hours}小时内报告行政机关负责人并补办批准手续");
            Some(Finding::record("R-60", BASIS_54, message))
        }
        Approval::MakeUp { .. } => {
            let message = "只有情况紧急并写明理由的检查才能补办批准，请先报行政机关负责人批准";
            Some(Finding::block("R-60", BASIS_54, message))
        }
        Approval::Missing => {
            let message = "检查未经行政机关负责人批准，不得实施，请先办理审批；情况紧急的选择“紧急”并写明理由";
            Some(Finding::block("R-60", BASIS_54, message))
        }
    }
}

/// the code goes before the inspection, except in an emergency.
fn code(facts: &BeginFacts) -> Option<Finding> {
    match facts.code {
        VisitCode::IssuedByHq => None,
        VisitCode::MadeByDevice => {
            let message = "行政行为码由本机离线生成，请告知当事人联网后可核验，平台将列入复核";
            Some(Finding::record("R-65", BASIS_ZJ5, message))
        }
        VisitCode::Missing if facts.trigger == Trigger::Emergency => {
            let message = "紧急检查没有行政行为码，请出示纸质执法证件并写明理由，事后补码";
            Some(Finding::warn("R-94", BASIS_ZJ5, message))
        }
        VisitCode::Missing => {
            let message =
                "没有行政行为码，不得实施检查，请先取得或者由本机生成行政行为码并向当事人出示";
            Some(Finding::block("R-94", BASIS_ZJ5, message))
        }
    }
}

/// outside its own area an authority needs an arrangement.
fn place(facts: &BeginFacts, rulebook: &Rulebook) -> Option<Finding> {
    let Some(authority) = rulebook.authority(&facts.authority_id) else {
        let message = format!(
            "规则库中没有执法主体{}，不能以其名义检查，请联网更新规则库",
            facts.authority_id
        );
        return Some(Finding::block("R-71", "《行政处罚法》第二十二条", message));
    };
    if facts.region_code.starts_with(&authority.region_code) {
        return None;
    }
    match facts.cooperation.as_deref().map(str::trim) {
        Some(reference) if !reference.is_empty() => {
            let message = format!(
                "检查地点在{}辖区之外，依据联合执法或者协助安排{reference}实施",
                authority.name
            );
            Some(Finding::record("R-71", BASIS_54, message))
        }
        _ => {
            let message = format!(
                "检查地点不在{}辖区内，不得异地检查，请移送当地或者先办理异地协助手续",
                authority.name
            );
            Some(Finding::block("R-71", BASIS_54, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::begin_facts;
    use super::*;
    use crate::rule::frequency::VisitCount;
    use crate::rule::inspection::{check_begin, permitted_matters};
    use crate::rule::{Weight, blocks};
    use crate::rulebook::sample::{EXIT, STALL, at, rulebook};

    fn codes(findings: &[Finding], weight: Weight) -> Vec<&str> {
        findings.iter().filter(|f| f.weight == weight).map(|f| f.code.as_str()).collect()
    }

    #[test]
    fn an_approved_coded_visit_at_home_begins_without_findings() {
        assert_eq!(check_begin(&begin_facts(), &rulebook(), at(9, 0)), []);
    }

    /// 国办发〔2024〕54号.
    #[test]
    fn no_approval_no_inspection() {
        type Change = fn(&mut BeginFacts);
        let table: [(&str, Change); 8] = [
            ("R-60", |f| f.approval = Approval::Missing),
            ("R-60", |f| f.approval = Approval::MakeUp { reason: "忘记审批".into() }),
            ("R-60", |f| f.approval = Approval::Approved { by: "局长".into(), at: at(23, 0) }),
            ("R-94", |f| f.code = VisitCode::Missing),
            ("R-71", |f| f.region_code = "330105001".into()),
            ("R-71", |f| f.authority_id = "nobody".into()),
            ("R-62", |f| f.matter_codes.clear()),
            ("R-30", |f| drop(f.officers.pop())),
        ];
        for (code, change) in table {
            let mut facts = begin_facts();
            change(&mut facts);
            let findings = check_begin(&facts, &rulebook(), at(9, 0));
            assert!(codes(&findings, Weight::Block).contains(&code), "{code}: {findings:?}");
        }
    }

    /// Field case 27: an unannounced fire hazard, offline, no code.
    #[test]
    fn an_emergency_makes_up_approval_and_code() {
        let mut facts = begin_facts();
        facts.trigger = Trigger::Emergency;
        facts.approval =
            Approval::MakeUp { reason: "发现消防通道堵塞且有明火作业".into() };
        facts.code = VisitCode::MadeByDevice;
        let findings = check_begin(&facts, &rulebook(), at(9, 0));
        assert!(!blocks(&findings), "{findings:?}");
        assert!(findings.iter().any(|finding| finding.message.contains("24小时内")));
        facts.code = VisitCode::Missing;
        assert!(!blocks(&check_begin(&facts, &rulebook(), at(9, 0))));
        facts.approval = Approval::MakeUp { reason: " ".into() };
        assert!(blocks(&check_begin(&facts, &rulebook(), at(9, 0))));
    }

    /// 浙政办发〔2025〕5号; field case 26.
    #[test]
    fn the_frequency_cap_binds_enterprises_only() {
        let mut facts = begin_facts();
        facts.visit_count = Some(VisitCount { count: 2, as_of: at(7, 0) });
        assert!(blocks(&check_begin(&facts, &rulebook(), at(9, 0))));
        facts.trigger = Trigger::Complaint;
        assert!(!blocks(&check_begin(&facts, &rulebook(), at(9, 0))));
        facts.trigger = Trigger::Planned;
        facts.is_enterprise = false;
        assert!(!blocks(&check_begin(&facts, &rulebook(), at(9, 0))));
    }

    /// 国办发〔2024〕54号: 未经公布的不得实施. One bad line does not stop the visit.
    #[test]
    fn unknown_and_foreign_matters_are_left_out_and_named() {
        let mut facts = begin_facts();
        let good = facts.matter_codes.clone();
        facts.matter_codes.extend(["339999999999".to_owned(), STALL.to_owned(), EXIT.to_owned()]);
        let (permitted, findings) = permitted_matters(&facts, &rulebook(), at(9, 0));
        assert_eq!(permitted, good);
        assert!(findings[0].message.contains("339999999999"), "{}", findings[0].message);
        assert!(blocks(&check_begin(&facts, &rulebook(), at(9, 0))));
    }
}
