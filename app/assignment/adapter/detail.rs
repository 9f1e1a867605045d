//! One assignment's page: facts, matters, what stands in the way, the steps of its visit.

use std::rc::Rc;

use slint::ComponentHandle;
use sync_core::store::AssignmentState;
use sync_model::id::AssignmentId;
use sync_model::rule::Weight;

use super::home::{begin_text, can_begin};
use crate::assignment::{DetailView, typed_reason};
use crate::error::AppError;
use crate::glyph::shown;
use crate::inspection::{StepState, StepView, VisitStep};
use crate::ui::{AssignmentAdapter, ChipRow, MatterRow, Page, StepRow, Tone};
use crate::window::{Desk, rows};

pub(super) fn fill_detail(desk: &Rc<Desk>, id: AssignmentId, found: &DetailView) {
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
            let reason = store.read(|r| typed_reason(r, id, &finding.code))?;
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

/// Returns the title and the page of a step.
pub(super) fn place(step: VisitStep) -> (&'static str, Page) {
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
