//! The checklist as it is walked: recorded answers, with what is typed and not recorded yet on top.
//!
//! Every keystroke is a draft; an answer becomes a record once it is complete. A record that says
//! the same as the one before is never made.

use std::collections::BTreeMap;

use sync_core::store::Reader;
use sync_model::id::{EvidenceId, InspectionId};
use sync_model::record::inspection::{EntryAnswer, EntryResult};
use sync_model::rulebook::checklist::MergedEntry;

use super::checklist::{answer, merged};
use crate::error::AppError;
use crate::services::{Services, rulebook};

/// Draft field: the entry that photographs are being taken for.
const PHOTO_ENTRY: &str = "photo/entry";
/// Draft field: the first evidence ordinal that belongs to it.
const PHOTO_FROM: &str = "photo/from";

/// One entry on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryView {
    /// Key of the entry.
    pub key: String,
    /// Place in the walk, such as `1.2`.
    pub number: String,
    /// What to look at.
    pub text: String,
    /// The article behind it.
    pub basis: String,
    /// Whether an answer needs a photograph.
    pub photo_required: bool,
    /// The matters it serves.
    pub matters: Vec<String>,
    /// How it was found, recorded or not.
    pub result: Option<EntryResult>,
    /// What was seen.
    pub note: String,
    /// Why it was not checked.
    pub reason: String,
    /// Photographs tied to it.
    pub evidence: Vec<EvidenceId>,
    /// The answer on record.
    pub recorded: Option<EntryAnswer>,
}

impl EntryView {
    /// Returns the answer as it would be recorded, if it is complete.
    fn complete(&self) -> Option<EntryAnswer> {
        let result = self.result?;
        let (note, reason) = (self.note.trim(), self.reason.trim());
        let note = match result {
            EntryResult::NotChecked if reason.is_empty() => return None,
            EntryResult::NotChecked if note.is_empty() => reason.to_owned(),
            EntryResult::NotChecked => format!("{reason}；{note}"),
            EntryResult::Fail if note.is_empty() => return None,
            EntryResult::Fail | EntryResult::Pass => note.to_owned(),
        };
        Some(EntryAnswer {
            entry: self.key.clone(),
            matters: self.matters.clone(),
            result,
            note,
            evidence: self.evidence.clone(),
        })
    }
}

/// The entries under one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// The heading.
    pub title: String,
    /// Departments whose matters it serves.
    pub departments: String,
    /// Its entries.
    pub entries: Vec<EntryView>,
}

/// Returns where the drafts of a visit's checklist are kept.
#[must_use]
pub fn draft_scope(inspection: InspectionId) -> String {
    format!("checklist:{inspection}")
}

/// Returns the checklist of a visit as it stands.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::NoRulebook`].
pub fn walk(reader: &Reader<'_>, inspection: InspectionId) -> Result<Vec<GroupView>, AppError> {
    let rulebook = rulebook(reader)?;
    let answers = reader.answers(inspection)?;
    let drafts = drafts(reader, inspection)?;
    let groups = merged(reader, inspection)?.groups;
    Ok((1_usize..)
        .zip(groups)
        .map(|(place, group)| {
            let mut departments: Vec<&str> = group
                .entries
                .iter()
                .flat_map(|entry| &entry.matter_codes)
                .filter_map(|code| rulebook.matter(code))
                .map(|matter| matter.department.as_str())
                .collect();
            departments.sort_unstable();
            departments.dedup();
            let departments = departments.join("、");
            let entries = (1_usize..)
                .zip(&group.entries)
                .map(|(line, entry)| {
                    let recorded = answers.iter().find(|one| one.entry == entry.entry.id);
                    overlay(entry, format!("{place}.{line}"), recorded, &drafts)
                })
                .collect();
            GroupView { title: group.name, departments, entries }
        })
        .collect())
}

fn drafts(
    reader: &Reader<'_>,
    inspection: InspectionId,
) -> Result<BTreeMap<String, String>, AppError> {
    let rows = reader.draft(&draft_scope(inspection))?;
    Ok(rows.into_iter().map(|row| (row.field, row.value)).collect())
}

