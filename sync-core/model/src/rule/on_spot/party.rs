//! P7 and the party's presence: who he is, how old, whether he understands, whether he is there.

use super::{OnSpotFacts, PartyKind};
use crate::identifier::age;
use crate::rule::Finding;
use crate::rule::discretion;
use crate::rulebook::Rulebook;
use crate::time::Timestamp;

/// 不满十四周岁不予处罚; 已满十四周岁不满十八周岁从轻或者减轻.
const ARTICLE_30: &str = "《行政处罚法》第三十条";

pub(super) fn check(facts: &OnSpotFacts, rulebook: &Rulebook, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let party = &facts.party;
    if !party.identified {
        // 《行政处罚法》第四十条: 必须查明事实; field case 19.
        let message =
            "当事人身份没有查明，不得对“无名氏”作出处罚决定，请核实身份或者请公安机关协助";
        findings.push(Finding::block("P7", "《行政处罚法》第四十条", message));
    }
    if party.capacity_doubt {
        let message =
            "当事人可能不能辨认或者控制自己的行为，不得当场处罚，请转普通程序并通知监护人";
        findings.push(Finding::block("R-11", "《行政处罚法》第三十一条", message));
    }
    if !party.present {
        // 《行政处罚法》第五十二条: 当场交付当事人; field case 3.
        let message = "当事人不在现场，不能当场处罚，请转普通程序并在七个工作日内送达";
        findings.push(Finding::block("P7", "《行政处罚法》第五十二条、第六十一条", message));
    }
    if matches!(party.kind, PartyKind::Citizen | PartyKind::SoleProprietor) {
        findings.extend(minor(facts, rulebook, now));
    }
    findings
}

/// the age at the time of the act decides, and a birthday still belongs to the year before.
fn minor(facts: &OnSpotFacts, rulebook: &Rulebook, now: Timestamp) -> Option<Finding> {
    let Some(born_on) = facts.party.born_on else {
        let message = "当事人的出生日期没有核实，请核实是否已满十四、十八周岁，或者写明理由";
        return Some(Finding::warn("R-10", ARTICLE_30, message));
    };
    let acted_on = facts.act_ended_at.map_or_else(|| now.legal_date(), Timestamp::legal_date);
    if !age::has_reached(born_on, 14, acted_on) {
        let message =
            "当事人实施违法行为时不满十四周岁，不予行政处罚，请责令监护人加以管教并保护其身份信息";
        return Some(Finding::block("R-10", ARTICLE_30, message));
    }
    if age::has_reached(born_on, 18, acted_on) {
        return None;
    }
    let lightest = facts.tier.as_ref().is_some_and(|choice| {
        let benchmark = rulebook.benchmark(&choice.benchmark_id, choice.version);
        let scope = super::scope(facts.party.kind, &rulebook.policies);
        benchmark.is_some_and(|benchmark| {
            let orders = discretion::tiers_for(benchmark, scope).into_iter().map(|tier| tier.order);
            orders.min() == Some(choice.tier_order)
        })
    });
    if lightest {
        let message =
            "当事人已满十四周岁不满十八周岁，已适用最轻阶次，请通知监护人并保护其身份信息";
        return Some(Finding::record("R-10", ARTICLE_30, message));
    }
    let message =
        "当事人已满十四周岁不满十八周岁，应当从轻或者减轻处罚，请适用最轻阶次或者转普通程序";
    Some(Finding::block("R-10", ARTICLE_30, message))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{citizen, firm};
    use super::*;
    use crate::rule::{Weight, blocks};
    use crate::rulebook::sample::{at, day, rulebook};

    /// Field case 17: 《行政处罚法》第三十条, boundary on the birthday, at the time of the act.
    #[test]
    fn under_fourteen_is_never_fined_and_under_eighteen_only_in_the_lightest_tier() {
        let table = [
            (day(2012, 11, 25), 1, Some(Weight::Block)),
            (day(2012, 11, 24), 1, Some(Weight::Block)),
            (day(2012, 11, 23), 1, Some(Weight::Record)),
            (day(2012, 11, 23), 2, Some(Weight::Block)),
            (day(2008, 11, 24), 1, Some(Weight::Record)),
            (day(2008, 11, 23), 2, None),
        ];
        for (born_on, order, expected) in table {
            let mut facts = citizen();
            facts.party.born_on = Some(born_on);
            facts.tier.as_mut().unwrap().tier_order = order;
            let finding = minor(&facts, &rulebook(), at(10, 0));
            assert_eq!(finding.map(|finding| finding.weight), expected, "{born_on} {order}");
        }
        // Fourteen at the decision does not help: thirteen at the act.
        let mut facts = citizen();
        facts.party.born_on = Some(day(2012, 11, 23));
        facts.act_ended_at = Some(Timestamp::start_of(day(2026, 11, 23)));
        assert!(blocks(&check(&facts, &rulebook(), at(10, 0))));
    }

    /// 《行政处罚法》第三十一条、第四十条、第五十二条; field cases 3, 18, 19.
    #[test]
    fn nobody_unknown_confused_or_absent_is_fined_on_the_spot() {
        type Change = fn(&mut OnSpotFacts);
        let changes: [Change; 3] = [
            |f| f.party.identified = false,
            |f| f.party.capacity_doubt = true,
            |f| f.party.present = false,
        ];
        for change in changes {
            let mut facts = firm();
            change(&mut facts);
            assert!(blocks(&check(&facts, &rulebook(), at(10, 0))));
        }
        assert_eq!(check(&firm(), &rulebook(), at(10, 0)), []);
    }
}
