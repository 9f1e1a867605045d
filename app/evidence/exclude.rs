//! Setting a mistaken capture aside; its file stays (`domain` R-126).

use sync_model::id::{EvidenceId, InspectionId};
use sync_model::record::Record;
use sync_model::record::evidence::EvidenceExcluded;

use crate::error::{AppError, Input};
use crate::services::Services;

/// Records that a piece of evidence will not be cited, and why.
///
/// # Errors
/// [`AppError::Input`] without a reason, [`AppError::NotFound`].
pub fn exclude(
    services: &Services,
    inspection: InspectionId,
    evidence: EvidenceId,
    reason: &str,
) -> Result<Record, AppError> {
    let reason = reason.trim().to_owned();
    if reason.is_empty() {
        return Err(AppError::Input(Input::Empty("排除理由")));
    }
    services.store.act(&services.scope(Some(inspection), None), |reader, _| {
        reader.evidence(evidence)?.ok_or(AppError::NotFound("evidence"))?;
        Ok(EvidenceExcluded { evidence, reason }.into())
    })
}
