//! What is wrong with a rulebook, checked at import: HQ issues none with a problem in it.
//!
//! Each problem names the line to mend, so that counsel can read the list.

use std::collections::BTreeSet;

use super::discretion::{DiscretionBenchmark, PartyScope};
use super::lookup::text;
use super::matter::MatterKind;
use super::{Rulebook, matter::Matter};
use crate::money::Fen;

impl Rulebook {
    /// Returns everything that must be mended before this version may be issued.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        self.check_ids(&mut problems);
        self.check_authorities(&mut problems);
        for matter in &self.matters {
            check_matter(matter, &mut problems);
        }
        self.check_references(&mut problems);
        for benchmark in &self.benchmarks {
            check_tiers(benchmark, &mut problems);
        }
        self.check_texts(&mut problems);
        self.check_calendars(&mut problems);
        self.check_policies(&mut problems);
        problems.dedup();
        problems
    }

    fn check_ids(&self, problems: &mut Vec<String>) {
        unique("authority", self.authorities.iter().map(|a| a.id.clone()), problems);
        unique("checklist", self.checklists.iter().map(|c| c.id.clone()), problems);
        let entries = self.checklists.iter().flat_map(|checklist| &checklist.entries);
        unique("checklist entry", entries.map(|entry| entry.id.clone()), problems);
        let editions = self.benchmarks.iter().map(|b| format!("{} v{}", b.id, b.version));
        unique("benchmark", editions, problems);
        unique("exemption", self.exemptions.iter().map(|e| e.id.clone()), problems);
        unique("deadline", self.deadlines.iter().map(|d| d.id.clone()), problems);
        unique("calendar", self.calendars.iter().map(|c| c.year.to_string()), problems);
        let versions = self.matters.iter().map(|m| format!("{} {}", m.code, m.effective_from));
        unique("matter", versions, problems);
    }

    fn check_authorities(&self, problems: &mut Vec<String>) {
        for authority in &self.authorities {
            let fields = [
                ("name", &authority.name),
                ("reconsideration_body", &authority.reconsideration_body),
                ("court", &authority.court),
                ("document_word", &authority.document_word),
                ("payment_institution", &authority.payment_institution),
                ("supervision_phone", &authority.supervision_phone),
                ("online_remedy", &authority.online_remedy),
            ];
            for (field, _) in fields.iter().filter(|(_, value)| value.trim().is_empty()) {
                problems.push(format!("authority {}: {field} is empty", authority.id));
            }
            // 《行政复议法》第二十四条: a government reconsiders, not a department of the same level.
            if !authority.reconsideration_body.ends_with("人民政府") {
                problems.push(format!(
                    "authority {}: reconsideration body is no government",
                    authority.id
                ));
            }
        }
    }

    fn check_references(&self, problems: &mut Vec<String>) {
        let matter = |code: &str| self.matter(code).is_some();
        for delegation in &self.delegations {
            if self.authority(&delegation.authority_id).is_none() {
                problems.push(format!("delegation: no authority {}", delegation.authority_id));
            }
            if !matter(&delegation.matter_code) {
                problems.push(format!("delegation: no matter {}", delegation.matter_code));
            }
            if delegation.to.is_some_and(|to| to < delegation.from) {
                problems.push(format!(
                    "delegation of {}: ends before it begins",
                    delegation.matter_code
                ));
            }
        }
        for checklist in &self.checklists {
            if !matter(&checklist.matter_code) {
                problems.push(format!(
                    "checklist {}: no matter {}",
                    checklist.id, checklist.matter_code
                ));
            }
            if checklist.entries.is_empty() {
                problems.push(format!("checklist {}: no entries", checklist.id));
            }
            for entry in &checklist.entries {
                if entry.text.trim().is_empty() || entry.basis.trim().is_empty() {
                    problems.push(format!("checklist entry {}: text or basis is empty", entry.id));
                }
                if let Some(code) = entry.penalty_matter_code.as_deref().filter(|c| !matter(c)) {
                    problems.push(format!("checklist entry {}: no matter {code}", entry.id));
                }
            }
        }
        for benchmark in self.benchmarks.iter().filter(|b| !matter(&b.matter_code)) {
            problems
                .push(format!("benchmark {}: no matter {}", benchmark.id, benchmark.matter_code));
        }
        for exemption in self.exemptions.iter().filter(|e| !matter(&e.matter_code)) {
            problems
                .push(format!("exemption {}: no matter {}", exemption.id, exemption.matter_code));
        }
        for rule in self.deadlines.iter().filter(|r| r.basis.trim().is_empty() || r.length == 0) {
            problems.push(format!("deadline {}: basis or length is empty", rule.id));
        }
    }

    fn check_texts(&self, problems: &mut Vec<String>) {
        for key in text::REQUIRED {
            if self.text_blocks.get(key).is_none_or(|text| text.trim().is_empty()) {
                problems.push(format!("text block {key} is missing"));
            }
        }
        let remedies = self.text_blocks.get(text::ON_SPOT_REMEDIES).map_or("", String::as_str);
        problems.extend(
            remedies_problem(remedies).map(|problem| format!("on_spot_remedies: {problem}")),
        );
        for placeholder in ["{reconsideration_body}", "{court}"] {
            if !remedies.contains(placeholder) {
                problems.push(format!("on_spot_remedies: {placeholder} is missing"));
            }
        }
    }

    fn check_calendars(&self, problems: &mut Vec<String>) {
        use chrono::{Datelike, Weekday};
        for calendar in &self.calendars {
            let days = calendar.holidays.iter().chain(&calendar.working_weekends);
            for day in days.filter(|day| day.year() != calendar.year) {
                problems.push(format!("calendar {}: {day} is of another year", calendar.year));
            }
            for day in &calendar.working_weekends {
                if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                    problems.push(format!("calendar {}: {day} is no weekend", calendar.year));
                }
                if calendar.holidays.contains(day) {
                    problems.push(format!("calendar {}: {day} is both", calendar.year));
                }
            }
        }
    }

    fn check_policies(&self, problems: &mut Vec<String>) {
        let policies = &self.policies;
        // 《行政处罚法》第五十一条: a place may be stricter than the law, never looser.
        if policies.on_spot_citizen_max_fen > Fen(20_000) {
            problems.push("policy on_spot_citizen_max_fen exceeds 200 yuan".to_owned());
        }
        if policies.on_spot_organization_max_fen > Fen(300_000) {
            problems.push("policy on_spot_organization_max_fen exceeds 3,000 yuan".to_owned());
        }
        // 《行政处罚法》第四十二条: 不得少于两人.
        if policies.officers_min < 2 {
            problems.push("policy officers_min is below two".to_owned());
        }
        if policies.credential_freshness_block_h < policies.credential_freshness_warn_h {
            problems.push("policy credential_freshness: blocks before it warns".to_owned());
        }
    }
}

