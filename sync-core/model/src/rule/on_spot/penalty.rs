//! P5, P6, R-20 to: the kind, the amount, the tier.
//!
//! Every comparison with a cap is `≤`, because 以下 includes the number.

use super::{OnSpotFacts, cap, scope};
use crate::money::Fen;
use crate::rule::Finding;
use crate::rule::discretion::{self, TierChoice};
use crate::rulebook::Rulebook;
use crate::rulebook::discretion::{DiscretionTier, PenaltyKind};
use crate::time::Timestamp;

/// 二百元以下, 三千元以下, 警告.
const ARTICLE_51: &str = "《行政处罚法》第五十一条";
/// 裁量基准应当公布.
const ARTICLE_34: &str = "《行政处罚法》第三十四条";

pub(super) fn check(facts: &OnSpotFacts, rulebook: &Rulebook, now: Timestamp) -> Vec<Finding> {
    let mut findings = kinds(facts, rulebook);
    findings.extend(amount(facts, rulebook));
    findings.extend(tier(facts, rulebook, now));
    findings
}

/// P5: only 警告 and 罚款 are decided on the spot.
fn kinds(facts: &OnSpotFacts, rulebook: &Rulebook) -> Vec<Finding> {
    // 《行政处罚法》第五十一条 names fines and warnings and nothing else.
    let mut findings = Vec::new();
    let block = |message: &str| Finding::block("R-20", ARTICLE_51, message);
    let (warned, fined) =
        (facts.kinds.contains(&PenaltyKind::Warning), facts.kinds.contains(&PenaltyKind::Fine));
    if !warned && !fined {
        findings.push(block("没有选择警告或者罚款，当场处罚只能给予警告或者罚款，请选择"));
    }
    if facts.kinds.iter().any(|kind| !matches!(kind, PenaltyKind::Warning | PenaltyKind::Fine)) {
        findings.push(block("当场处罚只能给予警告或者罚款，其他处罚请转普通程序"));
    }
    if warned && fined && !rulebook.policies.warning_with_fine {
        findings.push(block("本地规定警告和罚款不得当场并处，请选择其一或者转普通程序"));
    }
    if fined != (facts.fine > Fen::ZERO) {
        findings.push(block("处罚种类与罚款金额不一致，请核对罚款金额"));
    }
    findings
}

/// P6, R-23: the cap of the party's class, for this fine and for the visit's sum.
fn amount(facts: &OnSpotFacts, rulebook: &Rulebook) -> Option<Finding> {
    let cap = cap(facts.party.kind, &rulebook.policies);
    if facts.fine > cap {
        let message = format!(
            "罚款{}元超过当场处罚限额{cap}元，不得当场处罚，请立案适用普通程序，可以先责令改正",
            facts.fine
        );
        return Some(Finding::block("R-20", ARTICLE_51, message));
    }
    // An overflow is beyond any cap.
    let sum = facts.fine.plus(facts.other_fines_this_visit).unwrap_or(Fen(i64::MAX));
    if rulebook.policies.sum_cap && facts.fine > Fen::ZERO && sum > cap {
        let message =
            format!("本次对同一当事人的当场罚款合计{sum}元，超过限额{cap}元，请立案适用普通程序");
        return Some(Finding::block("R-23", ARTICLE_51, message));
    }
    None
}

