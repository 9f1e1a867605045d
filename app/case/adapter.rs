//! Between the decision page and the feature: five steps, each an act of its own.
//!
//! Everything typed is a draft of the visit at once; findings are asked for anew with each change.

use std::rc::Rc;

use slint::ComponentHandle;
use sync_model::id::InspectionId;
use sync_model::rulebook::Rulebook;
use sync_model::time::Timestamp;

use super::intent::{OUTCOMES, PENALTIES};
use super::shown_adapter::{fill, fill_rest};
use super::typed::{self, PARTY_KINDS, Typed};
use super::view::{self, STEPS};
use super::{DecideInput, decide_on_spot, file_case, give_prior_notice, hear_defense, void_number};
use crate::error::AppError;
use crate::ui::{DecisionAdapter, MainWindow, Page, Tone};
use crate::window::Desk;
use crate::window::rows;

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

pub(super) fn loaded(desk: &Rc<Desk>) -> Result<(Typed, Rulebook, Timestamp), AppError> {
    let services = desk.services();
    let typed = typed::load(services, visit(desk)?)?;
    Ok((typed, services.rulebook()?, services.clock.now().wall_at))
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
