//! S8: money at the scene. The rule is that the officer takes none.

use super::{CollectionGround, OnSpotFacts};
use crate::money::Fen;
use crate::rule::Finding;
use crate::rulebook::Rulebook;

/// 一百元以下; no policy goes beyond it.
const SMALL_MAX: Fen = Fen(10_000);

pub(super) fn check(facts: &OnSpotFacts, rulebook: &Rulebook) -> Vec<Finding> {
    let Some(collection) = &facts.collection else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    match collection.ground {
        // 《行政处罚法》第六十八条第一项: 依法给予一百元以下的罚款的.
        CollectionGround::SmallAmount => {
            let max = rulebook.policies.collect_on_spot_max_fen.min(SMALL_MAX);
            if facts.fine > max {
                let message = format!(
                    "罚款{}元超过{max}元，不得以小额为由当场收缴，请出示缴款码",
                    facts.fine
                );
                findings.push(Finding::block("R-46", "《行政处罚法》第六十八条", message));
            }
        }
        CollectionGround::HardLater => {
            let message = "以事后难以执行为由当场收缴罚款，请在决定书中写明具体情况";
            findings.push(Finding::record("R-46", "《行政处罚法》第六十八条", message));
        }
        // 《行政处罚法》第六十九条: 经当事人提出.
        CollectionGround::RemoteOnRequest { request_on_record } => {
            if !request_on_record {
                let message = "边远、水上、交通不便地区当场收缴须由当事人提出，请记录当事人的请求";
                findings.push(Finding::block("R-47", "《行政处罚法》第六十九条", message));
            }
        }
    }
    if facts.fine <= Fen::ZERO {
        let message = "没有罚款，不得收缴，请核对处罚种类和金额";
        findings.push(Finding::block("R-46", "《行政处罚法》第六十八条", message));
    }
    // 《行政处罚法》第七十条: 不出具财政部门统一制发的专用票据的, 当事人有权拒绝缴纳罚款.
    if collection.receipt_number.trim().is_empty() {
        let message = "没有财政部门统一制发的专用票据，不得当场收缴，请出示缴款码由当事人自行缴纳";
        findings.push(Finding::block("R-48", "《行政处罚法》第七十条", message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::CollectionFacts;
    use super::super::tests::citizen;
    use super::*;
    use crate::rule::blocks;
    use crate::rulebook::sample::rulebook;

    /// 《行政处罚法》第六十八条至第七十条; field cases 22 and 23.
    #[test]
    fn money_is_taken_only_on_a_ground_and_with_a_receipt() {
        let remote = |request_on_record| CollectionGround::RemoteOnRequest { request_on_record };
        let table = [
            (CollectionGround::SmallAmount, 10_000, "浙A001", false),
            (CollectionGround::SmallAmount, 10_001, "浙A001", true),
            (CollectionGround::SmallAmount, 8_000, "", true),
            (CollectionGround::SmallAmount, 0, "浙A001", true),
            (CollectionGround::HardLater, 20_000, "浙A001", false),
            (remote(true), 200_000, "浙A001", false),
            (remote(false), 200_000, "浙A001", true),
        ];
        for (ground, fine, receipt, blocked) in table {
            let mut facts = citizen();
            facts.fine = Fen(fine);
            facts.collection = Some(CollectionFacts { ground, receipt_number: receipt.into() });
            assert_eq!(blocks(&check(&facts, &rulebook())), blocked, "{ground:?} {fine}");
        }
        assert_eq!(check(&citizen(), &rulebook()), []);
    }
}
