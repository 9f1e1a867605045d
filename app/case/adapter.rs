//! Between the decision page and the feature: five steps, each an act of its own.
//!
//! Everything typed is a draft of the visit at once; findings are asked for anew with each change.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString};
use sync_model::id::InspectionId;
use sync_model::rulebook::Rulebook;
use sync_model::time::Timestamp;

use super::typed::{self, FINE, OUTCOMES, PARTY_KINDS, PENALTIES, Typed};
use super::view::{self, MATTERS_SHOWN, STEPS};
use super::{DecideInput, decide_on_spot, file_case, give_prior_notice, hear_defense, void_number};
use crate::error::AppError;
use crate::glyph::shown;
use crate::text::explain;
use crate::ui::{DecisionAdapter, FieldRow, MainWindow, Page, StepRow, SwitchRow, TierRow, Tone};
use crate::window::Desk;
use crate::window::rows;

/// The switches on the page: key, words, how they stand at first.
const SWITCHES: [(&str, &str, bool); 4] = [
    ("present", "当事人或者可以代收的人在场", false),
    ("identified", "已核实当事人身份", false),
    ("doubt", "辨认或者控制能力存疑", false),
    ("crime", "涉嫌犯罪", false),
];

/// Connects the page's callbacks.
pub fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<DecisionAdapter<'_>>();
    page.set_party_kinds(rows::texts(PARTY_KINDS.map(|(_, name)| name)));
    page.set_penalty_kinds(rows::texts(PENALTIES));
    page.set_defense_answers(rows::texts(["放弃", "当场陈述申辩"]));
    page.set_defense_outcomes(rows::texts(OUTCOMES));
    page.set_exemptions(rows::texts([
        "没有不予处罚情形",
        "应当不予处罚",
        "可以不予处罚",
        "初次违法离线无法核实",
    ]));
    connect_facts(&page, desk);
    connect_steps(&page, desk);
}

fn connect_facts(page: &DecisionAdapter<'_>, desk: &Rc<Desk>) {
    let here = Rc::clone(desk);
    page.on_edit_party(move |key, text| write(&here, &key, &text));
    let here = Rc::clone(desk);
    page.on_choose_party_kind(move |place| choose(&here, "party-kind", place));
    let here = Rc::clone(desk);
    page.on_filter_violations(move |text| write(&here, "filter", &text));
    let here = Rc::clone(desk);
    page.on_choose_violation(move |place| told(&here, choose_matter(&here, place)));
    let here = Rc::clone(desk);
    page.on_edit_facts(move |text| write(&here, "facts", &text));
    let here = Rc::clone(desk);
    page.on_pick_evidence(move |key, on| {
        choose(&here, &format!("pick/{key}"), i32::from(on));
    });
    let here = Rc::clone(desk);
    page.on_switch(move |key, on| choose(&here, &key, i32::from(on)));
    let here = Rc::clone(desk);
    page.on_choose_exemption(move |place| choose(&here, "exemption", place));
    let here = Rc::clone(desk);
    page.on_edit_ground(move |text| write(&here, "ground", &text));
    let here = Rc::clone(desk);
    page.on_edit_correction(move |text| write(&here, "correction", &text));
}

fn connect_steps(page: &DecisionAdapter<'_>, desk: &Rc<Desk>) {
    let here = Rc::clone(desk);
    page.on_choose_step(move |place| choose(&here, "step", place));
    let here = Rc::clone(desk);
    page.on_choose_penalty_kind(move |place| choose(&here, "penalty", place));
    let here = Rc::clone(desk);
    page.on_choose_tier(move |place| told(&here, choose_tier(&here, place)));
    let here = Rc::clone(desk);
    page.on_edit_amount(move |text| write(&here, "amount", &text));
    let here = Rc::clone(desk);
    page.on_reason_edited(move |code, text| write(&here, &format!("reason/{code}"), &text));
    let here = Rc::clone(desk);
    page.on_inform(move |on| choose(&here, "informed", i32::from(on)));
    let here = Rc::clone(desk);
    page.on_answer_defense(move |place| choose(&here, "defense", place));
    let here = Rc::clone(desk);
    page.on_edit_defense(move |text| write(&here, "defense-text", &text));
    let here = Rc::clone(desk);
    page.on_choose_outcome(move |place| choose(&here, "outcome", place));
    let here = Rc::clone(desk);
    page.on_edit_outcome_reason(move |text| write(&here, "outcome-reason", &text));
    let here = Rc::clone(desk);
    page.on_edit_void_reason(move |text| write(&here, "void-reason", &text));
    let here = Rc::clone(desk);
    page.on_void_number(move || told(&here, void(&here)));
    let here = Rc::clone(desk);
    page.on_next(move || told(&here, next(&here)));
}