fn overlay(
    entry: &MergedEntry,
    number: String,
    recorded: Option<&EntryAnswer>,
    drafts: &BTreeMap<String, String>,
) -> EntryView {
    let key = entry.entry.id.clone();
    let draft = |field: &str| drafts.get(&format!("{key}/{field}"));
    let said = |wanted_reason: bool| {
        recorded
            .filter(|answer| (answer.result == EntryResult::NotChecked) == wanted_reason)
            .map_or_else(String::new, |answer| answer.note.clone())
    };
    let result = draft("result").map_or(recorded.map(|answer| answer.result), |name| named(name));
    let evidence = draft("evidence").map_or_else(
        || recorded.map_or_else(Vec::new, |answer| answer.evidence.clone()),
        |ids| ids.split(',').filter_map(|id| id.parse().ok()).map(EvidenceId).collect(),
    );
    EntryView {
        number,
        text: entry.entry.text.clone(),
        basis: entry.entry.basis.clone(),
        photo_required: entry.entry.photo_required,
        matters: entry.matter_codes.clone(),
        result,
        note: draft("note").cloned().unwrap_or_else(|| said(false)),
        reason: draft("reason").cloned().unwrap_or_else(|| said(true)),
        evidence,
        recorded: recorded.cloned(),
        key,
    }
}

fn named(name: &str) -> Option<EntryResult> {
    match name {
        "pass" => Some(EntryResult::Pass),
        "fail" => Some(EntryResult::Fail),
        "not_checked" => Some(EntryResult::NotChecked),
        _ => None,
    }
}

/// Saves how an entry was found; recorded with the next [`record_pending`].
///
/// # Errors
/// [`AppError::Store`].
pub fn find(
    services: &Services,
    inspection: InspectionId,
    entry: &str,
    result: EntryResult,
) -> Result<(), AppError> {
    let name = match result {
        EntryResult::Pass => "pass",
        EntryResult::Fail => "fail",
        EntryResult::NotChecked => "not_checked",
    };
    let scope = draft_scope(inspection);
    services.store.save_draft(&scope, &format!("{entry}/result"), name)?;
    Ok(())
}

/// Records every answer that is complete and differs from what is on record; returns how many.
///
/// # Errors
/// See [`answer`].
pub fn record_pending(services: &Services, inspection: InspectionId) -> Result<usize, AppError> {
    let groups = services.store.read(|reader| walk(reader, inspection))?;
    let pending: Vec<EntryAnswer> = groups
        .iter()
        .flat_map(|group| &group.entries)
        .filter_map(|entry| entry.complete().filter(|now| entry.recorded.as_ref() != Some(now)))
        .collect();
    let count = pending.len();
    if count > 0 {
        answer(services, inspection, pending)?;
    }
    Ok(count)
}

/// Notes that the next photographs are for this entry.
///
/// # Errors
/// [`AppError::Store`].
pub fn expect_photos(
    services: &Services,
    inspection: InspectionId,
    entry: &str,
) -> Result<(), AppError> {
    let next = services.store.read(|reader| reader.next_evidence_ordinal(inspection))?;
    let scope = draft_scope(inspection);
    services.store.save_draft(&scope, PHOTO_FROM, &next.to_string())?;
    services.store.save_draft(&scope, PHOTO_ENTRY, entry)?;
    Ok(())
}

/// Ties what was captured since [`expect_photos`] to its entry.
///
/// # Errors
/// [`AppError::Store`].
pub fn claim_photos(services: &Services, inspection: InspectionId) -> Result<(), AppError> {
    let (drafts, groups, evidence) = services.store.read(|reader| {
        let walked = walk(reader, inspection)?;
        let rows = reader.evidence_of(inspection)?;
        Ok::<_, AppError>((drafts(reader, inspection)?, walked, rows))
    })?;
    let Some(key) = drafts.get(PHOTO_ENTRY).filter(|key| !key.is_empty()) else { return Ok(()) };
    let from: u32 = drafts.get(PHOTO_FROM).and_then(|text| text.parse().ok()).unwrap_or(u32::MAX);
    let tied = groups.iter().flat_map(|group| &group.entries).find(|entry| entry.key == *key);
    let mut ids = tied.map_or_else(Vec::new, |entry| entry.evidence.clone());
    for row in evidence.iter().filter(|row| row.excluded.is_empty()) {
        if row.captured.ordinal >= from && !ids.contains(&row.captured.evidence) {
            ids.push(row.captured.evidence);
        }
    }
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let scope = draft_scope(inspection);
    services.store.save_draft(&scope, &format!("{key}/evidence"), &ids.join(","))?;
    services.store.save_draft(&scope, PHOTO_ENTRY, "")?;
    Ok(())
}
