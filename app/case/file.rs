//! Opening a summary case: what was done, by whom, on which matter, shown by which evidence.

use sync_core::random;
use sync_model::id::{CaseId, EvidenceId, InspectionId};
use sync_model::record::case::CaseFiled;
use sync_model::time::Timestamp;
use sync_model::wire::assignment::Party;

use crate::error::{AppError, Input};
use crate::inspection::require_display;
use crate::services::Services;

/// What the officer says about the violation.
#[derive(Clone, Debug)]
pub struct FileInput {
    /// The matter (案由).
    pub matter: String,
    /// The authority in whose name it will be decided.
    pub authority: String,
    /// Whom.
    pub party: Party,
    /// What was done, objectively.
    pub violation: String,
    /// When it was done.
    pub acted_at: Timestamp,
    /// Where it was done.
    pub place: String,
    /// Evidence for it.
    pub evidence: Vec<EvidenceId>,
}

/// Opens a case in a visit.
///
/// # Errors
/// [`AppError::Blocked`] before credentials were displayed, [`AppError::Input`],
/// [`AppError::NotFound`] for unknown evidence.
pub fn file_case(
    services: &Services,
    inspection: InspectionId,
    input: FileInput,
) -> Result<CaseId, AppError> {
    if input.violation.trim().is_empty() {
        return Err(AppError::Input(Input::Empty("违法事实")));
    }
    sync_model::identifier::person_name::check(&input.party.name)
        .map_err(|_| AppError::Input(Input::Name))?;
    let case = CaseId::new(services.clock.now().wall_at.0, &random::bytes());
    let scope = services.scope(Some(inspection), Some(case));
    services.store.act(&scope, |reader, moment| {
        require_display(reader, inspection, &scope.officers, moment.wall_at)?;
        for evidence in &input.evidence {
            reader.evidence(*evidence)?.ok_or(AppError::NotFound("evidence"))?;
        }
        Ok::<_, AppError>(
            CaseFiled {
                case,
                inspection,
                matter: input.matter,
                authority: input.authority,
                party: input.party,
                violation: input.violation.trim().to_owned(),
                acted_at: input.acted_at,
                place: input.place.trim().to_owned(),
                evidence: input.evidence,
            }
            .into(),
        )
    })?;
    Ok(case)
}
