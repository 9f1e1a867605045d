//! Home and assignment pages: list, search, accept, begin or resume, and the way to every step.
//! Rule: what beginning would find is shown before the button is pressed, with a field per warning.

mod detail;
mod home;

use std::rc::Rc;

use slint::{ComponentHandle, Model, SharedString};
use sync_core::store::TranscriptState;
use sync_model::id::AssignmentId;
use sync_model::rule::Weight;

use crate::error::AppError;
use crate::inspection;
use crate::ui::{AssignmentAdapter, MainWindow, Page, Tone};
use crate::window::{Desk, rows};

use detail::{fill_detail, place};
use home::fill_list;

/// Connects the pages' callbacks.
pub fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<AssignmentAdapter<'_>>();
    page.set_search(SharedString::default());
    let here = Rc::clone(desk);
    page.on_search_edited(move |_| fill_list(&here));
    let here = Rc::clone(desk);
    page.on_open(move |id| {
        if let Some(id) = rows::id(&id, AssignmentId) {
            open(&here, id);
        }
    });
    let here = Rc::clone(desk);
    page.on_accept(move |id| {
        let Some(id) = rows::id(&id, AssignmentId) else { return };
        match super::accept(here.services(), id) {
            Ok(_) => here.refresh_shown(),
            Err(error) => here.fail(&error),
        }
    });
    let here = Rc::clone(desk);
    page.on_begin(move |id| {
        if let Some(id) = rows::id(&id, AssignmentId) {
            begin(&here, id);
        }
    });
    let here = Rc::clone(desk);
    page.on_open_step(move |index| open_step(&here, index));
    let here = Rc::clone(desk);
    page.on_reason_edited(move |code, text| {
        let Some(id) = here.at().assignment else { return };
        if let Err(error) = super::save_reason(here.services(), id, &code, &text) {
            here.fail(&error);
        }
    });
    let here = Rc::clone(desk);
    page.on_save_lead(move |text| save_lead(&here, &text));
}

/// Fills both pages with what is true now.
pub fn refresh(desk: &Rc<Desk>) {
    fill_list(desk);
    let Some(id) = desk.at().assignment else { return };
    let found = super::detail(desk.services(), id);
    match found {
        Ok(found) => fill_detail(desk, id, &found),
        Err(error) => desk.fail(&error),
    }
}

fn open(desk: &Rc<Desk>, id: AssignmentId) {
    let inspection = match super::detail(desk.services(), id) {
        Ok(found) => found.inspection,
        Err(error) => return desk.fail(&error),
    };
    desk.set_at(|at| {
        let same = at.inspection == inspection;
        at.assignment = Some(id);
        at.inspection = inspection;
        if !same {
            // What was open belongs to another visit.
            (at.evidence, at.transcript, at.case, at.document) = (None, None, None, None);
        }
    });
    desk.show(Page::Assignment);
}

fn begin(desk: &Rc<Desk>, id: AssignmentId) {
    open(desk, id);
    let services = desk.services();
    let outcome = super::detail(services, id).and_then(|found| {
        if super::missing_reasons(services, id, &found.findings)? {
            return Err(AppError::NeedsReason(
                found.findings.into_iter().filter(|one| one.weight == Weight::Warn).collect(),
            ));
        }
        inspection::begin(services, id, &super::begin_input(services, id)?)
    });
    match outcome {
        Ok((inspection, left_out)) => {
            desk.set_at(|at| at.inspection = Some(inspection));
            if let Err(error) = super::forget_reasons(services, id) {
                desk.fail(&error);
            }
            desk.refresh(Page::Assignment);
            if !left_out.is_empty() {
                let text = crate::text::findings_text(&left_out);
                desk.tell(Tone::Warn, "检查已开始，下列事项不检查", &text);
            }
            show_next(desk);
        }
        Err(error) => desk.fail(&error),
    }
}

/// Opens the step to do now from the assignment page; stays there if nothing is next.
pub(crate) fn show_next(desk: &Rc<Desk>) {
    let inspection = desk.at().inspection;
    match desk.services().store.read(|reader| inspection::steps(reader, inspection)) {
        Ok(steps) => {
            if let Some(step) = inspection::next_step(&steps) {
                go(desk, place(step).1);
            }
        }
        Err(error) => desk.fail(&error),
    }
}

fn open_step(desk: &Rc<Desk>, index: i32) {
    let Some(window) = desk.window() else { return };
    let page = window.global::<AssignmentAdapter<'_>>();
    let step = usize::try_from(index).ok().and_then(|index| page.get_steps().row_data(index));
    if let Some(step) = step.filter(|step| step.enabled) {
        go(desk, step.page);
    }
}

fn go(desk: &Rc<Desk>, page: Page) {
    if page == Page::Sign
        && let Some(inspection) = desk.at().inspection
    {
        // The page signs one transcript: the one that waits for signatures, else the last.
        let found = desk.services().store.read(|reader| reader.transcripts_of(inspection));
        let Ok(all) = found.map_err(|error| desk.fail(&error.into())) else { return };
        let waiting = all.iter().find(|row| row.state != TranscriptState::Locked);
        let chosen = waiting.or(all.last()).map(|row| row.prepared.transcript);
        if chosen.is_none() {
            return desk.show(Page::Transcript);
        }
        desk.set_at(|at| at.transcript = chosen);
    }
    desk.show(page);
}

fn save_lead(desk: &Rc<Desk>, text: &str) {
    let open = desk.at().inspection;
    match super::record_lead(desk.services(), open, text) {
        Ok(_) => {
            if let Some(window) = desk.window() {
                let page = window.global::<AssignmentAdapter<'_>>();
                page.set_lead_text(SharedString::default());
                page.set_lead_open(false);
            }
            desk.tell(Tone::Good, "线索已记录", "下次同步时交总部研判。");
            desk.refresh_shown();
        }
        Err(error) => desk.fail(&error),
    }
}