/// the published tier of the right edition, and the penalty within it.
fn tier(facts: &OnSpotFacts, rulebook: &Rulebook, now: Timestamp) -> Vec<Finding> {
    let decided_on = now.legal_date();
    let acted_on = facts.act_ended_at.map_or(decided_on, Timestamp::legal_date);
    let code = facts.matter_code.as_str();
    let scope = scope(facts.party.kind, &rulebook.policies);
    let block = |code: &str, message: String| vec![Finding::block(code, ARTICLE_34, message)];
    let Some(choice) = &facts.tier else {
        return match rulebook.benchmark_at(code, decided_on) {
            Some(_) => block("R-101", "该事项有裁量权基准，请选择适用的裁量阶次".to_owned()),
            None => Vec::new(),
        };
    };
    let order = choice.tier_order;
    let applicable = discretion::applicable(rulebook, code, acted_on, decided_on, order, scope);
    let Some(benchmark) = applicable else {
        return block(
            "R-15",
            "该事项没有已公布的有效裁量权基准，不得引用所选阶次，请重新选择".to_owned(),
        );
    };
    if benchmark.id != choice.benchmark_id || benchmark.version != choice.version {
        let version = benchmark.version;
        return block(
            "R-102",
            format!("所选裁量权基准不是应当适用的版本，请改用第{version}版后重新选择阶次"),
        );
    }
    match discretion::tier(benchmark, order, scope) {
        Some(tier) => within(facts, rulebook, choice, tier),
        None => block("R-101", "所选裁量阶次不适用于该类当事人，请重新选择".to_owned()),
    }
}