/// Returns what is wrong with the remedies of an on-the-spot decision, if anything.
///
/// 《行政复议法》第二十三条第一款第一项、第二款: 对当场作出的行政处罚决定不服的, 应当先申请行政复议,
/// and the decision must say so. Forms from before 2024 offer the court at once.
#[must_use]
pub fn remedies_problem(text: &str) -> Option<&'static str> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let reconsideration = plain.find("申请行政复议");
    let litigation = plain.find("提起行政诉讼").or_else(|| plain.find("起诉"));
    match (reconsideration, litigation) {
        (None, _) => Some("reconsideration is not offered"),
        (_, None) => Some("the suit after reconsideration is not mentioned"),
        (Some(first), Some(second)) if second < first => {
            Some("the suit stands before reconsideration")
        }
        _ if plain.contains("六个月内")
            || plain.contains("或者依法向")
            || plain.contains("也可以") =>
        {
            Some("the pre-2024 choice between reconsideration and suit")
        }
        _ if !plain.contains("先向") => Some("it does not say that reconsideration comes first"),
        _ if !plain.contains("六十日") => Some("the sixty days are missing"),
        _ if !plain.contains("十五日") => Some("the fifteen days are missing"),
        _ => None,
    }
}

fn unique(what: &str, ids: impl Iterator<Item = String>, problems: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for id in ids {
        if id.trim().is_empty() {
            problems.push(format!("{what}: an id is empty"));
        } else if !seen.insert(id.clone()) {
            problems.push(format!("{what} {id} stands twice"));
        }
    }
}

fn check_matter(matter: &Matter, problems: &mut Vec<String>) {
    let code = &matter.code;
    if matter.legal_basis.is_empty() {
        problems.push(format!("matter {code}: no legal basis"));
    }
    let norms =
        matter.violated_norm.iter().chain(&matter.penalty_norm).chain(&matter.coercion_basis);
    for basis in matter.legal_basis.iter().chain(norms) {
        if basis.law.trim().is_empty()
            || basis.article.trim().is_empty()
            || basis.text.trim().is_empty()
        {
            problems.push(format!("matter {code}: a basis lacks law, article or wording"));
        }
        // 《行政处罚法》第十六条: 其他规范性文件不得设定行政处罚.
        if ["裁量", "清单", "意见", "通知"].iter().any(|word| basis.law.contains(word)) {
            problems.push(format!("matter {code}: {} is no law, regulation or rule", basis.law));
        }
    }
    let norms_missing = matter.violated_norm.is_none() || matter.penalty_norm.is_none();
    if matter.kind == MatterKind::Penalty && norms_missing {
        problems.push(format!("matter {code}: a penalty needs violated and penalty norm"));
    }
    if matter.effective_to.is_some_and(|to| to < matter.effective_from) {
        problems.push(format!("matter {code}: ends before it begins"));
    }
}

