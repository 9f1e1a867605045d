//! P2, P3: the matter is the authority's, at the time of the act and of the decision, at that place.
//!
//! 《行政处罚法》第三十八条: without basis or qualified subject a penalty is void, hence Block.

use super::OnSpotFacts;
use crate::rule::Finding;
use crate::rulebook::Rulebook;
use crate::rulebook::matter::MatterKind;
use crate::time::Timestamp;

/// Town lists, competence, law of the time of the act.
const BASIS: &str = "《行政处罚法》第二十四条、第三十七条、第三十八条";
/// Jurisdiction of the place.
const ARTICLE_22: &str = "《行政处罚法》第二十二条";

pub(super) fn check(facts: &OnSpotFacts, rulebook: &Rulebook, now: Timestamp) -> Vec<Finding> {
    let block = |message: String| vec![Finding::block("R-03", BASIS, message)];
    let code = facts.matter_code.as_str();
    let decided_on = now.legal_date();
    let Some(authority) = rulebook.authority(&facts.authority_id) else {
        let id = &facts.authority_id;
        return block(format!("规则库中没有执法主体{id}，不能以其名义处罚，请联网更新规则库"));
    };
    let Some(matter) = rulebook.matter(code) else {
        let version = rulebook.version;
        return block(format!(
            "事项{code}不在本机规则库（第{version}版）中，不得处罚，请移交线索并联网更新规则库"
        ));
    };
    let name = &matter.name;
    if matter.kind != MatterKind::Penalty || !matter.published {
        return block(format!("“{name}”不是已公布的行政处罚事项，不得处罚，请重新选择事项"));
    }
    let mut findings = Vec::new();
    let acted_on = facts.act_ended_at.map_or(decided_on, Timestamp::legal_date);
    for (when, on) in [("作出决定", decided_on), ("违法行为发生", acted_on)] {
        // Retroactive powers would be void too, so both days count.
        if rulebook.matter_in_force(code, on).is_none() {
            findings.extend(block(format!(
                "“{name}”在{when}时不在有效期内，不得处罚，请联网更新规则库"
            )));
        } else if !rulebook.delegated(&authority.id, code, &facts.region_code, on) {
            findings.extend(not_delegated(facts, rulebook, when, name, &authority.name, on));
        }
        if decided_on == acted_on {
            break;
        }
    }
    findings
}

/// Says whether the place or the matter is foreign, and who may act.
fn not_delegated(
    facts: &OnSpotFacts,
    rulebook: &Rulebook,
    when: &str,
    matter: &str,
    authority: &str,
    on: chrono::NaiveDate,
) -> Option<Finding> {
    let code = facts.matter_code.as_str();
    let able = rulebook.authorities_for(code, &facts.region_code, on);
    let elsewhere = rulebook.delegations.iter().any(|delegation| {
        let own = delegation.authority_id == facts.authority_id && delegation.matter_code == code;
        own && !facts.region_code.starts_with(&delegation.region_code)
    });
    let to = able.first().map_or("有权机关", |other| other.name.as_str());
    if elsewhere {
        let message = format!(
            "违法行为发生地不在{authority}“{matter}”的管辖区域内，不得处罚，请将线索移交{to}"
        );
        return Some(Finding::block("R-05", ARTICLE_22, message));
    }
    let message =
        format!("{when}时“{matter}”不在{authority}的事项清单内，不得处罚，请将线索移交{to}");
    Some(Finding::block("R-03", BASIS, message))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{citizen, firm};
    use super::*;
    use crate::rule::blocks;
    use crate::rulebook::sample::{FOOD_INSPECTION, STALL, TOWN, at, day, rulebook};

    /// Field case 12: 《行政处罚法》第二十四条、第三十八条, the town's list was cut last month.
    #[test]
    fn a_matter_cut_from_the_towns_list_is_blocked_and_goes_to_the_county() {
        let rulebook = rulebook();
        let mut facts = citizen();
        facts.authority_id = "bs-town".into();
        facts.matter_code = STALL.into();
        let findings = check(&facts, &rulebook, at(10, 0));
        assert!(blocks(&findings));
        assert!(
            findings[0].message.contains("移交杭州市西湖区综合行政执法局"),
            "{}",
            findings[0].message
        );
        // On its last day the list still held.
        facts.act_ended_at = Some(Timestamp::start_of(day(2026, 10, 31)));
        assert_eq!(check(&facts, &rulebook, Timestamp::start_of(day(2026, 10, 31))), []);
        // Acted in October, decided in November: the power must hold on both days.
        assert!(blocks(&check(&facts, &rulebook, at(10, 0))));
        // Given on the day of the decision only: not for an act of the day before.
        let mut given = rulebook.clone();
        for delegation in given.delegations.iter_mut().filter(|d| d.authority_id == "xh-zhzf") {
            delegation.from = day(2026, 11, 24);
        }
        facts.authority_id = "xh-zhzf".into();
        assert!(blocks(&check(&facts, &given, at(10, 0))));
        facts.act_ended_at = Some(at(9, 0));
        assert_eq!(check(&facts, &given, at(10, 0)), []);
    }

    /// 《行政处罚法》第二十二条: the place of the violation decides.
    #[test]
    fn a_violation_in_the_next_district_is_not_ours() {
        let mut facts = firm();
        facts.region_code = "330105001".into();
        let findings = check(&facts, &rulebook(), at(10, 0));
        assert_eq!(findings[0].code, "R-05");
        facts.region_code = TOWN.into();
        assert_eq!(check(&facts, &rulebook(), at(10, 0)), []);
    }

    #[test]
    fn unknown_unpublished_and_inspection_matters_are_no_ground() {
        let facts = |code: &str| {
            let mut facts = firm();
            facts.matter_code = code.into();
            facts
        };
        for code in ["", "339999999999", FOOD_INSPECTION] {
            assert!(blocks(&check(&facts(code), &rulebook(), at(10, 0))), "{code}");
        }
        let mut unpublished = rulebook();
        unpublished.matters.iter_mut().for_each(|matter| matter.published = false);
        assert!(blocks(&check(&firm(), &unpublished, at(10, 0))));
        let mut nobody = firm();
        nobody.authority_id = "nobody".into();
        assert!(blocks(&check(&nobody, &rulebook(), at(10, 0))));
    }
}
