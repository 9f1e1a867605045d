//! The steps of a visit, read from the store: what is done, what is next, what is open.

use sync_core::store::{CaseState, DocumentState, InspectionRow, Reader, TranscriptState};
use sync_model::id::InspectionId;
use sync_model::record::transcript::TranscriptKind;

use super::checklist;
use crate::error::AppError;

/// One step, in the order of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitStep {
    /// 亮证.
    Display,
    /// 告知权利义务.
    Notice,
    /// 检查表.
    Checklist,
    /// 取证.
    Evidence,
    /// 笔录.
    Transcript,
    /// 核对与签名.
    Sign,
    /// 当场处罚, only if something was found.
    Decision,
    /// 文书与送达.
    Documents,
    /// 检查结束.
    Conclude,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// On record.
    Done,
    /// The one to do now.
    Now,
    /// May be done.
    Open,
    /// Something else comes first.
    Closed,
}

/// One line of the list of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepView {
    /// Which.
    pub step: VisitStep,
    /// Where it stands.
    pub state: StepState,
    /// In a few words.
    pub note: String,
}

/// Returns the steps of a visit; all closed while it has not begun.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Store`].
pub fn steps(
    reader: &Reader<'_>,
    inspection: Option<InspectionId>,
) -> Result<Vec<StepView>, AppError> {
    let Some(inspection) = inspection else {
        return Ok(ORDER.map(|step| view(step, StepState::Closed, String::new())).to_vec());
    };
    let row = reader.inspection(inspection)?.ok_or(AppError::NotFound("inspection"))?;
    let mut found = Vec::new();
    for step in ORDER {
        let (done, note) = look(reader, &row, step)?;
        let first = matches!(step, VisitStep::Display);
        let state = match (done, first || row.displayed_at.is_some()) {
            (true, _) => StepState::Done,
            // 《行政处罚法》第五十五条: nothing before the credentials.
            (false, false) => StepState::Closed,
            (false, true) => StepState::Open,
        };
        found.push(view(step, state, note));
    }
    mark_now(&mut found);
    Ok(found)
}

/// Returns the step to do now.
#[must_use]
pub fn next_step(steps: &[StepView]) -> Option<VisitStep> {
    steps.iter().find(|one| one.state == StepState::Now).map(|one| one.step)
}

const ORDER: [VisitStep; 9] = [
    VisitStep::Display,
    VisitStep::Notice,
    VisitStep::Checklist,
    VisitStep::Evidence,
    VisitStep::Transcript,
    VisitStep::Sign,
    VisitStep::Decision,
    VisitStep::Documents,
    VisitStep::Conclude,
];

fn view(step: VisitStep, state: StepState, note: String) -> StepView {
    StepView { step, state, note }
}

/// A visit needs photographs and a decision only where something was found: never "now".
fn mark_now(steps: &mut [StepView]) {
    let needed =
        |step| !matches!(step, VisitStep::Evidence | VisitStep::Decision | VisitStep::Documents);
    let next = steps.iter_mut().find(|one| one.state == StepState::Open && needed(one.step));
    if let Some(next) = next {
        next.state = StepState::Now;
    }
}

fn look(
    reader: &Reader<'_>,
    row: &InspectionRow,
    step: VisitStep,
) -> Result<(bool, String), AppError> {
    let inspection = row.begun.inspection;
    let at = |time: Option<sync_model::time::Timestamp>, said: &str| {
        (time.is_some(), time.map_or_else(String::new, |at| format!("{} {said}", at.clock())))
    };
    Ok(match step {
        VisitStep::Display => at(row.displayed_at, "已确认"),
        VisitStep::Notice => at(row.noticed_at, "已告知"),
        VisitStep::Conclude => at(row.concluded_at, "已结束"),
        VisitStep::Checklist => {
            let list = checklist::merged(reader, inspection)?;
            let total: usize = list.groups.iter().map(|group| group.entries.len()).sum();
            let answered = reader.answers(inspection)?.len();
            (total > 0 && answered >= total, format!("{answered}/{total}"))
        }
        VisitStep::Evidence => {
            let rows = reader.evidence_of(inspection)?;
            let count = rows.iter().filter(|one| one.excluded.is_empty()).count();
            (count > 0, format!("{count} 件"))
        }
        VisitStep::Transcript => {
            let rows = reader.transcripts_of(inspection)?;
            let scene = rows.iter().any(|one| one.prepared.kind == TranscriptKind::Scene);
            (scene, if rows.is_empty() { String::new() } else { format!("{} 份", rows.len()) })
        }
        VisitStep::Sign => {
            let rows = reader.transcripts_of(inspection)?;
            let locked = rows.iter().filter(|one| one.state == TranscriptState::Locked).count();
            let note = match rows.len() {
                0 => String::new(),
                all => format!("定稿 {locked}/{all}"),
            };
            (!rows.is_empty() && locked == rows.len(), note)
        }
        VisitStep::Decision => {
            let cases = reader.cases_of(inspection)?;
            let decided = cases.iter().filter(|one| one.state == CaseState::Decided).count();
            let note = match cases.len() {
                0 => "如有违法".to_owned(),
                all => format!("已决定 {decided}/{all}"),
            };
            (!cases.is_empty() && decided == cases.len(), note)
        }
        VisitStep::Documents => {
            let rows = reader.documents_of(inspection)?;
            let done = rows.iter().filter(|one| one.state == DocumentState::Delivered).count();
            let note = match rows.len() {
                0 => String::new(),
                all => format!("{all} 份，已送达 {done}"),
            };
            (!rows.is_empty() && done == rows.len(), note)
        }
    })
}
