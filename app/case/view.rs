//! What the decision page shows beside what is typed: matters, tiers, findings, number, preview.

use chrono::Datelike;
use sync_core::store::CaseState;
use sync_model::money::Fen;
use sync_model::rule::discretion::tiers_for;
use sync_model::rule::on_spot::cap;
use sync_model::rule::{Finding, Weight, blocks};
use sync_model::rulebook::Rulebook;
use sync_model::rulebook::discretion::{DiscretionTier, PenaltyKind};
use sync_model::rulebook::lookup::text;
use sync_model::rulebook::matter::MatterKind;
use sync_model::time::Timestamp;

use super::notice::penalty_text;
use super::typed::Typed;
use super::{NoticeInput, preview, prior_notice_text};
use crate::error::AppError;
use crate::services::Services;

/// More matters than this are not listed; the search narrows them.
pub const MATTERS_SHOWN: usize = 20;

/// The finding that says a step is still open; shown only where the step is due.
const STEP_OPEN: &str = "R-32";

/// The steps, in order.
pub const STEPS: [&str; 5] = ["事实", "裁量", "告知", "申辩", "出具"];

/// A matter that the visit's authorities may decide on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatterChoice {
    /// Code of the matter.
    pub code: String,
    /// Authority.
    pub authority: String,
    /// In words.
    pub label: String,
}

/// Returns the penalty matters delegated to the visit's authorities whose words hold `filter`; the
/// chosen one first.
#[must_use]
pub fn matters(rules: &Rulebook, typed: &Typed, now: Timestamp, filter: &str) -> Vec<MatterChoice> {
    let today = now.legal_date();
    let region = &typed.visit.begun.premises.region_code;
    let chosen = |choice: &MatterChoice| {
        choice.code == typed.matter() && choice.authority == typed.authority()
    };
    let mut found: Vec<MatterChoice> = Vec::new();
    for part in &typed.visit.begun.participations {
        let name = rules.authority(&part.authority).map_or("", |known| known.name.as_str());
        for matter in rules.matters.iter().filter(|matter| {
            matter.kind == MatterKind::Penalty
                && matter.in_force(today)
                && rules.delegated(&part.authority, &matter.code, region, today)
        }) {
            let choice = MatterChoice {
                code: matter.code.clone(),
                authority: part.authority.clone(),
                label: format!("{}（{name}）", matter.name),
            };
            if !found.contains(&choice) && (chosen(&choice) || choice.label.contains(filter.trim()))
            {
                found.push(choice);
            }
        }
    }
    found.sort_by_key(|choice| !chosen(choice));
    if typed.case.is_some() {
        found.truncate(1);
    }
    found
}

/// Returns the tiers of the benchmark in force that bind the party, lightest first.
#[must_use]
pub fn tiers<'a>(rules: &'a Rulebook, typed: &Typed, now: Timestamp) -> Vec<&'a DiscretionTier> {
    rules
        .benchmark_at(typed.matter(), now.legal_date())
        .map(|benchmark| tiers_for(benchmark, typed.party_scope(rules)))
        .unwrap_or_default()
}

/// Returns `罚款 100.00 元至 300.00 元` or what else the tier allows.
#[must_use]
pub fn range_text(tier: &DiscretionTier) -> String {
    let warning = tier.penalty_kinds.contains(&PenaltyKind::Warning);
    let fine = tier.penalty_kinds.contains(&PenaltyKind::Fine);
    let range = format!("罚款 {} 元至 {} 元", tier.min_fen, tier.max_fen);
    match (warning, fine) {
        (true, true) => format!("警告；{range}"),
        (true, false) => "警告".to_owned(),
        (false, _) => range,
    }
}

/// Returns why a tier cannot be chosen on the spot; empty if it can.
#[must_use]
pub fn tier_problem(tier: &DiscretionTier, most: Fen) -> String {
    if tier.formula.is_some() {
        return "按货值倍数计算，不适用当场处罚，转普通程序".to_owned();
    }
    let warning = tier.penalty_kinds.contains(&PenaltyKind::Warning);
    if tier.min_fen > most && !warning {
        return format!("超过当场处罚上限 {most} 元，转普通程序");
    }
    String::new()
}

/// Returns the most that may be fined on the spot.
#[must_use]
// 《行政处罚法》第五十一条.
pub fn most(rules: &Rulebook, typed: &Typed) -> Fen {
    cap(typed.party().kind, &rules.policies)
}

/// Returns the furthest step that may be open.
#[must_use]
pub fn last_step(typed: &Typed) -> usize {
    match typed.case.as_ref().map(|case| case.state) {
        None => 0,
        Some(CaseState::Filed) => 2,
        Some(CaseState::Noticed) => 3,
        Some(CaseState::Heard | CaseState::Decided) => 4,
    }
}

