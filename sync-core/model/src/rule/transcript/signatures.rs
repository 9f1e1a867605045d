//! Read-back, page signatures, closing words, refusal.
//!
//! Rules D-04 to D-06, D-08, R-80. A change after a signature voids that page's signature.

use std::collections::BTreeSet;

use super::{
    PageFacts, PartyOutcome, SignatureRefusal, Strength, TranscriptFacts, TranscriptKind, strength,
};
use crate::rule::Finding;
use crate::time::Timestamp;

/// 现场笔录: 当事人拒绝签名或者不能签名的, 应当注明原因; 有其他人在现场的, 可由其他人签名.
const EVIDENCE_15: &str = "《最高人民法院关于行政诉讼证据若干问题的规定》第十五条";
/// 询问、陈述、谈话类笔录, 应当有行政执法人员、被询问人的签名或者盖章.
const EVIDENCE_10: &str = "《最高人民法院关于行政诉讼证据若干问题的规定》第十条第一款第（四）项";
/// 签署后对数据电文内容和形式的任何改动能够被发现.
const SIGNATURE_13: &str = "《电子签名法》第十三条";

pub(super) fn check(facts: &TranscriptFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(read_back) = facts.read_back else {
        let message = "笔录还没有交当事人核对或者向其宣读，请先核对或者宣读再签名";
        return vec![Finding::block("D-01", EVIDENCE_10, message)];
    };
    if facts.pages.is_empty() {
        let message = "笔录没有内容，请先填写";
        findings.push(Finding::block("D-04", EVIDENCE_10, message));
    }
    findings.extend(officers(facts, read_back.at));
    match &facts.outcome {
        PartyOutcome::Signs => {
            findings.extend(facts.pages.iter().filter_map(|page| page_finding(page, read_back.at)));
            findings.extend(closing_words(facts));
        }
        PartyOutcome::Refuses(refusal) => {
            findings.extend(refused(refusal, &facts.outcome, read_back.at));
        }
        PartyOutcome::Absent { reason, .. } => findings.extend(absent(facts, reason)),
    }
    findings
}

/// D-04: every page, in the state in which it was signed, after read-back.
fn page_finding(page: &PageFacts, read_back_at: Timestamp) -> Option<Finding> {
    let number = page.number;
    let Some(signature) = page.party_signature else {
        let message = format!("第{number}页没有当事人签名或者捺印，请逐页签名");
        return Some(Finding::block("D-04", EVIDENCE_10, message));
    };
    if signature.page_hash != page.page_hash {
        let message = format!("第{number}页在签名后有改动，原签名失效，请当事人对该页重新签名");
        return Some(Finding::block("D-06", SIGNATURE_13, message));
    }
    if signature.at < read_back_at {
        let message = format!("第{number}页在核对或者宣读之前签名，请核对后重新签名");
        return Some(Finding::block("D-01", EVIDENCE_10, message));
    }
    None
}

fn officers(facts: &TranscriptFacts, read_back_at: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let signed: BTreeSet<_> = facts.officer_signatures.iter().map(|s| s.officer_id).collect();
    let expected: BTreeSet<_> = facts.officer_ids.iter().copied().collect();
    if signed.len() < 2 || !expected.is_subset(&signed) {
        let message = "执法人员没有全部签名（不少于两人），请执法人员本人签名";
        findings.push(Finding::block("D-04", EVIDENCE_10, message));
    }
    if facts.officer_signatures.iter().any(|signature| signature.at < read_back_at) {
        let message = "执法人员在核对或者宣读之前签名，请重新签名";
        findings.push(Finding::block("D-01", EVIDENCE_10, message));
    }
    findings
}

/// D-05: the person, not the officer, writes that the transcript is right.
fn closing_words(facts: &TranscriptFacts) -> Option<Finding> {
    let message = "当事人没有写明“以上笔录我已看过（已向我宣读），与我说的一致”，请当事人书写";
    match facts.kind {
        _ if facts.closing_words => None,
        TranscriptKind::Interview => Some(Finding::block("D-05", EVIDENCE_10, message)),
        TranscriptKind::Scene => Some(Finding::warn("D-05", EVIDENCE_15, message)),
    }
}

/// D-08: who refused, why, and what shows that the words were his nevertheless.
fn refused(
    refusal: &SignatureRefusal,
    outcome: &PartyOutcome,
    read_back_at: Timestamp,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if refusal.reason.trim().is_empty() {
        let message = "没有注明拒绝签名的原因，请填写；当事人未说明的填写“未说明理由”";
        findings.push(Finding::block("D-08", EVIDENCE_15, message));
    }
    if refusal.at < read_back_at {
        let message = "拒绝签名的时间早于核对或者宣读的时间，请先核对或者宣读";
        findings.push(Finding::block("D-08", EVIDENCE_15, message));
    }
    if strength(outcome) == Strength::Weak {
        // 询问笔录载明拒签, 且没有其他证据证明系真实意思表示的, 不予采信.
        let message = "拒签既没有见证人也没有连续录像，笔录证明力弱（weak），请补充见证人或者录像，确实没有的写明理由";
        findings.push(Finding::warn("D-08", EVIDENCE_15, message));
    }
    findings
}

