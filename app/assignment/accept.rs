//! Taking an assignment on.

use sync_model::id::AssignmentId;
use sync_model::record::Record;
use sync_model::record::inspection::AssignmentAccepted;

use crate::error::AppError;
use crate::services::Services;

/// Takes an assignment on.
///
/// # Errors
/// [`AppError::NotFound`].
pub fn accept(services: &Services, assignment: AssignmentId) -> Result<Record, AppError> {
    services.store.act(&services.scope(None, None), |reader, _| {
        let row = reader.assignment(assignment)?.ok_or(AppError::NotFound("assignment"))?;
        Ok(AssignmentAccepted { assignment, revision: row.assignment.revision }.into())
    })
}
