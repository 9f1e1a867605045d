//! What the decision page shows: every property of its adapter, from what is typed and on record.
//!
//! Fields are left alone while somebody types in them; what follows from them is shown anew.

use std::rc::Rc;

use slint::{ComponentHandle, Model, ModelRc, SharedString};
use sync_model::rulebook::Rulebook;
use sync_model::time::Timestamp;

use super::adapter::loaded;
use super::intent::FINE;
use super::typed::{PARTY_KINDS, Typed};
use super::view::{self, MATTERS_SHOWN, STEPS};
use crate::error::AppError;
use crate::glyph::shown;
use crate::text::explain;
use crate::ui::{DecisionAdapter, FieldRow, Page, StepRow, SwitchRow, TierRow, Tone};
use crate::window::Desk;
use crate::window::rows;

/// The switches on the page: key, words, how they stand at first.
const SWITCHES: [(&str, &str, bool); 4] = [
    ("present", "当事人或者可以代收的人在场", false),
    ("identified", "已核实当事人身份", false),
    ("doubt", "辨认或者控制能力存疑", false),
    ("crime", "涉嫌犯罪", false),
];

pub(super) fn fill(desk: &Rc<Desk>) -> Result<(), AppError> {
    let Some(window) = desk.window() else { return Ok(()) };
    let page = window.global::<DecisionAdapter<'_>>();
    if desk.at().inspection.is_none() {
        clear(&page);
        return Ok(());
    }
    let (typed, rules, now) = loaded(desk)?;
    desk.set_at(|at| at.case = typed.case.as_ref().map(|case| case.filed.case));
    page.set_filed(typed.case.is_some());
    let party = typed.party();
    let kind = PARTY_KINDS.iter().position(|(kind, _)| *kind == party.kind);
    page.set_party_kind(place(kind));
    rows::renew(&page.get_party_fields(), party_fields(&typed), |rows| page.set_party_fields(rows));
    page.set_violation_filter(typed.text("filter").into());
    let facts = typed.case.as_ref().map_or(typed.text("facts"), |case| &case.filed.violation);
    page.set_facts_text(facts.into());
    let evidence = typed.evidence.iter().map(|row| SwitchRow {
        key: row.captured.evidence.to_string().into(),
        text: format!("证{}　{}", row.captured.ordinal, row.captured.description).into(),
        checked: typed.picks(row.captured.evidence),
    });
    page.set_evidence(rows::model(evidence));
    let picked = typed.evidence.iter().filter(|row| typed.picks(row.captured.evidence)).count();
    page.set_evidence_text(format!("已选 {picked} 件").into());
    let switches = SWITCHES.iter().map(|(key, text, otherwise)| SwitchRow {
        key: (*key).into(),
        text: (*text).into(),
        checked: typed.on(key, *otherwise),
    });
    page.set_switches(rows::model(switches));
    let exemption = typed.choice("exemption").unwrap_or(0);
    page.set_exemption(place(Some(exemption)));
    page.set_asks_ground(exemption == 1 || exemption == 2);
    page.set_ground(typed.text("ground").into());
    page.set_correction(typed.text("correction").into());
    page.set_penalty_kind(place(Some(typed.penalty())));
    page.set_asks_amount(typed.penalty() >= FINE);
    page.set_amount(typed.text("amount").into());
    page.set_informed(
        typed.case.as_ref().is_some_and(|case| case.notice.is_some())
            || typed.on("informed", false),
    );
    page.set_defense(i32::from(typed.choice("defense") == Some(1)));
    page.set_defense_text(typed.text("defense-text").into());
    page.set_defense_outcome(place(typed.choice("outcome")));
    page.set_outcome_reason(typed.text("outcome-reason").into());
    page.set_void_reason(typed.text("void-reason").into());
    fill_tiers(&page, &typed, &rules, now);
    show_findings(desk, &page, &typed, &rules, now)?;
    fill_rest(desk)
}

