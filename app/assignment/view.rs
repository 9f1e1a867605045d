//! The list of assignments as the page shows it.

use sync_core::store::AssignmentState;
use sync_model::wire::assignment::Assignment;

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