/// Returns the step that is shown: the one chosen, if it may be open, else the first one to do.
#[must_use]
pub fn step(typed: &Typed) -> usize {
    let last = last_step(typed);
    let natural = if last == 2 { 1 } else { last };
    typed.choice("step").filter(|chosen| *chosen <= last).unwrap_or(natural)
}

/// Returns what the rules say as things stand; empty before the case is opened.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::NoRulebook`].
pub fn findings(
    services: &Services,
    rules: &Rulebook,
    typed: &Typed,
    now: Timestamp,
) -> Result<Vec<Finding>, AppError> {
    let Some(case) = &typed.case else { return Ok(Vec::new()) };
    let details = typed.details(rules, now);
    let intended = typed.intended(rules, now).ok();
    let mut found = preview(services, case.filed.case, &details, intended.as_ref())?;
    if step(typed) + 1 < STEPS.len() {
        found.retain(|finding| finding.code != STEP_OPEN);
    }
    // What the partner did stands beside it; it weighs nothing by itself.
    found.extend(super::partner::findings(services, case.filed.case)?);
    Ok(found)
}

/// Returns why the step cannot be left; empty if it can.
#[must_use]
pub fn open_text(typed: &Typed, found: &[Finding]) -> String {
    let unanswered = |finding: &&Finding| {
        finding.weight == Weight::Warn && typed.text(&format!("reason/{}", finding.code)).is_empty()
    };
    let step = step(typed);
    if step == 2 && typed.case.as_ref().is_some_and(|case| case.notice.is_none()) {
        return if typed.on("informed", false) { "" } else { "先口头告知，再打开开关" }.to_owned();
    }
    if step + 1 < STEPS.len() {
        return String::new();
    }
    if blocks(found) {
        let count = found.iter().filter(|finding| finding.weight == Weight::Block).count();
        return format!("有 {count} 项不符合当场处罚条件");
    }
    let count = found.iter().filter(unanswered).count();
    if count > 0 { format!("还有 {count} 项提醒没有写理由") } else { String::new() }
}

/// Returns the words to tell the party.
#[must_use]
pub fn inform_text(rules: &Rulebook, typed: &Typed, now: Timestamp) -> String {
    let (Some(case), Ok(intended)) = (&typed.case, typed.intended(rules, now)) else {
        return "请先选择处罚种类、阶次和金额。".to_owned();
    };
    let told = case.notice.as_ref().map(|told| NoticeInput {
        tier: intended.tier.clone(),
        warning: told.warning,
        fine_fen: told.fine_fen,
    });
    prior_notice_text(rules, case, told.as_ref().unwrap_or(&intended))
}

/// Returns the number, and what to know about it; whether it may be voided.
///
/// # Errors
/// [`AppError::Store`].
pub fn number(
    services: &Services,
    typed: &Typed,
    now: Timestamp,
) -> Result<(String, String, bool), AppError> {
    services.store.read(|reader| {
        let note = format!("本机还有 {} 个文号", reader.free_numbers()?);
        let reserved = match typed.case.as_ref().and_then(|case| case.document) {
            Some(document) => reader.reserved_number(document)?,
            None => None,
        };
        if let Some(reserved) = reserved {
            return Ok((reserved.printed, note, true));
        }
        let lease = reader.open_lease(typed.authority(), now.legal_date().year())?;
        let next = lease.map_or_else(
            || "没有可用文号，请联网同步领取".to_owned(),
            |lease| format!("出具时取号：{}字〔{}〕第{:04}号", lease.word, lease.year, lease.next),
        );
        Ok((next, note, false))
    })
}

/// Returns what the decision will say, in short.
#[must_use]
pub fn preview_text(rules: &Rulebook, typed: &Typed) -> String {
    let Some(told) = typed.case.as_ref().and_then(|case| case.notice.as_ref()) else {
        return String::new();
    };
    let authority = rules.authority(typed.authority());
    let institution = authority.map_or("", |known| known.payment_institution.as_str());
    let payment = rules.text(text::PAYMENT_NOTICE, &[("payment_institution", institution)]);
    let mut lines = vec![format!("决定：{}。", penalty_text(told.warning, told.fine_fen))];
    lines.push(format!("责令改正：{}", typed.text("correction")));
    if told.fine_fen > 0 {
        lines.push(format!("履行：{}", payment.unwrap_or_default()));
    }
    let remedies = rules.on_spot_remedies(typed.authority()).unwrap_or_default();
    lines.push(format!("救济：{remedies}"));
    lines.join("\n")
}
