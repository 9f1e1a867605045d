//! 更正: the person wants something put right; it is written at the end and the pages made anew.
//!
//! Nothing is struck out: the earlier revision stays on record, its signatures void by the new one.

use sync_model::id::TranscriptId;
use sync_model::record::transcript::TranscriptPrepared;

use super::lock::read_content;
use super::{prepare, save_field};
use crate::document::content::{Content, QuestionAnswer};
use crate::error::{AppError, Input};
use crate::services::Services;

/// What a correction is asked by in an interview.
const QUESTION: &str = "您要求更正或者补充的内容是什么？";

/// Adds the correction and makes the next revision.
///
/// # Errors
/// [`AppError::Input`] if it is empty, else see [`prepare`].
pub fn correct(
    services: &Services,
    transcript: TranscriptId,
    correction: &str,
) -> Result<TranscriptPrepared, AppError> {
    let correction = correction.trim();
    if correction.is_empty() {
        return Err(AppError::Input(Input::Empty("更正内容")));
    }
    let row = services.store.read(|r| r.transcript(transcript))?;
    let prepared = row.ok_or(AppError::NotFound("transcript"))?.prepared;
    let now = services.clock.now().wall_at;
    let (content, question) = match read_content(services, &prepared.content.sha256)? {
        Content::Interview(mut body) => {
            body.dialog.push(QuestionAnswer {
                question: QUESTION.to_owned(),
                answer: correction.to_owned(),
            });
            body.ended_at = now;
            (Content::Interview(body), QUESTION)
        }
        Content::Scene(mut body) => {
            body.statement = format!("{}\n更正：{correction}", body.statement).trim().to_owned();
            body.ended_at = now;
            (Content::Scene(body), "")
        }
        other => (other, ""),
    };
    let (made, _) = prepare(services, prepared.inspection, transcript, &content)?;
    keep_in_draft(services, transcript, question, correction)?;
    Ok(made)
}

/// The draft says the same as the pages, so that making them again from it loses nothing.
fn keep_in_draft(
    services: &Services,
    transcript: TranscriptId,
    question: &str,
    correction: &str,
) -> Result<(), AppError> {
    let draft = super::load_draft(services, transcript)?;
    let next = draft.field("entries.next").parse::<u32>().unwrap_or(0).saturating_add(1);
    let key = format!("e{next}");
    let answer =
        if question.is_empty() { format!("更正：{correction}") } else { correction.to_owned() };
    save_field(services, transcript, "entries.next", &next.to_string())?;
    save_field(services, transcript, &format!("q:{key}"), question)?;
    save_field(services, transcript, &format!("a:{key}"), &answer)?;
    let listed = draft.field("entries");
    let listed = if listed.is_empty() { key } else { format!("{listed},{key}") };
    save_field(services, transcript, "entries", &listed)?;
    Ok(())
}
