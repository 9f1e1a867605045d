//! One walk, many departments' entries (一表通查).

use sync_core::store::Reader;
use sync_model::id::InspectionId;
use sync_model::record::Record;
use sync_model::record::inspection::{ChecklistAnswered, EntryAnswer, EntryResult};
use sync_model::rulebook::checklist::MergedChecklist;

use super::guard::require_display;
use crate::error::{AppError, Input};
use crate::services::{Services, rulebook};

/// Returns the merged checklist of a visit.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::NoRulebook`].
pub fn merged(reader: &Reader<'_>, inspection: InspectionId) -> Result<MergedChecklist, AppError> {
    let row = reader.inspection(inspection)?.ok_or(AppError::NotFound("inspection"))?;
    let codes: Vec<&str> = row
        .begun
        .participations
        .iter()
        .flat_map(|part| part.matters.iter().map(String::as_str))
        .collect();
    Ok(rulebook(reader)?.merged_checklist(&codes))
}

/// Records answers; a later answer to the same entry supersedes the earlier one, which stays.
///
/// # Errors
/// [`AppError::Blocked`] before credentials were displayed; [`AppError::Input`] if an entry is
/// left unchecked or failed without a word why.
pub fn answer(
    services: &Services,
    inspection: InspectionId,
    answers: Vec<EntryAnswer>,
) -> Result<Record, AppError> {
    let silent =
        |answer: &EntryAnswer| answer.result != EntryResult::Pass && answer.note.trim().is_empty();
    if answers.is_empty() || answers.iter().any(silent) {
        return Err(AppError::Input(Input::Empty("检查情况说明")));
    }
    let scope = services.scope(Some(inspection), None);
    services.store.act(&scope, |reader, moment| {
        require_display(reader, inspection, &scope.officers, moment.wall_at)?;
        let list = merged(reader, inspection)?;
        let known = |id: &str| {
            list.groups.iter().flat_map(|group| &group.entries).any(|one| one.entry.id == id)
        };
        if answers.iter().all(|answer| known(&answer.entry)) {
            Ok(ChecklistAnswered { inspection, answers }.into())
        } else {
            Err(AppError::NotFound("checklist entry"))
        }
    })
}
