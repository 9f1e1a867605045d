//! S5 to S7: may the rendered and signed decision be issued (Art. 52, R-25 to R-27).
//!
//! A decision is valid though the party refuses to take it; it is void of effect without contents.

use std::collections::BTreeSet;

use super::{HandOver, IssueFacts};
use crate::identifier::document_number;
use crate::rule::Finding;
use crate::rulebook::Rulebook;
use crate::rulebook::problems::remedies_problem;

/// 当场处罚决定书的形式和内容.
const ARTICLE_52: &str = "《行政处罚法》第五十二条";
/// 对当场处罚先复议.
const RECONSIDERATION_23: &str = "《行政复议法》第二十三条";

/// What 《行政处罚法》第五十二条第二款 wants in the decision: key and its name on the form.
pub const CONTENTS: [(&str, &str); 8] = [
    ("party", "当事人"),
    ("act", "违法行为"),
    ("kinds", "行政处罚的种类"),
    ("basis", "行政处罚的依据"),
    ("amount", "罚款数额"),
    ("time", "时间"),
    ("place", "地点"),
    ("authority", "行政机关名称"),
];

pub(super) fn check(facts: &IssueFacts, rulebook: &Rulebook) -> Vec<Finding> {
    let mut findings: Vec<Finding> = number(facts, rulebook).into_iter().collect();
    findings.extend(contents(facts));
    findings.extend(remedies(facts, rulebook));
    let signed: BTreeSet<_> = facts.signed_by.iter().collect();
    if signed.len() < 2 {
        let message = "执法人员签名不足两人，请两名执法人员本人签名";
        findings.push(Finding::block("R-30", "《行政处罚法》第四十二条、第五十二条", message));
    }
    findings.extend(hand_over(&facts.hand_over));
    findings
}

/// 预定格式、编有号码, in this authority's words.
fn number(facts: &IssueFacts, rulebook: &Rulebook) -> Option<Finding> {
    let word = rulebook.authority(&facts.authority_id).map(|a| a.document_word.as_str());
    let number = document_number::parse(&facts.document_number);
    let own = number.zip(word).is_some_and(|(number, word)| number.kind_word(word).is_some());
    (!own).then(|| {
        let message = "文号不完整或者不是本机关的文号，请从已领取的号段中取号";
        Finding::block("R-25", ARTICLE_52, message)
    })
}

fn contents(facts: &IssueFacts) -> Vec<Finding> {
    let filled = |key: &str| {
        facts.contents.iter().any(|(name, value)| name == key && !value.trim().is_empty())
    };
    let missing: Vec<&str> =
        CONTENTS.iter().filter(|(key, _)| !filled(key)).map(|(_, name)| *name).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let message = format!("决定书缺少{}，请补充完整", missing.join("、"));
    vec![Finding::block("S5", ARTICLE_52, message)]
}

/// reconsideration first, at the body that the rulebook names.
fn remedies(facts: &IssueFacts, rulebook: &Rulebook) -> Option<Finding> {
    let authority = rulebook.authority(&facts.authority_id)?;
    let text = &facts.remedies_text;
    // 《行政复议法》第二十三条第二款: 行政机关在作出行政行为时应当告知先申请行政复议.
    let outdated = remedies_problem(text).is_some();
    let foreign =
        !text.contains(&authority.reconsideration_body) || !text.contains(&authority.court);
    (outdated || foreign).then(|| {
        let body = &authority.reconsideration_body;
        let message =
            format!("救济途径应当写明先向{body}申请行政复议、再提起行政诉讼，请使用规则库中的文本");
        Finding::block("R-26", RECONSIDERATION_23, message)
    })
}

/// S7; field case 2: the refusal is noted and the decision stands.
fn hand_over(hand_over: &HandOver) -> Option<Finding> {
    // 《行政处罚法》第五十二条第一款: 当事人拒绝签收的, 应当在行政处罚决定书上注明.
    match hand_over {
        HandOver::Signed => None,
        HandOver::NotYet => {
            let message = "决定书还没有当场交付当事人，请交付并由当事人签收，拒绝签收的注明";
            Some(Finding::block("S7", ARTICLE_52, message))
        }
        HandOver::RefusedNoted { recorded: true } => {
            let message = "当事人拒绝签收，已在决定书上注明，决定有效，缴款期限自当日起计算";
            Some(Finding::record("S7", ARTICLE_52, message))
        }
        HandOver::RefusedNoted { recorded: false } => {
            let message = "当事人拒绝签收，没有照片、录像或者见证人，请补充，确实没有的写明理由";
            Some(Finding::warn("S7", ARTICLE_52, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::credential::tests::pair;
    use crate::rule::on_spot::check_issue;
    use crate::rule::{blocks, warns};
    use crate::rulebook::sample::rulebook;

    fn facts() -> IssueFacts {
        IssueFacts {
            authority_id: "xh-scjg".into(),
            document_number: "杭西市监当罚字〔2026〕第88号".into(),
            contents: CONTENTS.iter().map(|(key, name)| ((*key).into(), (*name).into())).collect(),
            remedies_text: rulebook().on_spot_remedies("xh-scjg").unwrap(),
            signed_by: pair().iter().map(|officer| officer.officer_id).collect(),
            hand_over: HandOver::Signed,
        }
    }

    /// 《行政处罚法》第四十二条、第五十二条; 《行政复议法》第二十三条.
    #[test]
    fn a_decision_with_a_gap_is_not_issued() {
        assert_eq!(check_issue(&facts(), &rulebook()), []);
        type Change = fn(&mut IssueFacts);
        let table: [(&str, Change); 9] = [
            ("R-25", |f| f.document_number = "杭西综执当罚字〔2026〕第88号".into()),
            ("R-25", |f| f.document_number = String::new()),
            ("S5", |f| f.contents[2].1 = " ".into()),
            ("S5", |f| f.contents.clear()),
            ("R-26", |f| {
                f.remedies_text = f.remedies_text.replace("西湖区人民政府", "拱墅区人民政府")
            }),
            ("R-26", |f| f.remedies_text = f.remedies_text.replace("先向", "向")),
            ("R-26", |f| f.remedies_text.clear()),
            ("R-30", |f| f.signed_by[1] = f.signed_by[0]),
            ("S7", |f| f.hand_over = HandOver::NotYet),
        ];
        for (code, change) in table {
            let mut facts = facts();
            change(&mut facts);
            let findings = check_issue(&facts, &rulebook());
            let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
            assert_eq!(codes, [code]);
            assert!(blocks(&findings));
        }
    }

    /// Field case 2: 《行政处罚法》第五十二条, 拒绝签收.
    #[test]
    fn a_refused_decision_is_valid_once_noted() {
        let mut facts = facts();
        facts.hand_over = HandOver::RefusedNoted { recorded: true };
        let findings = check_issue(&facts, &rulebook());
        assert!(!blocks(&findings) && !warns(&findings) && findings.len() == 1);
        facts.hand_over = HandOver::RefusedNoted { recorded: false };
        let findings = check_issue(&facts, &rulebook());
        assert!(!blocks(&findings) && warns(&findings));
    }
}
