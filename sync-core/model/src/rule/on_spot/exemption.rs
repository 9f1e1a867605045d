//! P10: grounds on which the law forbids or lets the authority leave the penalty.

use super::{ExemptionReview, OnSpotFacts};
use crate::rule::Finding;
use crate::rulebook::Rulebook;

/// 不予处罚, 可以不予处罚.
const ARTICLE_33: &str = "《行政处罚法》第三十三条";

pub(super) fn check(facts: &OnSpotFacts, rulebook: &Rulebook) -> Option<Finding> {
    match &facts.exemption {
        // 《行政处罚法》第三十三条第一款、第二款: shall not.
        ExemptionReview::ShallNot { ground } => {
            let message = format!(
                "存在应当不予行政处罚的情形（{ground}），不得处罚，请教育当事人并报负责人审查"
            );
            Some(Finding::block("R-13", ARTICLE_33, message))
        }
        ExemptionReview::MayNot { reason_to_penalize } if reason_to_penalize.trim().is_empty() => {
            let message = "可以不予行政处罚，请选择不予处罚，或者写明仍需处罚的理由";
            Some(Finding::block("R-13", ARTICLE_33, message))
        }
        ExemptionReview::MayNot { .. } => {
            let message = "属于可以不予行政处罚的情形，已写明仍需处罚的理由，请写入决定书";
            Some(Finding::record("R-13", ARTICLE_33, message))
        }
        ExemptionReview::FirstViolationUnknown => {
            let message =
                "离线时无法核实是否初次违法，请先记录告知承诺待核查，或者写明仍当场处罚的理由";
            Some(Finding::warn("R-14", ARTICLE_33, message))
        }
        ExemptionReview::NoGround => {
            let listed = rulebook.exemptions_for(&facts.matter_code);
            let acts: Vec<&str> = listed.iter().map(|exemption| exemption.act.as_str()).collect();
            (!acts.is_empty()).then(|| {
                let acts = acts.join("；");
                let message =
                    format!("该事项列有不予处罚或者减轻处罚的情形（{acts}），已确认不符合");
                Finding::record("R-13", ARTICLE_33, message)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::firm;
    use super::*;
    use crate::rule::Weight;
    use crate::rulebook::sample::rulebook;

    /// 《行政处罚法》第三十三条.
    #[test]
    fn shall_not_blocks_may_not_needs_a_reason_and_unknown_asks_for_one() {
        let may_not = |reason: &str| ExemptionReview::MayNot { reason_to_penalize: reason.into() };
        let table = [
            (ExemptionReview::ShallNot { ground: "轻微并及时改正".into() }, Weight::Block),
            (may_not(""), Weight::Block),
            (may_not("多次投诉"), Weight::Record),
            (ExemptionReview::FirstViolationUnknown, Weight::Warn),
            (ExemptionReview::NoGround, Weight::Record),
        ];
        for (review, weight) in table {
            let mut facts = firm();
            facts.exemption = review.clone();
            assert_eq!(check(&facts, &rulebook()).unwrap().weight, weight, "{review:?}");
        }
        let mut unlisted = firm();
        unlisted.matter_code = crate::rulebook::sample::PURCHASE.into();
        assert_eq!(check(&unlisted, &rulebook()), None);
    }
}