fn check_tiers(benchmark: &DiscretionBenchmark, problems: &mut Vec<String>) {
    let name = format!("benchmark {} v{}", benchmark.id, benchmark.version);
    if benchmark.tiers.is_empty() {
        problems.push(format!("{name}: no tiers"));
    }
    for tier in &benchmark.tiers {
        if tier.min_fen > tier.max_fen || tier.min_fen < Fen::ZERO {
            problems.push(format!("{name}: tier {} has its ends reversed", tier.order));
        }
        if tier.conditions.is_empty() || tier.penalty_kinds.is_empty() {
            problems.push(format!("{name}: tier {} has no condition or no penalty", tier.order));
        }
    }
    for scope in [PartyScope::Individual, PartyScope::Organization] {
        // Tiers of different scopes may share an order; only tiers that bind one party are compared.
        let binds = |s: PartyScope| s == scope || s == PartyScope::Any;
        let tiers: Vec<_> = benchmark.tiers.iter().filter(|tier| binds(tier.scope)).collect();
        for (lower, upper) in tiers.iter().zip(tiers.iter().skip(1)) {
            if lower.order >= upper.order {
                problems.push(format!("{name}: tier {} is out of order", upper.order));
            }
            if upper.max_fen > Fen::ZERO && upper.min_fen < lower.max_fen {
                problems.push(format!("{name}: tiers {} and {} overlap", lower.order, upper.order));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::rulebook;
    use super::*;

    #[test]
    fn the_sample_has_no_problems() {
        assert_eq!(rulebook().problems(), Vec::<String>::new());
    }

    /// Each way to break the sample is found, and named.
    #[test]
    fn every_broken_line_is_named() {
        type Break = fn(&mut Rulebook);
        let table: [(&str, Break); 14] = [
            ("no legal basis", |r| r.matters[0].legal_basis.clear()),
            ("needs violated and penalty norm", |r| {
                r.matters.iter_mut().for_each(|m| m.penalty_norm = None);
            }),
            ("is no law, regulation or rule", |r| {
                r.matters[0].legal_basis[0].law = "裁量基准".into()
            }),
            ("stands twice", |r| r.authorities[1].id = r.authorities[0].id.clone()),
            ("no authority", |r| r.delegations[0].authority_id = "x".into()),
            ("no matter", |r| r.checklists[0].matter_code = "x".into()),
            ("overlap", |r| r.benchmarks[0].tiers[1].min_fen = Fen(0)),
            ("out of order", |r| r.benchmarks[0].tiers[1].order = 0),
            ("reversed", |r| r.benchmarks[0].tiers[0].min_fen = Fen(i64::MAX)),
            ("no government", |r| r.authorities[0].reconsideration_body = "某某局".into()),
            ("text block", |r| drop(r.text_blocks.remove("opening"))),
            ("no weekend", |r| {
                r.calendars[0]
                    .working_weekends
                    .push(chrono::NaiveDate::from_ymd_opt(2026, 11, 24).unwrap());
            }),
            ("exceeds 200", |r| r.policies.on_spot_citizen_max_fen = Fen(20_001)),
            ("below two", |r| r.policies.officers_min = 1),
        ];
        for (expected, breaks) in table {
            let mut rulebook = rulebook();
            breaks(&mut rulebook);
            let problems = rulebook.problems();
            assert!(problems.iter().any(|p| p.contains(expected)), "{expected}: {problems:?}");
        }
    }

    /// 《行政复议法》第二十三条: forms from before 2024 are refused.
    #[test]
    fn remedies_in_the_form_before_2024_are_refused() {
        let old = "如不服本决定，可以在收到本决定书之日起六十日内向西湖区人民政府申请行政复议，\
                   或者在六个月内依法向人民法院提起行政诉讼。";
        assert!(remedies_problem(old).is_some());
        for text in [
            "",
            "可以提起行政诉讼",
            "提起行政诉讼，申请行政复议",
            "可以自收到本决定书之日起六十日内向甲人民政府申请行政复议；对复议决定不服的，十五日内提起行政诉讼。",
        ] {
            assert!(remedies_problem(text).is_some(), "{text}");
        }
        let new = "如不服本决定，应当自收到本决定书之日起六十日内先向西湖区人民政府申请行政复议；\
                   对行政复议决定仍不服的，可以自收到复议决定书之日起十五日内向西湖区人民法院提起行政诉讼。";
        assert_eq!(remedies_problem(new), None);
    }
}
