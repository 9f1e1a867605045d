//! 核对: the person reads the pages, or they are read aloud; then says so in his own words.

use sync_core::store::TranscriptState;
use sync_model::id::TranscriptId;
use sync_model::record::Record;
use sync_model::record::transcript::{PageReading, ReadBackWay, TranscriptReadBack};

use crate::error::{AppError, Input, Step};
use crate::services::Services;

/// Records the read-back of the newest revision.
///
/// # Errors
/// [`AppError::Input`] if a page was not opened, [`AppError::Order`] if the transcript is locked.
pub fn read_back(
    services: &Services,
    transcript: TranscriptId,
    way: ReadBackWay,
    readings: Vec<PageReading>,
    closing_words: &str,
) -> Result<Record, AppError> {
    let row = services.store.read(|r| r.transcript(transcript))?;
    let row = row.ok_or(AppError::NotFound("transcript"))?;
    if row.state == TranscriptState::Locked {
        return Err(AppError::Order(Step::Locked));
    }
    let opened = |page: u32| readings.iter().any(|one| one.page == page && one.dwell_ms > 0);
    let all = (1_u32..).zip(&row.prepared.pages).all(|(page, _)| opened(page));
    // Whoever listens does not turn pages.
    if way == ReadBackWay::Read && !all {
        return Err(AppError::Input(Input::Empty("每一页的阅读")));
    }
    let revision = row.prepared.revision;
    let scope = services.scope_of_officers(Some(row.prepared.inspection), None)?;
    services.store.act(&scope, |reader, _| {
        let now = reader.transcript(transcript)?.ok_or(AppError::NotFound("transcript"))?;
        if now.prepared.revision != revision {
            return Err(AppError::PageChanged);
        }
        let closing_words = closing_words.trim().to_owned();
        Ok(TranscriptReadBack { transcript, revision, way, readings, closing_words }.into())
    })
}
