//! The list of assignments as the page shows it.

use sync_core::store::AssignmentState;
use sync_model::wire::assignment::{Assignment, AssignmentSource};

use crate::error::AppError;
use crate::services::Services;

/// One line of the list.
#[derive(Clone, Debug)]
pub struct AssignmentView {
    /// As HQ sent it.
    pub assignment: Assignment,
    /// Where the officers are with it.
    pub state: AssignmentState,
    /// Names of the departments that take part.
    pub authorities: Vec<String>,
    /// Matters that the rulebook does not know or that are not in force: they will be left out.
    pub unknown_matters: Vec<String>,
}

/// Returns the assignments, what is due first on top, done ones last.
///
/// # Errors
/// [`AppError::Store`].
pub fn list(services: &Services) -> Result<Vec<AssignmentView>, AppError> {
    let today = services.clock.now().wall_at.legal_date();
    services.store.read(|reader| {
        let rulebook = reader.rulebook()?;
        let rows = reader.assignments()?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let parts = &row.assignment.participations;
                let authorities = parts
                    .iter()
                    .map(|part| {
                        let known = rulebook.as_ref().and_then(|r| r.authority(&part.authority));
                        known.map_or_else(|| part.authority.clone(), |found| found.name.clone())
                    })
                    .collect();
                let unknown_matters = parts
                    .iter()
                    .flat_map(|part| &part.matters)
                    .filter(|code| {
                        rulebook.as_ref().is_some_and(|r| r.matter_in_force(code, today).is_none())
                    })
                    .cloned()
                    .collect();
                AssignmentView {
                    assignment: row.assignment,
                    state: row.state,
                    authorities,
                    unknown_matters,
                }
            })
            .collect())
    })
}

/// Says whether an assignment is meant by what was typed into the search.
#[must_use]
pub fn matches(assignment: &Assignment, search: &str) -> bool {
    let search = search.trim();
    let fields = [
        &assignment.title,
        &assignment.premises.name,
        &assignment.premises.address,
        &assignment.party.name,
    ];
    search.is_empty() || fields.iter().any(|text| text.contains(search))
}

/// Returns why HQ sends officers, as shown.
#[must_use]
pub fn source_text(source: AssignmentSource) -> &'static str {
    match source {
        AssignmentSource::JointInspection => "综合查一次",
        AssignmentSource::RandomDraw => "双随机",
        AssignmentSource::Complaint => "投诉交办",
        AssignmentSource::Routine => "日常检查",
    }
}

/// Returns where the officers are with it, as shown.
#[must_use]
pub fn state_text(state: AssignmentState) -> &'static str {
    match state {
        AssignmentState::New => "待接收",
        AssignmentState::Accepted => "已接收",
        AssignmentState::UnderWay => "检查中",
        AssignmentState::Done => "已完成",
    }
}