/// Field case 3: nobody there means no interview, and a witness for the scene.
fn absent(facts: &TranscriptFacts, reason: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if facts.kind == TranscriptKind::Interview {
        let message = "被询问人不在场，不能制作询问笔录，请改用现场检查笔录或者另行询问";
        findings.push(Finding::block("D-04", EVIDENCE_10, message));
    }
    if reason.trim().is_empty() {
        let message = "没有注明当事人不在场的原因，请填写";
        findings.push(Finding::block("D-04", EVIDENCE_15, message));
    }
    if strength(&facts.outcome) == Strength::Weak {
        let message = "当事人不在场且没有见证人，请邀请见证人到场签名，确实没有的写明理由";
        findings.push(Finding::warn("D-04", EVIDENCE_15, message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Change, changed};
    use super::*;
    use crate::hash::Hash;
    use crate::rule::{Weight, blocks, warns};
    use crate::rulebook::sample::at;

    /// 《最高人民法院关于行政诉讼证据若干问题的规定》第十条.
    #[test]
    fn every_gap_in_the_signatures_is_found() {
        let table: [(&str, Weight, Change); 9] = [
            ("D-01", Weight::Block, |f| f.read_back = None),
            ("D-01", Weight::Block, |f| f.read_back.as_mut().unwrap().at = at(9, 19)),
            ("D-04", Weight::Block, |f| f.pages[1].party_signature = None),
            ("D-04", Weight::Block, |f| f.pages.clear()),
            ("D-04", Weight::Block, |f| f.officer_signatures.truncate(1)),
            ("D-04", Weight::Block, |f| f.officer_signatures[1] = f.officer_signatures[0]),
            ("D-05", Weight::Block, |f| f.closing_words = false),
            ("D-06", Weight::Block, |f| f.pages[1].page_hash = Hash::of(b"corrected")),
            ("D-05", Weight::Warn, |f| {
                f.kind = TranscriptKind::Scene;
                f.closing_words = false;
            }),
        ];
        for (code, weight, change) in table {
            let findings = changed(change);
            let found = findings.iter().any(|f| f.code == code && f.weight == weight);
            assert!(found, "{code}: {findings:?}");
        }
    }

    fn refusal(reason: &str, witness: Option<&str>, recorded: bool) -> Vec<Finding> {
        let mut facts = super::super::tests::facts();
        facts.pages.iter_mut().for_each(|page| page.party_signature = None);
        facts.closing_words = false;
        let witness = witness.map(str::to_owned);
        let refusal = SignatureRefusal { at: at(9, 18), reason: reason.into(), witness, recorded };
        facts.outcome = PartyOutcome::Refuses(refusal);
        check(&facts)
    }

    /// Field case 1: 《最高人民法院关于行政诉讼证据若干问题的规定》第十五条.
    #[test]
    fn a_refusal_needs_a_reason_and_a_witness_or_a_recording() {
        assert_eq!(refusal("未说明理由", Some("社区网格员赵某"), false), []);
        assert_eq!(refusal("认为处罚过重", None, true), []);
        let weak = refusal("未说明理由", None, false);
        assert!(warns(&weak) && !blocks(&weak));
        assert!(weak[0].message.contains("weak"));
        assert!(warns(&refusal("未说明理由", Some("  "), false)), "a blank name is no witness");
        assert!(blocks(&refusal("", Some("赵某"), true)));
    }

    /// Field case 3: 《行政强制法》第十八条第九项 by analogy.
    #[test]
    fn nobody_there_means_no_interview_and_a_witnessed_scene_record() {
        let absent = |witness: Option<&str>| PartyOutcome::Absent {
            reason: "店内无人，电话无人接听".into(),
            witness: witness.map(str::to_owned),
        };
        let mut facts = super::super::tests::facts();
        facts.outcome = absent(Some("物业经理孙某"));
        assert!(blocks(&check(&facts)));
        facts.kind = TranscriptKind::Scene;
        assert_eq!(check(&facts), []);
        facts.outcome = absent(None);
        assert!(warns(&check(&facts)));
    }

    #[test]
    fn strength_says_what_the_transcript_is_worth() {
        assert_eq!(strength(&PartyOutcome::Signs), Strength::Signed);
        assert!(Strength::Weak < Strength::Supported && Strength::Supported < Strength::Signed);
    }
}
