//! Who takes part in a transcript, and what they were told and asked.
//!
//! Rules D-01, D-02, D-11, R-30, R-31, R-36.

use std::collections::BTreeSet;

use super::{RecusalReply, TranscriptFacts, TranscriptKind};
use crate::rule::Finding;

/// 不得少于两人.
const ARTICLE_42: &str = "《行政处罚法》第四十二条";
/// 回避.
const ARTICLE_43: &str = "《行政处罚法》第四十三条";
/// 出示证件, 制作笔录.
const ARTICLE_55: &str = "《行政处罚法》第五十五条";

pub(super) fn check(facts: &TranscriptFacts) -> Vec<Finding> {
    let mut findings = officers(facts);
    findings.extend(told(facts));
    findings.extend(interviewee(facts));
    findings
}

/// D-02: two officers, one asks and the other records.
fn officers(facts: &TranscriptFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let officers: BTreeSet<_> = facts.officer_ids.iter().collect();
    // 《行政处罚法》第四十二条: 执法人员不得少于两人.
    if officers.len() < 2 {
        let message = "参加制作笔录的执法人员少于两人，请另一名执法人员到场认证后再签名";
        findings.push(Finding::block("R-30", ARTICLE_42, message));
    }
    let interview = facts.kind == TranscriptKind::Interview;
    if facts.recorder.is_none() || (interview && facts.asker.is_none()) {
        let message = "没有指定询问人或者记录人，请分别指定";
        findings.push(Finding::block("D-02", ARTICLE_42, message));
    }
    if interview && facts.asker.is_some() && facts.asker == facts.recorder {
        let message = "询问人和记录人是同一人，请由两名执法人员分别担任";
        findings.push(Finding::block("D-02", ARTICLE_42, message));
    }
    let foreign = facts.asker.iter().chain(&facts.recorder).any(|id| !officers.contains(id));
    if foreign {
        let message = "询问人或者记录人不在本次执法人员之中，请从到场执法人员中选择";
        findings.push(Finding::block("D-02", ARTICLE_42, message));
    }
    findings
}

/// D-01: credentials, then rights and recusal, then questions.
fn told(facts: &TranscriptFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let minute = |at: crate::time::Timestamp| at.0.div_euclid(60_000);
    match (facts.displayed_at, facts.started_at) {
        (None, _) => {
            let message = "没有亮证记录，当事人有权拒绝接受调查，请先出示执法证件";
            findings.push(Finding::block("R-36", ARTICLE_55, message));
        }
        (Some(displayed), Some(started)) if minute(displayed) > minute(started) => {
            let message = "亮证时间晚于笔录开始时间，请核对，应当先出示执法证件再开始";
            findings.push(Finding::block("R-36", ARTICLE_55, message));
        }
        _ => {}
    }
    let read_back_at = facts.read_back.map(|read_back| read_back.at);
    let told_in_time = match (facts.rights_told_at, read_back_at) {
        (Some(told), Some(read_back)) => told <= read_back,
        (told, None) => told.is_some(),
        (None, _) => false,
    };
    if !told_in_time {
        let message = "没有告知权利义务，请告知后在笔录中记明";
        findings.push(Finding::block("D-01", ARTICLE_55, message));
    }
    // 《行政处罚法》第四十三条: 当事人有权申请回避; 决定作出之前, 不停止调查.
    match &facts.recusal {
        None => {
            let message = "没有询问是否申请回避，请询问并记录答复";
            findings.push(Finding::block("R-31", ARTICLE_43, message));
        }
        Some(RecusalReply::Requested { reason }) if reason.trim().is_empty() => {
            let message = "当事人申请回避，请记录申请回避的对象和理由";
            findings.push(Finding::block("R-31", ARTICLE_43, message));
        }
        Some(RecusalReply::Requested { .. }) => {
            let message =
                "当事人申请回避，请报行政机关负责人决定，决定前不停止调查，但不得作出处罚决定";
            findings.push(Finding::record("R-31", ARTICLE_43, message));
        }
        Some(RecusalReply::NotRequested) => {}
    }
    findings
}

/// D-11 and field case 18: minors and people who cannot state anything now.
fn interviewee(facts: &TranscriptFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if facts.kind != TranscriptKind::Interview {
        return findings;
    }
    if facts.capacity_doubt {
        let message = "被询问人醉酒或者神志不清，不得询问，请记录其状况并联系监护人或者急救";
        findings.push(Finding::block("R-11", "《行政处罚法》第三十一条", message));
    }
    let noted = facts.guardian_note.as_deref().is_some_and(|note| !note.trim().is_empty());
    if facts.is_minor && !noted {
        let message = "被询问人未满十八周岁，请通知其监护人或者其他成年亲属到场，未到场的写明情况";
        findings.push(Finding::warn("D-11", "《未成年人保护法》第四条", message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::RecusalReply;
    use super::super::tests::{Change, changed};
    use crate::rule::{Weight, blocks};
    use crate::rulebook::sample::at;

    /// 《行政处罚法》第四十二条、第四十三条、第五十五条.
    #[test]
    fn each_missing_person_or_step_is_found() {
        let table: [(&str, Weight, Change); 12] = [
            ("D-02", Weight::Block, |f| f.recorder = f.asker),
            ("D-02", Weight::Block, |f| f.asker = None),
            ("D-02", Weight::Block, |f| f.recorder = None),
            ("R-30", Weight::Block, |f| f.officer_ids.truncate(1)),
            ("R-36", Weight::Block, |f| f.displayed_at = None),
            ("R-36", Weight::Block, |f| f.displayed_at = Some(at(9, 5))),
            ("D-01", Weight::Block, |f| f.rights_told_at = None),
            ("D-01", Weight::Block, |f| f.rights_told_at = Some(at(9, 16))),
            ("R-31", Weight::Block, |f| f.recusal = None),
            ("R-31", Weight::Record, |f| {
                f.recusal = Some(RecusalReply::Requested { reason: "与店主有纠纷".into() });
            }),
            ("R-11", Weight::Block, |f| f.capacity_doubt = true),
            ("D-11", Weight::Warn, |f| f.is_minor = true),
        ];
        for (code, weight, change) in table {
            let findings = changed(change);
            let found = findings.iter().any(|f| f.code == code && f.weight == weight);
            assert!(found, "{code}: {findings:?}");
        }
    }

    /// Field case 32: 《行政处罚法》第四十三条, 不停止调查.
    #[test]
    fn a_recusal_request_does_not_stop_the_transcript() {
        let findings = changed(|facts| {
            facts.recusal = Some(RecusalReply::Requested { reason: "与店主有纠纷".into() });
        });
        assert!(!blocks(&findings));
    }
}