/// Fills the page with what is true now.
pub fn refresh(desk: &Rc<Desk>) {
    told(desk, fill(desk));
}

fn told(desk: &Rc<Desk>, outcome: Result<(), AppError>) {
    if let Err(error) = outcome {
        desk.fail(&error);
    }
}

fn visit(desk: &Rc<Desk>) -> Result<InspectionId, AppError> {
    desk.at().inspection.ok_or(AppError::NotFound("inspection"))
}

/// Saves a choice and shows what follows from it.
fn choose(desk: &Rc<Desk>, field: &str, place: i32) {
    let saved = visit(desk)
        .and_then(|visit| typed::save(desk.services(), visit, field, &place.to_string()));
    told(desk, saved.and_then(|()| fill(desk)));
}

/// Saves what is being typed; the fields stay as they are, only what follows is shown anew.
fn write(desk: &Rc<Desk>, field: &str, text: &str) {
    let saved = visit(desk).and_then(|visit| typed::save(desk.services(), visit, field, text));
    told(desk, saved.and_then(|()| fill_rest(desk)));
}

fn loaded(desk: &Rc<Desk>) -> Result<(Typed, Rulebook, Timestamp), AppError> {
    let services = desk.services();
    let typed = typed::load(services, visit(desk)?)?;
    Ok((typed, services.rulebook()?, services.clock.now().wall_at))
}

fn fill(desk: &Rc<Desk>) -> Result<(), AppError> {
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
fn fill_rest(desk: &Rc<Desk>) -> Result<(), AppError> {
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
        use slint::Model;
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

fn choose_matter(desk: &Rc<Desk>, place: i32) -> Result<(), AppError> {
    let (typed, rules, now) = loaded(desk)?;
    let matters = view::matters(&rules, &typed, now, typed.text("filter"));
    let chosen = usize::try_from(place).ok().and_then(|place| matters.get(place));
    let chosen = chosen.ok_or(AppError::NotFound("matter"))?;
    let visit = visit(desk)?;
    typed::save(desk.services(), visit, "matter", &chosen.code)?;
    typed::save(desk.services(), visit, "authority", &chosen.authority)?;
    fill(desk)
}

fn choose_tier(desk: &Rc<Desk>, place: i32) -> Result<(), AppError> {
    let (typed, rules, now) = loaded(desk)?;
    let tiers = view::tiers(&rules, &typed, now);
    let chosen = usize::try_from(place).ok().and_then(|place| tiers.get(place));
    let order = chosen.ok_or(AppError::NotFound("tier"))?.order;
    typed::save(desk.services(), visit(desk)?, "tier", &order.to_string())?;
    fill(desk)
}

fn void(desk: &Rc<Desk>) -> Result<(), AppError> {
    let (typed, ..) = loaded(desk)?;
    void_number(desk.services(), typed.case_id()?, typed.text("void-reason"))?;
    typed::save(desk.services(), visit(desk)?, "void-reason", "")?;
    fill(desk)?;
    desk.tell(Tone::Info, "文号已作废，留在记录里", "");
    Ok(())
}

/// Does the step that is shown and goes to the one after it.
fn next(desk: &Rc<Desk>) -> Result<(), AppError> {
    let services = desk.services();
    let visit = visit(desk)?;
    let (typed, rules, now) = loaded(desk)?;
    let step = view::step(&typed);
    match step {
        0 if typed.case.is_none() => {
            file_case(services, visit, typed.file_input(now)?)?;
        }
        1 => {
            typed.fine()?;
        }
        2 if typed.case.as_ref().is_some_and(|case| case.heard_at.is_none()) => {
            give_prior_notice(services, typed.case_id()?, &typed.intended(&rules, now)?)?;
        }
        3 => {
            hear_defense(services, typed.case_id()?, &typed.heard())?;
        }
        4 => return decide(desk, &typed, &rules, now),
        _ => {}
    }
    let next = (step + 1).min(STEPS.len() - 1);
    typed::save(services, visit, "step", &next.to_string())?;
    fill(desk)?;
    desk.refresh_status();
    Ok(())
}

fn decide(
    desk: &Rc<Desk>,
    typed: &Typed,
    rules: &Rulebook,
    now: Timestamp,
) -> Result<(), AppError> {
    let input = DecideInput {
        details: typed.details(rules, now),
        override_reason: typed.override_reason(),
    };
    let (document, _) = decide_on_spot(desk.services(), typed.case_id()?, &input)?;
    typed::forget(desk.services(), visit(desk)?)?;
    desk.set_at(|at| {
        at.case = None;
        at.document = Some(document);
    });
    desk.show(Page::Documents);
    desk.tell(Tone::Good, "决定书已出具，请当场交付", "");
    Ok(())
}