/// Fills what follows from the fields, without touching them.
pub(super) fn fill_rest(desk: &Rc<Desk>) -> Result<(), AppError> {
    let Some(window) = desk.window() else { return Ok(()) };
    let page = window.global::<DecisionAdapter<'_>>();
    let (typed, rules, now) = loaded(desk)?;
    page.set_party(shown(&typed.party().name).into());
    let matters = view::matters(&rules, &typed, now, typed.text("filter"));
    let chosen = matters
        .iter()
        .position(|one| one.code == typed.matter() && one.authority == typed.authority());
    page.set_filter_text(
        if matters.len() > MATTERS_SHOWN {
            format!("共 {} 项，只列出前 {MATTERS_SHOWN} 项，请输入关键字", matters.len())
        } else {
            format!("共 {} 项", matters.len())
        }
        .into(),
    );
    page.set_violations(rows::texts(matters.into_iter().take(MATTERS_SHOWN).map(|one| one.label)));
    page.set_violation(place(chosen));
    let step = view::step(&typed);
    page.set_step(place(Some(step)));
    page.set_steps(rows::model(steps(&typed, step)));
    let wrong = typed.penalty() >= FINE && !typed.text("amount").is_empty();
    let error = typed.fine().err().filter(|_| wrong);
    page.set_amount_error(error.map_or_else(String::new, |error| explain(&error)).into());
    page.set_cap_text(format!("当场处罚上限 {} 元", view::most(&rules, &typed)).into());
    page.set_inform_text(view::inform_text(&rules, &typed, now).into());
    let (number, note, can_void) = view::number(desk.services(), &typed, now)?;
    page.set_number(number.into());
    page.set_number_note(note.into());
    page.set_can_void(can_void);
    page.set_preview(view::preview_text(&rules, &typed).into());
    let found = view::findings(desk.services(), &rules, &typed, now)?;
    let open = view::open_text(&typed, &found);
    page.set_can_next(open.is_empty());
    page.set_next_hint(open.into());
    page.set_primary_text(primary_text(step).into());
    // A card whose reason is being typed stays; the others follow.
    let same = |page: &DecisionAdapter<'_>| {
        let shown: Vec<SharedString> = page.get_findings().iter().map(|row| row.text).collect();
        shown.iter().map(SharedString::as_str).eq(found.iter().map(|one| one.message.as_str()))
    };
    if !same(&page) {
        show_findings(desk, &page, &typed, &rules, now)?;
    }
    Ok(())
}

fn show_findings(
    desk: &Rc<Desk>,
    page: &DecisionAdapter<'_>,
    typed: &Typed,
    rules: &Rulebook,
    now: Timestamp,
) -> Result<(), AppError> {
    let found = view::findings(desk.services(), rules, typed, now)?;
    let shown =
        found.iter().map(|one| rows::finding(one, typed.text(&format!("reason/{}", one.code))));
    page.set_findings(rows::model(shown));
    Ok(())
}

fn primary_text(step: usize) -> &'static str {
    match step {
        0 => "立案，下一步：裁量",
        1 => "下一步：告知",
        2 => "记录告知，下一步：申辩",
        3 => "记录申辩，下一步：出具",
        _ => "出具决定书",
    }
}

fn steps(typed: &Typed, shown: usize) -> Vec<StepRow> {
    let last = view::last_step(typed);
    STEPS
        .iter()
        .enumerate()
        .map(|(index, title)| StepRow {
            title: (*title).into(),
            note: SharedString::default(),
            tone: if index == shown {
                Tone::Info
            } else if index < last {
                Tone::Good
            } else {
                Tone::Neutral
            },
            enabled: index <= last,
            page: Page::Decision,
        })
        .collect()
}

fn place(index: Option<usize>) -> i32 {
    index.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1)
}

fn party_fields(typed: &Typed) -> Vec<FieldRow> {
    let party = typed.party();
    let text = |value: Option<String>| value.unwrap_or_default();
    let name_error = sync_model::identifier::person_name::check(&party.name).is_err();
    let field = |key: &str, name: &str, value: String| FieldRow {
        key: key.into(),
        name: name.into(),
        value: value.into(),
        error: if key == "name" && name_error { "请填写当事人" } else { "" }.into(),
        number: key == "phone",
        ..FieldRow::default()
    };
    vec![
        field("name", "当事人", party.name.clone()),
        field("credit-code", "统一社会信用代码", text(party.credit_code)),
        field("identity", "身份证件号码", text(party.identity_number)),
        field("person", "法定代表人、负责人", text(party.person_in_charge)),
        field("address", "住所", party.address),
        field("phone", "联系电话", text(party.phone)),
    ]
}

fn fill_tiers(page: &DecisionAdapter<'_>, typed: &Typed, rules: &Rulebook, now: Timestamp) {
    let tiers = view::tiers(rules, typed, now);
    let most = view::most(rules, typed);
    let shown = tiers.iter().map(|tier| {
        let problem = view::tier_problem(tier, most);
        TierRow {
            name: tier.name.as_str().into(),
            range: view::range_text(tier).into(),
            condition: tier.conditions.join("；").into(),
            enabled: problem.is_empty(),
            note: problem.into(),
        }
    });
    page.set_tiers(rows::model(shown));
    let chosen = typed.text("tier").parse::<u32>().ok();
    page.set_tier(place(tiers.iter().position(|tier| Some(tier.order) == chosen)));
}

/// Leaves nothing of another visit on the page.
fn clear(page: &DecisionAdapter<'_>) {
    page.set_party("没有正在进行的检查".into());
    page.set_steps(ModelRc::default());
    page.set_step(0);
    page.set_findings(ModelRc::default());
    page.set_party_fields(ModelRc::default());
    page.set_violations(ModelRc::default());
    page.set_evidence(ModelRc::default());
    page.set_evidence_text("".into());
    page.set_switches(ModelRc::default());
    page.set_tiers(ModelRc::default());
    page.set_facts_text("".into());
    page.set_amount("".into());
    page.set_inform_text("".into());
    page.set_defense_text("".into());
    page.set_outcome_reason("".into());
    page.set_number("".into());
    page.set_number_note("".into());
    page.set_preview("".into());
    page.set_can_next(false);
    page.set_next_hint("".into());
}
