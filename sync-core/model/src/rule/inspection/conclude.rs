//! May the visit be concluded: answers, reasons, photographs, result, transcript.
//!
//! Codes CL-01 to CL-06 are this project's own; the domain reference numbers none.

use super::{Answer, ConcludeFacts, EntryFacts};
use crate::rule::Finding;
use crate::rulebook::Rulebook;

/// 询问或者检查应当制作笔录.
const ARTICLE_55: &str = "《行政处罚法》第五十五条第二款";
/// 全过程记录.
const ARTICLE_47: &str = "《行政处罚法》第四十七条";

pub(super) fn check(facts: &ConcludeFacts, rulebook: &Rulebook) -> Vec<Finding> {
    let mut findings: Vec<Finding> = facts.entries.iter().filter_map(entry).collect();
    let problem = |e: &EntryFacts| matches!(e.answer, Some(Answer::Problem { .. }));
    let any_problem = facts.entries.iter().any(problem);
    let class = facts.result_class.as_deref();
    match class.and_then(|id| rulebook.result_classes.iter().find(|class| class.id == id)) {
        None => {
            let message = "没有选择检查结果，请从检查结果分类中选择";
            findings.push(Finding::block("CL-05", ARTICLE_47, message));
        }
        Some(class) if any_problem && !class.has_problem => {
            let message = format!("检查项中记有问题，检查结果不能为“{}”，请重新选择", class.name);
            findings.push(Finding::block("CL-05", ARTICLE_47, message));
        }
        Some(_) => {}
    }
    if !facts.transcript_locked {
        let message = "检查笔录尚未签名锁定，检查应当制作笔录，请先完成笔录";
        findings.push(Finding::block("CL-06", ARTICLE_55, message));
    }
    findings
}

fn entry(entry: &EntryFacts) -> Option<Finding> {
    let text = &entry.text;
    let block = |code: &str, message| Some(Finding::block(code, ARTICLE_47, message));
    match &entry.answer {
        None => {
            block("CL-01", format!("检查项“{text}”没有填写，请填写结果或者选择“未检查”并写明原因"))
        }
        Some(Answer::NotChecked { reason }) if reason.trim().is_empty() => {
            block("CL-02", format!("检查项“{text}”未检查，请写明原因"))
        }
        Some(Answer::Problem { description }) if description.trim().is_empty() => {
            block("CL-03", format!("检查项“{text}”记有问题，请客观描述所见情况"))
        }
        Some(Answer::Conforms | Answer::Problem { .. })
            if entry.photo_required && entry.photos == 0 =>
        {
            block("CL-04", format!("检查项“{text}”要求拍照，请补拍照片"))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::inspection::check_conclude;
    use crate::rulebook::sample::rulebook;

    fn facts(
        photo_required: bool,
        photos: u32,
        answer: Option<Answer>,
        class: &str,
    ) -> ConcludeFacts {
        let entry = EntryFacts {
            entry_id: "food-01".into(),
            text: "是否张挂营业执照".into(),
            photo_required,
            answer,
            photos,
        };
        let result_class = Some(class.to_owned());
        ConcludeFacts { entries: vec![entry], result_class, transcript_locked: true }
    }

    fn problem(text: &str) -> Option<Answer> {
        Some(Answer::Problem { description: text.into() })
    }

    fn skipped(text: &str) -> Option<Answer> {
        Some(Answer::NotChecked { reason: text.into() })
    }

    /// 《行政处罚法》第四十七条.
    #[test]
    fn every_entry_needs_an_answer_a_reason_or_a_photograph() {
        let conforms = Some(Answer::Conforms);
        let table = [
            (facts(true, 1, conforms.clone(), "normal"), None),
            (facts(false, 0, conforms.clone(), "normal"), None),
            (facts(true, 0, conforms.clone(), "normal"), Some("CL-04")),
            (facts(true, 0, None, "normal"), Some("CL-01")),
            (facts(true, 0, skipped("停电，无法查看"), "normal"), None),
            (facts(true, 0, skipped(" "), "normal"), Some("CL-02")),
            (facts(true, 0, problem("未张挂"), "correction_ordered"), Some("CL-04")),
            (facts(true, 2, problem("未张挂"), "correction_ordered"), None),
            (facts(true, 2, problem(""), "correction_ordered"), Some("CL-03")),
            (facts(true, 2, problem("未张挂"), "normal"), Some("CL-05")),
            (facts(true, 1, conforms, "nonsense"), Some("CL-05")),
        ];
        for (facts, expected) in table {
            let findings = check_conclude(&facts, &rulebook());
            let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
            assert_eq!(codes, expected.into_iter().collect::<Vec<_>>(), "{facts:?}");
        }
    }

    /// 《行政处罚法》第五十五条第二款.
    #[test]
    fn an_inspection_without_locked_transcript_is_not_concluded() {
        let mut facts = facts(false, 0, Some(Answer::Conforms), "normal");
        facts.transcript_locked = false;
        assert_eq!(check_conclude(&facts, &rulebook())[0].code, "CL-06");
    }
}
