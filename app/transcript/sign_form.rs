//! What is typed on the signing page before it is on record: refusal, witness, doubts, reasons.

use std::collections::BTreeMap;

use sync_model::id::{EvidenceId, InspectionId, TranscriptId};

use crate::error::AppError;
use crate::services::Services;

/// The fields of the refusal sheet.
pub(super) const FIELDS: [&str; 4] = ["reason", "witness-name", "witness-number", "witness-unit"];

fn scope(transcript: TranscriptId) -> String {
    format!("sign:{transcript}")
}

/// Returns what was typed, field by field.
pub(super) fn typed(
    services: &Services,
    transcript: TranscriptId,
) -> Result<BTreeMap<String, String>, AppError> {
    let rows = services.store.read(|r| r.draft(&scope(transcript)))?;
    Ok(rows.into_iter().map(|row| (row.field, row.value)).collect())
}

/// Saves one field.
pub(super) fn save(
    services: &Services,
    transcript: TranscriptId,
    field: &str,
    value: &str,
) -> Result<(), AppError> {
    services.store.save_draft(&scope(transcript), field, value)?;
    Ok(())
}

/// Forgets what was typed, and the draft, once the transcript is locked.
pub(super) fn forget(services: &Services, transcript: TranscriptId) -> Result<(), AppError> {
    services.store.forget_draft(&scope(transcript))?;
    services.store.forget_draft(&format!("transcript:{transcript}"))?;
    Ok(())
}

/// Returns the evidence that may show how signing was refused.
pub(super) fn recordings(
    services: &Services,
    inspection: InspectionId,
) -> Result<Vec<(String, EvidenceId)>, AppError> {
    let rows = services.store.read(|r| r.evidence_of(inspection))?;
    Ok(rows
        .into_iter()
        .filter(|row| row.excluded.is_empty())
        .map(|row| (format!("证{}", row.captured.ordinal), row.captured.evidence))
        .collect())
}
