//! Credentials come first: before the first act, for every new person, and again after a pause.
//!
//! Rules.

use super::{ActFacts, DisplayFacts};
use crate::rule::Finding;
use crate::rulebook::policy::Policies;
use crate::time::Timestamp;

/// 执法人员在调查或者进行检查时, 应当主动出示执法证件; 不出示的, 有权拒绝.
const ARTICLE_55: &str = "《行政处罚法》第五十五条";

pub(super) fn check(facts: &ActFacts, policies: &Policies, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let earlier: Vec<&DisplayFacts> = facts.displays.iter().filter(|d| d.at <= now).collect();
    let since = stretch_start(facts, policies, now);
    let valid: Vec<&DisplayFacts> = earlier.iter().filter(|d| d.at >= since).copied().collect();
    let shown = |displays: &[&DisplayFacts]| {
        let by = |id| displays.iter().any(|display| display.officer_ids.contains(id));
        !displays.is_empty() && facts.officer_ids.iter().all(by)
    };
    if !shown(&earlier) {
        let message = "尚未出示全部执法人员的执法证件，不得询问或者检查，请先亮证";
        findings.push(Finding::block("R-36", ARTICLE_55, message));
    } else if !shown(&valid) {
        let hours = policies.redisplay_h;
        let message = format!("中断超过{hours}小时，继续执法前请重新出示全部执法人员的执法证件");
        findings.push(Finding::block("R-92", ARTICLE_55, message));
    } else {
        let seen = |person| valid.iter().any(|display| display.persons.contains(person));
        let fresh: Vec<&str> =
            facts.persons.iter().filter(|person| !seen(person)).map(String::as_str).collect();
        if !fresh.is_empty() {
            let message = format!("新到场人员（{}）尚未看到执法证件，请重新亮证", fresh.join("、"));
            findings.push(Finding::block("R-92", ARTICLE_55, message));
        }
    }
    if !earlier.is_empty() && !earlier.iter().any(|display| display.card_shown) {
        // 司法部行政检查文书格式: the card itself, no other document may stand in.
        let message = "只出示了电子亮证，没有出示纸质执法证件，请补充出示或者写明理由";
        findings.push(Finding::warn("R-64", ARTICLE_55, message));
    }
    findings
}

/// The moment the current stretch began: after the last pause longer than the policy allows.
fn stretch_start(facts: &ActFacts, policies: &Policies, now: Timestamp) -> Timestamp {
    let pause_ms = i64::from(policies.redisplay_h).saturating_mul(3_600_000);
    let displays = facts.displays.iter().map(|display| display.at);
    let mut times: Vec<Timestamp> =
        facts.earlier_acts_at.iter().copied().chain(displays).filter(|at| *at <= now).collect();
    times.push(now);
    times.sort_unstable();
    let pauses = times.iter().zip(times.iter().skip(1));
    let after_pause =
        pauses.filter(|(a, b)| b.since_ms(**a) > pause_ms).map(|(_, b)| *b).next_back();
    after_pause.or_else(|| times.first().copied()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::credential::tests::pair;
    use crate::rule::inspection::check_first_act;
    use crate::rule::{blocks, warns};
    use crate::rulebook::sample::at;

    fn facts() -> ActFacts {
        let officer_ids: Vec<_> = pair().iter().map(|officer| officer.officer_id).collect();
        let display = DisplayFacts {
            at: at(9, 0),
            officer_ids: officer_ids.clone(),
            card_shown: true,
            persons: vec!["店员王某".into()],
        };
        ActFacts {
            officer_ids,
            persons: vec!["店员王某".into()],
            displays: vec![display],
            earlier_acts_at: Vec::new(),
        }
    }

    fn check(facts: &ActFacts, now: Timestamp) -> Vec<Finding> {
        check_first_act(facts, &Policies::default(), now)
    }

    /// 《行政处罚法》第五十五条.
    #[test]
    fn no_act_goes_before_the_display_of_both_credentials() {
        assert_eq!(check(&facts(), at(9, 1)), []);
        let early = check(&facts(), at(8, 59));
        assert_eq!(early[0].code, "R-36", "displayed later than the act");
        let mut one = facts();
        one.displays[0].officer_ids.pop();
        assert!(blocks(&check(&one, at(9, 1))));
        let mut none = facts();
        none.displays.clear();
        assert!(blocks(&check(&none, at(9, 1))));
    }

    /// four hours are still the same stretch, one minute more is not.
    #[test]
    fn a_pause_of_more_than_four_hours_asks_for_a_new_display() {
        let mut facts = facts();
        assert!(!blocks(&check(&facts, at(13, 0))));
        assert!(blocks(&check(&facts, at(13, 1))));
        facts.earlier_acts_at = vec![at(12, 0)];
        assert!(!blocks(&check(&facts, at(16, 0))), "acts in between keep the stretch");
        // A photograph after the pause does not stand for the display.
        facts.earlier_acts_at = vec![at(14, 0)];
        assert!(blocks(&check(&facts, at(14, 5))));
        let mut again = facts.displays[0].clone();
        again.at = at(14, 6);
        facts.displays.push(again);
        assert!(!blocks(&check(&facts, at(14, 7))));
    }

    #[test]
    fn a_new_person_is_shown_the_credentials_too() {
        let mut facts = facts();
        facts.persons.push("店主李某".into());
        let findings = check(&facts, at(9, 5));
        assert!(blocks(&findings));
        assert!(findings[0].message.contains("店主李某"));
    }

    #[test]
    fn an_electronic_display_alone_asks_for_a_reason() {
        let mut facts = facts();
        facts.displays[0].card_shown = false;
        let findings = check(&facts, at(9, 5));
        assert!(warns(&findings) && !blocks(&findings));
    }
}
