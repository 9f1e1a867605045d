//! The draft of a transcript: each field saved at every change, resumed at the last one.

use std::collections::BTreeMap;

use sync_model::id::TranscriptId;
use sync_model::time::Timestamp;

use crate::error::AppError;
use crate::services::Services;

/// What has been typed so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Field by field.
    pub fields: BTreeMap<String, String>,
    /// The field typed last: where to resume.
    pub last_field: Option<String>,
    /// When it was saved.
    pub saved_at: Option<Timestamp>,
}

impl Draft {
    /// Returns a field, empty if never typed.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

fn scope(transcript: TranscriptId) -> String {
    format!("transcript:{transcript}")
}

/// Saves one field; returns when.
///
/// # Errors
/// [`AppError::Store`]; what is on the screen is not lost by it.
pub fn save_field(
    services: &Services,
    transcript: TranscriptId,
    field: &str,
    value: &str,
) -> Result<Timestamp, AppError> {
    Ok(services.store.save_draft(&scope(transcript), field, value)?)
}

/// Returns the draft as last saved.
///
/// # Errors
/// [`AppError::Store`].
pub fn load_draft(services: &Services, transcript: TranscriptId) -> Result<Draft, AppError> {
    let rows = services.store.read(|r| r.draft(&scope(transcript)))?;
    let last = rows.last();
    Ok(Draft {
        last_field: last.map(|row| row.field.clone()),
        saved_at: last.map(|row| row.saved_at),
        fields: rows.into_iter().map(|row| (row.field, row.value)).collect(),
    })
}
