//! Making the pages: content and text become durable files, then a record cites them.

use sync_core::random;
use sync_core::store::TranscriptState;
use sync_model::id::{DocumentId, InspectionId, TranscriptId};
use sync_model::record::transcript::{TranscriptKind, TranscriptPrepared};

use crate::document::{self, Stored, content::Content};
use crate::error::{AppError, Step};
use crate::inspection::require_display;
use crate::services::Services;

/// Makes the pages of a transcript; the next revision if it was prepared before.
///
/// # Errors
/// [`AppError::Order`] once it is locked, [`AppError::Blocked`] before credentials were displayed.
pub fn prepare(
    services: &Services,
    inspection: InspectionId,
    transcript: TranscriptId,
    content: &Content,
) -> Result<(TranscriptPrepared, Stored), AppError> {
    let kind = match content {
        Content::Interview(_) => TranscriptKind::Interview,
        _ => TranscriptKind::Scene,
    };
    let stored = document::put(services.store.blobs(), content)?;
    let scope = services.scope(Some(inspection), None);
    let fresh = DocumentId::new(services.clock.now().wall_at.0, &random::bytes());
    let mut made = None;
    services.store.act(&scope, |reader, moment| {
        require_display(reader, inspection, &scope.officers, moment.wall_at)?;
        let before = reader.transcript(transcript)?;
        if before.as_ref().is_some_and(|row| row.state == TranscriptState::Locked) {
            return Err(AppError::Order(Step::Locked));
        }
        let before = before.map(|row| row.prepared);
        let prepared = TranscriptPrepared {
            transcript,
            document: before.as_ref().map_or(fresh, |before| before.document),
            inspection,
            kind,
            revision: before.as_ref().map_or(1, |before| before.revision.saturating_add(1)),
            title: content.title().to_owned(),
            content: stored.content.clone(),
            text: stored.text.clone(),
            pages: stored.pages.clone(),
        };
        made = Some(prepared.clone());
        Ok(prepared.into())
    })?;
    let prepared = made.ok_or(AppError::NotFound("transcript"))?;
    Ok((prepared, stored))
}
