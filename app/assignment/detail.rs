//! One assignment in full: facts, matters, what stands in the way, and the steps of its visit.

use sync_core::store::{AssignmentRow, AssignmentState, InspectionRow, Reader};
use sync_model::id::{AssignmentId, InspectionId};
use sync_model::rule::Finding;
use sync_model::wire::assignment::Assignment;

use super::view::{source_text, state_text};
use crate::error::AppError;
use crate::inspection::{self, BeginInput, StepView};
use crate::services::Services;

/// One matter that HQ wants checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatterLine {
    /// As published; the code if the rulebook does not know it.
    pub name: String,
    /// Whose it is.
    pub department: String,
    /// The first article it rests on.
    pub basis: String,
    /// Whether the rulebook knows it and it is in force today.
    pub in_force: bool,
}

/// One assignment in full.
#[derive(Clone, Debug)]
pub struct DetailView {
    /// Name on the door.
    pub title: String,
    /// Source, time and state.
    pub subtitle: String,
    /// Name and value.
    pub facts: Vec<(&'static str, String)>,
    /// What to check.
    pub matters: Vec<MatterLine>,
    /// What beginning it now would find.
    pub findings: Vec<Finding>,
    /// The steps of its visit.
    pub steps: Vec<StepView>,
    /// Where the officers are with it.
    pub state: AssignmentState,
    /// Its visit: the open one, else the last.
    pub inspection: Option<InspectionId>,
}

/// Returns one assignment in full.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::NoRulebook`].
pub fn detail(services: &Services, assignment: AssignmentId) -> Result<DetailView, AppError> {
    let mut found = services.store.read(|reader| {
        let row = reader.assignment(assignment)?.ok_or(AppError::NotFound("assignment"))?;
        let visit = visit_of(reader, assignment)?;
        let inspection = visit.as_ref().map(|visit| visit.begun.inspection);
        Ok::<_, AppError>(DetailView {
            title: row.assignment.premises.name.clone(),
            subtitle: subtitle(&row),
            facts: facts(&row.assignment, visit.as_ref()),
            matters: matters(services, reader, &row.assignment)?,
            findings: vec![],
            steps: inspection::steps(reader, inspection)?,
            state: row.state,
            inspection,
        })
    })?;
    if found.inspection.is_none() {
        // Seen without the reason to come on site, so that its field stays while it is typed.
        let input = BeginInput::default();
        found.findings = inspection::foresee(services, assignment, &input)?;
    }
    Ok(found)
}

fn visit_of(
    reader: &Reader<'_>,
    assignment: AssignmentId,
) -> Result<Option<InspectionRow>, AppError> {
    if let Some(open) = reader.open_inspection_of(assignment)? {
        return Ok(Some(open));
    }
    let all = reader.inspections()?;
    Ok(all.into_iter().find(|visit| visit.begun.assignment == assignment))
}

fn subtitle(row: &AssignmentRow) -> String {
    let one = &row.assignment;
    let when = format!("{} 至 {}", one.not_before.chinese(), one.due.chinese());
    format!("{}　{}　{when}", source_text(one.source), state_text(row.state))
}

fn facts(assignment: &Assignment, visit: Option<&InspectionRow>) -> Vec<(&'static str, String)> {
    let party = &assignment.party;
    let mut facts = vec![("任务", assignment.title.clone()), ("当事人", party.name.clone())];
    if let Some(code) = &party.credit_code {
        facts.push(("信用代码", code.clone()));
    }
    if let Some(person) = &party.person_in_charge {
        facts.push(("负责人", person.clone()));
    }
    facts.push(("地址", assignment.premises.address.clone()));
    let approval = assignment.approval.as_ref().map_or_else(
        || "没有审批".to_owned(),
        |one| format!("{}，{} {}", one.number, one.approved_at.chinese(), one.approver),
    );
    facts.push(("审批", approval));
    let visits = assignment.visits.map_or_else(
        || "总部没有提供".to_owned(),
        |one| format!("{} 次（截至 {}）", one.count, one.as_of.chinese()),
    );
    facts.push(("本年次数", visits));
    if let Some(code) = &assignment.visit_code {
        facts.push(("行政行为码", code.clone()));
    }
    if let Some(visit) = visit {
        facts.push(("到场时间", visit.begun_at.chinese()));
        if !visit.begun.on_site_reason.is_empty() {
            facts.push(("现场原因", visit.begun.on_site_reason.clone()));
        }
    }
    if !assignment.note.is_empty() {
        facts.push(("说明", assignment.note.clone()));
    }
    facts
}

fn matters(
    services: &Services,
    reader: &Reader<'_>,
    assignment: &Assignment,
) -> Result<Vec<MatterLine>, AppError> {
    let today = services.clock.now().wall_at.legal_date();
    let rulebook = crate::services::rulebook(reader)?;
    let codes = assignment.participations.iter().flat_map(|part| &part.matters);
    Ok(codes
        .map(|code| match rulebook.matter_in_force(code, today) {
            Some(matter) => MatterLine {
                name: matter.name.clone(),
                department: matter.department.clone(),
                basis: matter.legal_basis.first().map_or_else(String::new, |one| one.cite()),
                in_force: true,
            },
            None => MatterLine {
                name: format!("事项 {code}"),
                department: "本次不检查".to_owned(),
                basis: String::new(),
                in_force: false,
            },
        })
        .collect())
}
