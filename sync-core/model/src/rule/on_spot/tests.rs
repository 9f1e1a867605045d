//! Facts in order for the tests of this folder, and the whole check on them.

use super::*;
use crate::rule::credential::tests::pair;
use crate::rule::{blocks, warns};
use crate::rulebook::sample::{CLEAN, PRICE, TOWN, at, day, rulebook};

/// A choice of a tier with a circumstance written down.
pub(crate) fn tier_of(benchmark_id: &str, version: u32, tier_order: u32) -> TierChoice {
    let circumstances = vec!["首次发现，当场改正".into()];
    TierChoice { benchmark_id: benchmark_id.into(), version, tier_order, circumstances }
}

/// A passer-by who dropped a cigarette end at 09:30: 50 yuan.
pub(crate) fn citizen() -> OnSpotFacts {
    OnSpotFacts {
        authority_id: "xh-zhzf".into(),
        matter_code: CLEAN.into(),
        region_code: TOWN.into(),
        act_ended_at: Some(at(9, 30)),
        party: PartyFacts {
            kind: PartyKind::Citizen,
            identified: true,
            born_on: Some(day(1990, 5, 1)),
            capacity_doubt: false,
            present: true,
        },
        suspected_crime: false,
        officers: pair(),
        fact_evidence: vec![FactEvidence { fact: "乱扔烟蒂".into(), evidence: 1 }],
        kinds: vec![PenaltyKind::Fine],
        fine: Fen(5_000),
        other_fines_this_visit: Fen::ZERO,
        tier: Some(tier_of("cl-clean", 1, 1)),
        exemption: ExemptionReview::NoGround,
        earlier_fine: EarlierFine::NoneAtHq,
        open_case: false,
        recusal_pending: false,
        arrived_at: Some(at(9, 20)),
        departed_at: None,
        displayed_at: Some(at(9, 35)),
        notice_at: Some(at(9, 40)),
        defense: Some((at(9, 45), DefenseReply::Waived)),
        correction_order: "责令立即改正".into(),
        collection: None,
    }
}

/// A shop run by a company with six unpriced goods: 1,000 yuan.
pub(crate) fn firm() -> OnSpotFacts {
    let mut facts = citizen();
    facts.authority_id = "xh-scjg".into();
    facts.matter_code = PRICE.into();
    facts.party.kind = PartyKind::LegalPerson;
    facts.party.born_on = None;
    facts.fact_evidence = vec![FactEvidence { fact: "六种商品未标价".into(), evidence: 6 }];
    facts.fine = Fen(100_000);
    facts.tier = Some(tier_of("cl-price", 2, 2));
    facts
}

/// 《行政处罚法》第五十一条.
#[test]
fn clear_cases_are_decided_on_the_spot() {
    for facts in [citizen(), firm()] {
        let findings = check(&facts, &rulebook(), at(10, 0));
        assert!(!blocks(&findings) && !warns(&findings), "{findings:?}");
    }
}

/// Field case 15: 《行政处罚法》第五十四条, a firm's blocked exit costs 5,000 yuan at least.
#[test]
fn a_fine_that_begins_above_the_cap_is_never_on_the_spot() {
    let mut facts = firm();
    facts.authority_id = "xh-xfjy".into();
    facts.matter_code = crate::rulebook::sample::EXIT.into();
    facts.tier = Some(tier_of("cl-exit", 1, 1));
    facts.fine = Fen(500_000);
    let findings = check(&facts, &rulebook(), at(10, 0));
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["R-20", "R-22"]);
    assert!(findings[0].message.contains("普通程序"));
}

/// Field cases 5 and 6: one officer short is enough to block.
#[test]
fn the_officers_are_checked_with_the_decision() {
    let mut facts = citizen();
    facts.officers[1].is_auxiliary = true;
    assert!(blocks(&check(&facts, &rulebook(), at(10, 0))));
}

/// 《浙江省食品小作坊小餐饮店小食杂店和食品摊贩管理规定》第二十条: 五十元.
#[test]
fn a_fixed_amount_is_a_tier_of_one_value() {
    let mut facts = citizen();
    facts.authority_id = "xh-scjg".into();
    facts.party.kind = PartyKind::SoleProprietor;
    facts.matter_code = crate::rulebook::sample::DISPLAY.into();
    facts.tier = Some(tier_of("cl-san-display", 1, 1));
    facts.fine = Fen(5_000);
    assert!(!blocks(&check(&facts, &rulebook(), at(10, 0))));
    facts.fine = Fen(5_001);
    assert!(blocks(&check(&facts, &rulebook(), at(10, 0))));
}

/// 《行政处罚法》第五十一条 lets warnings be given on the spot without an amount.
#[test]
fn a_mere_warning_is_decided_on_the_spot() {
    let mut facts = firm();
    facts.matter_code = crate::rulebook::sample::PURCHASE.into();
    facts.tier = Some(tier_of("cl-purchase", 1, 1));
    facts.kinds = vec![PenaltyKind::Warning];
    facts.fine = Fen::ZERO;
    let findings = check(&facts, &rulebook(), at(10, 0));
    assert_eq!(findings, []);
}

/// A record holds the facts, so they must read back from CBOR unchanged.
#[test]
fn facts_survive_cbor() {
    let facts = firm();
    let mut bytes = Vec::new();
    ciborium::into_writer(&facts, &mut bytes).unwrap();
    assert_eq!(ciborium::from_reader::<OnSpotFacts, _>(bytes.as_slice()).unwrap(), facts);
}
