//! Leaving: everything answered or excused, a result for every matter.

use sync_core::store::{Reader, TranscriptState};
use sync_model::id::InspectionId;
use sync_model::record::Record;
use sync_model::record::inspection::{EntryResult, InspectionConcluded, MatterResult};
use sync_model::record::transcript::TranscriptKind;
use sync_model::rule::Finding;
use sync_model::rule::inspection::{Answer, ConcludeFacts, EntryFacts, check_conclude};

use super::{checklist, guard};
use crate::error::{AppError, Input, judge};
use crate::services::{Services, rulebook};

/// What the officers say when leaving.
#[derive(Clone, Debug, Default)]
pub struct ConcludeInput {
    /// Per matter, a result class of the rulebook.
    pub results: Vec<MatterResult>,
    /// Reason for going past warnings; empty if there are none.
    pub override_reason: String,
}

/// Concludes the visit.
///
/// # Errors
/// [`AppError::Blocked`] with what is missing, [`AppError::NeedsReason`], [`AppError::Input`] if a
/// matter has no result.
pub fn conclude(
    services: &Services,
    inspection: InspectionId,
    input: &ConcludeInput,
) -> Result<Record, AppError> {
    let scope = services.scope(Some(inspection), None);
    services.store.act(&scope, |reader, moment| {
        let (visit, _) =
            guard::require_display(reader, inspection, &scope.officers, moment.wall_at)?;
        let chosen = |code: &String| input.results.iter().any(|one| one.matter == *code);
        // Each department owns the result of its own matters; none is left out.
        if !visit.begun.participations.iter().flat_map(|part| &part.matters).all(chosen) {
            return Err(AppError::Input(Input::Empty("每个事项的检查结果")));
        }
        let findings = missing(reader, inspection, &input.results)?;
        let overrides = judge(findings, &input.override_reason)?;
        Ok(InspectionConcluded {
            inspection,
            results: input.results.clone(),
            departed_at: moment.wall_at,
            overrides,
        }
        .into())
    })
}

/// Returns what still stands in the way of leaving, once for each result class that was chosen.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::NoRulebook`].
pub fn missing(
    reader: &Reader<'_>,
    inspection: InspectionId,
    results: &[MatterResult],
) -> Result<Vec<Finding>, AppError> {
    let rulebook = rulebook(reader)?;
    let entries = entry_facts(reader, inspection)?;
    let transcript_locked = reader.transcripts_of(inspection)?.iter().any(|row| {
        row.prepared.kind == TranscriptKind::Scene && row.state == TranscriptState::Locked
    });
    let mut classes: Vec<Option<String>> =
        results.iter().map(|result| Some(result.result_class.clone())).collect();
    classes.dedup();
    if classes.is_empty() {
        classes.push(None);
    }
    let mut findings: Vec<Finding> = Vec::new();
    for result_class in classes {
        let facts = ConcludeFacts { entries: entries.clone(), result_class, transcript_locked };
        for finding in check_conclude(&facts, &rulebook) {
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    findings.extend(not_handed_over(reader, inspection)?);
    Ok(findings)
}

/// A decision on the spot is handed over on the spot.
// 《行政处罚法》第五十二条: 行政处罚决定书应当当场交付当事人.
fn not_handed_over(
    reader: &Reader<'_>,
    inspection: InspectionId,
) -> Result<Option<Finding>, AppError> {
    let documents = reader.documents_of(inspection)?;
    let open = documents.iter().find(|row| row.case.is_some() && row.delivery.is_none());
    Ok(open.map(|row| {
        let message = format!("{}还没有交付当事人，请当场交付并签收，拒绝签收的注明", row.number);
        Finding::block("S7", "《行政处罚法》第五十二条", message)
    }))
}

fn entry_facts(reader: &Reader<'_>, inspection: InspectionId) -> Result<Vec<EntryFacts>, AppError> {
    let answers = reader.answers(inspection)?;
    let list = checklist::merged(reader, inspection)?;
    let entries = list.groups.iter().flat_map(|group| &group.entries);
    Ok(entries
        .map(|one| {
            let given = answers.iter().find(|answer| answer.entry == one.entry.id);
            EntryFacts {
                entry_id: one.entry.id.clone(),
                text: one.entry.text.clone(),
                photo_required: one.entry.photo_required,
                answer: given.map(|answer| match answer.result {
                    EntryResult::Pass => Answer::Conforms,
                    EntryResult::Fail => Answer::Problem { description: answer.note.clone() },
                    EntryResult::NotChecked => Answer::NotChecked { reason: answer.note.clone() },
                }),
                photos: given
                    .map_or(0, |answer| u32::try_from(answer.evidence.len()).unwrap_or(u32::MAX)),
            }
        })
        .collect())
}
