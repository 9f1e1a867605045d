//! Discretion: which benchmark and which tier, and does the penalty lie in it.
//!
//! The tier binds; leaving it needs HQ's approval and is therefore never on the spot.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Finding;
use crate::money::Fen;
use crate::rulebook::Rulebook;
use crate::rulebook::discretion::{DiscretionBenchmark, DiscretionTier, PartyScope, PenaltyKind};

/// The article every finding here rests on.
const BASIS: &str = "《行政处罚法》第三十四条";

/// The tier a decision rests on, printed in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierChoice {
    /// Benchmark.
    pub benchmark_id: String,
    /// Its edition.
    pub version: u32,
    /// The tier's order.
    pub tier_order: u32,
    /// The circumstances that led there, in words.
    pub circumstances: Vec<String>,
}

/// Returns the tiers of a benchmark that bind a party of this scope.
#[must_use]
pub fn tiers_for(benchmark: &DiscretionBenchmark, scope: PartyScope) -> Vec<&DiscretionTier> {
    let binds = |tier: &&DiscretionTier| {
        scope == PartyScope::Any || tier.scope == PartyScope::Any || tier.scope == scope
    };
    benchmark.tiers.iter().filter(binds).collect()
}

/// Returns the tier with this order that binds a party of this scope.
#[must_use]
pub fn tier(
    benchmark: &DiscretionBenchmark,
    order: u32,
    scope: PartyScope,
) -> Option<&DiscretionTier> {
    tiers_for(benchmark, scope).into_iter().find(|tier| tier.order == order)
}

/// Returns the edition to apply: the one at the decision, or the one at the act if its same tier
/// is lighter.
#[must_use]
pub fn applicable<'a>(
    rulebook: &'a Rulebook,
    matter_code: &str,
    acted_on: NaiveDate,
    decided_on: NaiveDate,
    order: u32,
    scope: PartyScope,
) -> Option<&'a DiscretionBenchmark> {
    let at_decision = rulebook.benchmark_at(matter_code, decided_on);
    let at_act = rulebook.benchmark_at(matter_code, acted_on);
    match (at_act, at_decision) {
        // 《行政处罚法》第三十七条, applied to benchmarks as policy: 从旧兼从轻.
        (Some(old), Some(new)) => {
            let weight = |benchmark| {
                tier(benchmark, order, scope)
                    .map_or((Fen(i64::MAX), Fen(i64::MAX)), |tier| (tier.max_fen, tier.min_fen))
            };
            Some(if weight(old) < weight(new) { old } else { new })
        }
        (_, new) => new,
    }
}

/// Checks that the penalty lies in the chosen tier.
#[must_use]
pub fn check_tier(tier: &DiscretionTier, kinds: &[PenaltyKind], fine: Fen) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = &tier.name;
    if tier.formula.is_some() {
        let message = format!("“{name}”阶次按货值倍数计算罚款，不适用当场处罚，请转普通程序");
        findings.push(Finding::block("R-100", BASIS, message));
    }
    let fined = kinds.contains(&PenaltyKind::Fine);
    if fined && !(tier.min_fen..=tier.max_fen).contains(&fine) {
        let (min, max) = (tier.min_fen, tier.max_fen);
        let message = format!(
            "罚款{fine}元不在“{name}”阶次的幅度（{min}元至{max}元）内，请在幅度内确定或者转普通程序"
        );
        findings.push(Finding::block("R-100", BASIS, message));
    }
    if kinds.iter().any(|kind| !tier.penalty_kinds.contains(kind)) {
        let message = format!("“{name}”阶次没有规定所选的处罚种类，请重新选择处罚种类或者阶次");
        findings.push(Finding::block("R-100", BASIS, message));
    }
    if tier.mandatory_kinds.iter().any(|kind| !kinds.contains(kind)) {
        let message = format!("“{name}”阶次规定应当并处的处罚没有选择，请补选或者转普通程序");
        findings.push(Finding::block("R-100", BASIS, message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::blocks;
    use crate::rulebook::sample::{PRICE, WASTE, day, rulebook};

    /// 《行政处罚法》第三十四条: both ends belong to the tier.
    #[test]
    fn the_fine_must_lie_in_the_tier_ends_included() {
        let rulebook = rulebook();
        let benchmark = rulebook.benchmark_at(PRICE, day(2026, 11, 24)).unwrap();
        let second = tier(benchmark, 2, PartyScope::Organization).unwrap();
        for (fine, blocked) in
            [(29_999, true), (30_000, false), (200_000, false), (200_001, true), (0, true)]
        {
            let findings = check_tier(second, &[PenaltyKind::Fine], Fen(fine));
            assert_eq!(blocks(&findings), blocked, "{fine}");
        }
        let warned = check_tier(second, &[PenaltyKind::Warning], Fen::ZERO);
        assert!(blocks(&warned), "the price law knows no warning");
    }

    #[test]
    fn persons_and_organizations_have_their_own_tiers() {
        let rulebook = rulebook();
        let benchmark = rulebook.benchmark_at(WASTE, day(2026, 11, 24)).unwrap();
        let person = tier(benchmark, 1, PartyScope::Individual).unwrap();
        let firm = tier(benchmark, 1, PartyScope::Organization).unwrap();
        assert!(person.max_fen < firm.min_fen);
        assert_eq!(tier(benchmark, 3, PartyScope::Individual), None);
        assert_eq!(tiers_for(benchmark, PartyScope::Any).len(), 5);
    }

    /// 《行政处罚法》第三十七条: 从旧兼从轻.
    #[test]
    fn the_lighter_of_both_editions_applies() {
        let rulebook = rulebook();
        let (acted, decided) = (day(2025, 12, 31), day(2026, 1, 2));
        let scope = PartyScope::Organization;
        let edition =
            |order| applicable(&rulebook, PRICE, acted, decided, order, scope).map(|b| b.version);
        // Tier 1: 500 yuan then, 300 now. Tier 4 exists only now.
        assert_eq!(edition(1), Some(2));
        assert_eq!(edition(4), Some(2));
        let mut heavier = rulebook.clone();
        for benchmark in heavier.benchmarks.iter_mut().filter(|b| b.version == 2) {
            benchmark.tiers.iter_mut().for_each(|tier| tier.max_fen = Fen(500_000));
        }
        let old = applicable(&heavier, PRICE, acted, decided, 1, scope).unwrap();
        assert_eq!(old.version, 1);
    }
}