fn within(
    facts: &OnSpotFacts,
    rulebook: &Rulebook,
    choice: &TierChoice,
    tier: &DiscretionTier,
) -> Vec<Finding> {
    let mut findings = discretion::check_tier(tier, &facts.kinds, facts.fine);
    let cap = cap(facts.party.kind, &rulebook.policies);
    if tier.min_fen > cap {
        // going below the tier would be 减轻, which is not decided on the spot.
        let message = format!(
            "“{}”阶次最低罚款{}元，已超过当场处罚限额{cap}元，请立案适用普通程序，不得压低罚款适用当场处罚",
            tier.name, tier.min_fen
        );
        findings.push(Finding::block("R-22", ARTICLE_51, message));
    }
    if choice.circumstances.iter().all(|text| text.trim().is_empty()) {
        let message = "没有写明适用该裁量阶次的情节，请填写";
        findings.push(Finding::block("R-101", ARTICLE_34, message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::PartyKind;
    use super::super::tests::{citizen, firm, tier_of};
    use super::*;
    use crate::rule::blocks;
    use crate::rulebook::policy::SoleProprietorClass;
    use crate::rulebook::sample::{HEALTH, at, day, rulebook};

    fn codes(facts: &OnSpotFacts, rulebook: &Rulebook) -> Vec<String> {
        check(facts, rulebook, at(10, 0)).into_iter().map(|finding| finding.code).collect()
    }

    fn fined(kind: PartyKind, yuan: i64, fen: i64) -> OnSpotFacts {
        let mut facts = firm();
        facts.party.kind = kind;
        facts.fine = Fen(yuan * 100 + fen);
        facts
    }

    /// 《行政处罚法》第五十一条; field cases 15 and 16. The cap itself is allowed.
    #[test]
    fn the_caps_are_two_hundred_and_three_thousand_yuan_inclusive() {
        let table = [
            (PartyKind::Citizen, 200, 0, false),
            (PartyKind::Citizen, 200, 1, true),
            (PartyKind::Citizen, 500, 0, true),
            (PartyKind::SoleProprietor, 200, 0, false),
            (PartyKind::SoleProprietor, 1_000, 0, true),
            (PartyKind::LegalPerson, 3_000, 0, false),
            (PartyKind::LegalPerson, 3_000, 1, true),
            (PartyKind::OtherOrganization, 3_000, 0, false),
            (PartyKind::OtherOrganization, 5_000, 0, true),
        ];
        for (kind, yuan, fen, blocked) in table {
            let finding = amount(&fined(kind, yuan, fen), &rulebook());
            assert_eq!(finding.is_some(), blocked, "{kind:?} {yuan}.{fen}");
        }
        let mut classed = rulebook();
        classed.policies.sole_proprietor_class = SoleProprietorClass::Organization;
        assert_eq!(amount(&fined(PartyKind::SoleProprietor, 1_000, 0), &classed), None);
        // A rulebook cannot lift the cap of the law.
        classed.policies.on_spot_citizen_max_fen = Fen(1_000_000);
        assert!(amount(&fined(PartyKind::Citizen, 201, 0), &classed).is_some());
    }

    /// R-23, the safe default.
    #[test]
    fn several_fines_of_one_visit_stay_under_the_cap_together() {
        let mut facts = fined(PartyKind::LegalPerson, 1_000, 0);
        facts.other_fines_this_visit = Fen(200_000);
        assert_eq!(amount(&facts, &rulebook()), None);
        facts.other_fines_this_visit = Fen(200_001);
        assert_eq!(amount(&facts, &rulebook()).unwrap().code, "R-23");
        facts.other_fines_this_visit = Fen(i64::MAX);
        assert!(amount(&facts, &rulebook()).is_some());
        let mut apart = rulebook();
        apart.policies.sum_cap = false;
        assert_eq!(amount(&facts, &apart), None);
    }

    /// 《行政处罚法》第五十一条: fines and warnings only.
    #[test]
    fn other_kinds_go_to_the_ordinary_procedure() {
        for kinds in [
            vec![],
            vec![PenaltyKind::PublicCriticism],
            vec![PenaltyKind::Fine, PenaltyKind::ConfiscationOfGains],
            vec![PenaltyKind::Warning],
        ] {
            let mut facts = firm();
            facts.kinds = kinds;
            assert!(codes(&facts, &rulebook()).contains(&"R-20".to_owned()), "{:?}", facts.kinds);
        }
        let mut strict = rulebook();
        strict.policies.warning_with_fine = false;
        let mut both = firm();
        both.kinds.push(PenaltyKind::Warning);
        assert!(codes(&both, &strict).contains(&"R-20".to_owned()));
    }

    /// 《行政处罚法》第三十二条、第三十四条; a citizen's 300 to 500 yuan is not on the spot.
    #[test]
    fn a_tier_that_begins_above_the_cap_is_not_on_the_spot() {
        let mut facts = citizen();
        facts.authority_id = "xh-scjg".into();
        facts.matter_code = HEALTH.into();
        facts.tier = Some(tier_of("cl-san-health", 1, 1));
        facts.fine = Fen(20_000);
        let codes = codes(&facts, &rulebook());
        assert!(
            codes.contains(&"R-22".to_owned()) && codes.contains(&"R-100".to_owned()),
            "{codes:?}"
        );
    }

    /// 《行政处罚法》第三十四条、第三十七条.
    #[test]
    fn the_tier_is_chosen_from_the_applicable_edition_and_explained() {
        assert_eq!(codes(&firm(), &rulebook()), Vec::<String>::new());
        type Change = fn(&mut OnSpotFacts);
        let table: [(&str, Change); 5] = [
            ("R-101", |f| f.tier = None),
            ("R-102", |f| f.tier.as_mut().unwrap().version = 1),
            ("R-101", |f| f.tier.as_mut().unwrap().tier_order = 9),
            ("R-101", |f| f.tier.as_mut().unwrap().circumstances.clear()),
            ("R-100", |f| f.fine = Fen(200_001)),
        ];
        for (code, change) in table {
            let mut facts = firm();
            change(&mut facts);
            assert_eq!(codes(&facts, &rulebook()), [code]);
        }
        let mut none = rulebook();
        none.benchmarks.clear();
        assert_eq!(codes(&firm(), &none), ["R-15"]);
        let mut without = firm();
        without.tier = None;
        assert_eq!(codes(&without, &none), Vec::<String>::new());
    }

    /// 《行政处罚法》第三十七条: acted under the heavier edition, decided under the lighter.
    #[test]
    fn the_lighter_edition_is_asked_for() {
        let mut facts = firm();
        facts.act_ended_at = Some(Timestamp::start_of(day(2025, 12, 30)));
        facts.fine = Fen(30_000);
        facts.tier = Some(tier_of("cl-price", 1, 1));
        assert_eq!(codes(&facts, &rulebook()), ["R-102"]);
        facts.tier = Some(tier_of("cl-price", 2, 1));
        assert!(!blocks(&check(&facts, &rulebook(), at(10, 0))));
    }
}
