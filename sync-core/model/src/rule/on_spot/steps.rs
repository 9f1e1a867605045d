//! S1 to S4: display, notice, statement, and all of it within one visit.
//!
//! Rules. Without notice and statement no decision may be made.

use super::{DefenseReply, OnSpotFacts};
use crate::rule::Finding;
use crate::time::Timestamp;

/// 告知, 听取陈述申辩, 否则不得作出决定.
const ARTICLE_44: &str = "《行政处罚法》第四十四条、第四十五条、第六十二条";
/// 当场.
const ARTICLE_51: &str = "《行政处罚法》第五十一条、第五十二条";

pub(super) fn check(facts: &OnSpotFacts, now: Timestamp) -> Vec<Finding> {
    let mut findings: Vec<Finding> = visit(facts, now).into_iter().collect();
    findings.extend(display(facts));
    findings.extend(notice_and_defense(facts, now));
    if facts.recusal_pending {
        let message = "当事人的回避申请尚未决定，不得作出处罚决定，请报行政机关负责人决定";
        findings.push(Finding::block("R-31", "《行政处罚法》第四十三条", message));
    }
    // 《行政处罚法》第二十八条: 实施行政处罚时, 应当责令当事人改正或者限期改正违法行为.
    if facts.correction_order.trim().is_empty() {
        let message = "没有责令改正的内容，请填写立即改正或者限期改正的要求";
        findings.push(Finding::block("R-08", "《行政处罚法》第二十八条", message));
    }
    findings
}

/// decided between arrival and departure of this visit.
fn visit(facts: &OnSpotFacts, now: Timestamp) -> Option<Finding> {
    let arrived = facts.arrived_at.is_some_and(|arrived_at| arrived_at <= now);
    let left = facts.departed_at.is_some_and(|departed_at| departed_at < now);
    (!arrived || left).then(|| {
        let message = "不在本次到场期间内，不属于“当场”，不得当场处罚，请转普通程序";
        Finding::block("R-24", ARTICLE_51, message)
    })
}

/// S1: credentials before the notice.
fn display(facts: &OnSpotFacts) -> Option<Finding> {
    let before = match (facts.displayed_at, facts.notice_at) {
        (Some(displayed_at), Some(notice_at)) => displayed_at <= notice_at,
        (displayed_at, None) => displayed_at.is_some(),
        (None, _) => false,
    };
    (!before).then(|| {
        let message = "告知前没有出示执法证件，请先亮证再重新告知";
        Finding::block("R-36", "《行政处罚法》第五十二条、第五十五条", message)
    })
}

/// S3, S4: notice, then statement or waiver, then its review, then the decision.
fn notice_and_defense(facts: &OnSpotFacts, now: Timestamp) -> Vec<Finding> {
    let block = |message: &str| vec![Finding::block("R-32", ARTICLE_44, message)];
    let Some(notice_at) = facts.notice_at else {
        return block(
            "没有告知拟处罚的内容、事实、理由、依据和陈述申辩权利，不得作出决定，请先告知",
        );
    };
    let Some((replied_at, reply)) = &facts.defense else {
        return block("没有听取陈述、申辩，也没有明确放弃的记录，不得作出决定，请听取并记录");
    };
    if *replied_at < notice_at {
        return block("陈述、申辩或者放弃的时间早于告知时间，请重新听取并记录");
    }
    if *replied_at > now {
        return block("陈述、申辩的时间晚于作出决定的时间，请核对时间");
    }
    match reply {
        DefenseReply::Stated { content, .. } if content.trim().is_empty() => {
            block("没有记录陈述、申辩的内容，请记录，或者由当事人明确放弃")
        }
        DefenseReply::Stated { review, .. } if review.trim().is_empty() => {
            block("陈述、申辩还没有复核意见，请写明是否采纳及理由；不得因申辩加重处罚")
        }
        DefenseReply::Stated { .. } | DefenseReply::Waived => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::citizen;
    use super::*;
    use crate::rulebook::sample::at;

    fn stated(content: &str, review: &str) -> Option<(Timestamp, DefenseReply)> {
        let reply = DefenseReply::Stated { content: content.into(), review: review.into() };
        Some((at(9, 50), reply))
    }

    /// 《行政处罚法》第二十八条、第四十三条、第四十四条、第四十五条、第五十一条、第五十二条、第六十二条.
    #[test]
    fn no_step_may_be_left_out_or_out_of_order() {
        type Change = fn(&mut OnSpotFacts);
        let table: [(Option<&str>, Change); 16] = [
            (None, |_| {}),
            (None, |f| f.defense = stated("是初犯", "已考虑，适用最轻阶次")),
            (None, |f| f.departed_at = Some(at(10, 0))),
            (Some("R-24"), |f| f.arrived_at = None),
            (Some("R-24"), |f| f.arrived_at = Some(at(10, 1))),
            (Some("R-24"), |f| f.departed_at = Some(at(9, 59))),
            (Some("R-36"), |f| f.displayed_at = None),
            (Some("R-36"), |f| f.displayed_at = Some(at(9, 41))),
            (Some("R-32"), |f| f.notice_at = None),
            (Some("R-32"), |f| f.defense = None),
            (Some("R-32"), |f| f.defense = Some((at(9, 39), DefenseReply::Waived))),
            (Some("R-32"), |f| f.defense = Some((at(10, 1), DefenseReply::Waived))),
            (Some("R-32"), |f| f.defense = stated("", "不采纳")),
            (Some("R-32"), |f| f.defense = stated("是初犯", " ")),
            (Some("R-31"), |f| f.recusal_pending = true),
            (Some("R-08"), |f| f.correction_order.clear()),
        ];
        for (index, (expected, change)) in table.into_iter().enumerate() {
            let mut facts = citizen();
            change(&mut facts);
            let findings = check(&facts, at(10, 0));
            let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
            assert_eq!(codes, expected.into_iter().collect::<Vec<_>>(), "{index}");
        }
    }
}
