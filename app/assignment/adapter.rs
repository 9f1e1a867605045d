//! Home and assignment pages: list, search, accept, begin or resume, and the way to every step.
//! Rule: what beginning would find is shown before the button is pressed, with a field per warning.

use std::rc::Rc;

use slint::{ComponentHandle, Model, SharedString};
use sync_core::store::{AssignmentState, TranscriptState};
use sync_model::id::AssignmentId;
use sync_model::rule::Weight;
use sync_model::time::Timestamp;

use super::{AssignmentView, DetailView};
use crate::error::AppError;
use crate::glyph::shown;
use crate::inspection::{self, StepState, StepView, VisitStep};
use crate::ui::{
    AssignmentAdapter, AssignmentRow, ChipRow, MainWindow, MatterRow, Page, StepRow, Tone,
};
use crate::window::{Desk, rows};

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

fn fill_list(desk: &Rc<Desk>) {
    let Some(window) = desk.window() else { return };
    let page = window.global::<AssignmentAdapter<'_>>();
    let all = match super::list(desk.services()) {
        Ok(all) => all,
        Err(error) => return desk.fail(&error),
    };
    let now = desk.services().clock.now().wall_at;
    page.set_today_text(day_text(now.legal_date()).into());
    let done = all.iter().filter(|one| one.state == AssignmentState::Done).count();
    page.set_summary_text(format!("共 {} 项，已完成 {done} 项", all.len()).into());
    let search = page.get_search();
    let shown: Vec<AssignmentRow> = all
        .iter()
        .filter(|one| super::matches(&one.assignment, &search))
        .map(|one| row(one, now))
        .collect();
    let (text, detail) = if all.is_empty() {
        ("还没有任务", "联网同步后会收到总部交办的任务。")
    } else {
        ("没有找到任务", "换一个单位名称或者地址再搜。")
    };
    page.set_empty_text(text.into());
    page.set_empty_detail(detail.into());
    page.set_rows(rows::model(shown));
}

fn day_text(day: chrono::NaiveDate) -> String {
    use chrono::{Datelike, Weekday};
    let weekday = match day.weekday() {
        Weekday::Mon => "星期一",
        Weekday::Tue => "星期二",
        Weekday::Wed => "星期三",
        Weekday::Thu => "星期四",
        Weekday::Fri => "星期五",
        Weekday::Sat => "星期六",
        Weekday::Sun => "星期日",
    };
    format!("{}月{}日 {weekday}", day.month(), day.day())
}

fn row(view: &AssignmentView, now: Timestamp) -> AssignmentRow {
    let one = &view.assignment;
    let mut chips = Vec::new();
    if !view.unknown_matters.is_empty() {
        let text = format!("事项不在目录中 {}", view.unknown_matters.len());
        chips.push(ChipRow { text: text.into(), tone: Tone::Warn });
    }
    if view.state != AssignmentState::Done && one.due < now {
        chips.push(ChipRow { text: "已过期限".into(), tone: Tone::Bad });
    }
    // From midnight on means at any time of the day; an earlier day has become today's work.
    let (from, today) = (one.not_before, now.legal_date());
    let time = if from <= Timestamp::start_of(today) {
        "今天".to_owned()
    } else if from.legal_date() == today {
        from.clock()
    } else {
        from.legal_date().format("%m-%d").to_string()
    };
    AssignmentRow {
        id: one.assignment.to_string().into(),
        time: time.into(),
        kind: super::source_text(one.source).into(),
        premises: shown(&one.premises.name).into(),
        address: one.premises.address.as_str().into(),
        departments: view.authorities.join("、").into(),
        state: super::state_text(view.state).into(),
        tone: match view.state {
            AssignmentState::New | AssignmentState::UnderWay => Tone::Info,
            AssignmentState::Accepted | AssignmentState::Done => Tone::Good,
        },
        chips: rows::model(chips),
        can_accept: view.state == AssignmentState::New,
        can_begin: can_begin(view.state),
        begin_text: begin_text(view.state).into(),
    }
}

fn can_begin(state: AssignmentState) -> bool {
    matches!(state, AssignmentState::Accepted | AssignmentState::UnderWay)
}

fn begin_text(state: AssignmentState) -> &'static str {
    match state {
        AssignmentState::UnderWay => "继续检查",
        AssignmentState::Done => "检查已结束",
        AssignmentState::New | AssignmentState::Accepted => "开始检查",
    }
}

fn fill_detail(desk: &Rc<Desk>, id: AssignmentId, found: &DetailView) {
    let Some(window) = desk.window() else { return };
    let page = window.global::<AssignmentAdapter<'_>>();
    page.set_detail_id(id.to_string().into());
    page.set_detail_title(shown(&found.title).into());
    page.set_detail_subtitle(found.subtitle.as_str().into());
    page.set_facts(rows::facts(&found.facts));
    let matters = found.matters.iter().map(|matter| {
        let chip = || ChipRow { text: "事项不在目录中".into(), tone: Tone::Warn };
        MatterRow {
            name: matter.name.as_str().into(),
            department: matter.department.as_str().into(),
            basis: matter.basis.as_str().into(),
            chips: rows::model(if matter.in_force { vec![] } else { vec![chip()] }),
        }
    });
    page.set_matters(rows::model(matters));
    let shown: Result<Vec<_>, AppError> = found
        .findings
        .iter()
        .map(|finding| {
            let store = &desk.services().store;
            let reason = store.read(|r| super::typed_reason(r, id, &finding.code))?;
            Ok(rows::finding(finding, &reason))
        })
        .collect();
    match shown {
        Ok(shown) => page.set_findings(rows::model(shown)),
        Err(error) => desk.fail(&error),
    }
    page.set_steps(rows::model(found.steps.iter().map(step_row)));
    page.set_can_accept(found.state == AssignmentState::New);
    let blocked = found.findings.iter().any(|finding| finding.weight == Weight::Block);
    page.set_can_begin(can_begin(found.state) && !blocked);
    page.set_begin_text(begin_text(found.state).into());
}

fn step_row(view: &StepView) -> StepRow {
    let (title, page) = place(view.step);
    StepRow {
        title: title.into(),
        note: view.note.as_str().into(),
        tone: match view.state {
            StepState::Done => Tone::Good,
            StepState::Now => Tone::Info,
            StepState::Open | StepState::Closed => Tone::Neutral,
        },
        enabled: view.state != StepState::Closed,
        page,
    }
}

fn place(step: VisitStep) -> (&'static str, Page) {
    match step {
        VisitStep::Display => ("亮证", Page::Credential),
        VisitStep::Notice => ("告知权利义务", Page::Notice),
        VisitStep::Checklist => ("检查表", Page::Checklist),
        VisitStep::Evidence => ("取证", Page::Evidence),
        VisitStep::Transcript => ("笔录", Page::Transcript),
        VisitStep::Sign => ("核对与签名", Page::Sign),
        VisitStep::Decision => ("当场处罚", Page::Decision),
        VisitStep::Documents => ("文书与送达", Page::Documents),
        VisitStep::Conclude => ("检查结束", Page::Conclude),
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
