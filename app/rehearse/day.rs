//! The visit: from accepting the joint assignment to leaving.

use std::path::PathBuf;

use sync_core::store::AssignmentState;
use sync_model::hash::Hash;
use sync_model::id::InspectionId;
use sync_model::record::credential::PartyReaction;
use sync_model::record::evidence::{EvidenceKind, EvidenceOrigin};
use sync_model::record::inspection::{EntryAnswer, EntryResult, MatterResult};
use sync_model::wire::assignment::AssignmentSource;

use super::{Rehearsal, papers};
use crate::assignment;
use crate::credential::{DisplayInput, display};
use crate::device::camera::{Camera, CameraError, FolderCamera};
use crate::error::AppError;
use crate::evidence::{CaptureInput, capture};
use crate::inspection::{
    BeginInput, ConcludeInput, NoticeInput, answer, begin, conclude, give_notice, merged,
};

/// Why warnings about plausible durations are gone past: nobody waits in a rehearsal.
pub(super) const REASON: &str = "演练，时间已压缩";

/// Milliseconds the credentials stand on the screen.
const SHOWN_MS: u64 = 4_000;

pub(super) fn run(rehearsal: &mut Rehearsal<'_>) -> Result<InspectionId, AppError> {
    let inspection = arrive(rehearsal)?;
    let row = rehearsal.services.store.read(|r| r.inspection(inspection))?;
    let row = row.ok_or(AppError::NotFound("inspection"))?;
    if row.concluded_at.is_none() {
        if row.displayed_at.is_none() {
            show_credentials(rehearsal, inspection)?;
        }
        if row.noticed_at.is_none() {
            let reply = "清楚，不申请回避".to_owned();
            let input = NoticeInput { recusal_requested: false, reply };
            give_notice(rehearsal.services, inspection, &input)?;
        }
        rehearsal.step("告知权利义务")?;
        photograph(rehearsal, inspection)?;
        walk(rehearsal, inspection)?;
        papers::scene(rehearsal, inspection)?;
        papers::interview(rehearsal, inspection)?;
        papers::decision(rehearsal, inspection)?;
        leave(rehearsal, inspection)?;
    }
    count(rehearsal, inspection)?;
    Ok(inspection)
}

fn arrive(rehearsal: &mut Rehearsal<'_>) -> Result<InspectionId, AppError> {
    let services = rehearsal.services;
    let list = assignment::list(services)?;
    let joint = list
        .iter()
        .filter(|one| one.assignment.source == AssignmentSource::JointInspection)
        // A resumed rehearsal goes on with the visit it began, not with the next one.
        .min_by_key(|one| one.state == AssignmentState::New)
        .ok_or(AppError::NotFound("joint assignment"))?;
    let id = joint.assignment.assignment;
    if joint.state == AssignmentState::Done {
        let visits = services.store.read(|r| r.inspections())?;
        let visit = visits.iter().find(|visit| visit.begun.assignment == id);
        return Ok(visit.ok_or(AppError::NotFound("inspection"))?.begun.inspection);
    }
    if joint.state == AssignmentState::New {
        assignment::accept(services, id)?;
    }
    rehearsal.step("接收综合查一次任务")?;
    let input = BeginInput {
        on_site_reason: "须现场查看经营场所和消防通道".to_owned(),
        override_reason: REASON.to_owned(),
    };
    let (inspection, _left_out) = begin(services, id, &input)?;
    rehearsal.step("检查开始")?;
    Ok(inspection)
}

fn show_credentials(
    rehearsal: &mut Rehearsal<'_>,
    inspection: InspectionId,
) -> Result<(), AppError> {
    rehearsal.clock.advance_ms(SHOWN_MS);
    let input = DisplayInput {
        shown_ms: SHOWN_MS,
        physical_card_shown: true,
        reaction: PartyReaction::Scanned,
    };
    display(rehearsal.services, inspection, &input)?;
    rehearsal.step("亮证")
}

/// Captures every photograph of the folder that is not captured yet.
fn photograph(rehearsal: &mut Rehearsal<'_>, inspection: InspectionId) -> Result<(), AppError> {
    let services = rehearsal.services;
    let known = |hash| {
        let rows = services.store.read(|r| r.evidence_of(inspection))?;
        Ok::<_, AppError>(rows.iter().any(|row| row.captured.original.sha256 == hash))
    };
    for folder in folders(rehearsal)? {
        let failed = |error: CameraError| AppError::Camera(error.to_string());
        let mut camera = FolderCamera::open(&folder).map_err(failed)?;
        loop {
            let bytes = match camera.capture() {
                Ok(bytes) => bytes,
                Err(CameraError::NothingNew { .. }) => break,
                Err(error) => return Err(failed(error)),
            };
            if known(Hash::of(&bytes))? {
                continue;
            }
            let input = CaptureInput {
                kind: EvidenceKind::AudiovisualMaterial,
                origin: EvidenceOrigin::Captured,
                source: camera.describe(),
                description: "经营场所现场照片".to_owned(),
            };
            match capture(services, inspection, &bytes, &input) {
                Ok(_) => rehearsal.clock.advance_ms(20_000),
                // Told and counted; the file stays where it is and the day goes on.
                Err(AppError::Photo(_)) => rehearsal.report.photos_refused += 1,
                Err(error) => return Err(error),
            }
            rehearsal.tell_committed()?;
        }
    }
    rehearsal.step("取证拍照")
}

/// Returns the photo folder and the folders below it, in name order.
fn folders(rehearsal: &Rehearsal<'_>) -> Result<Vec<PathBuf>, AppError> {
    let mut folders = vec![rehearsal.photos.to_owned()];
    let mut index = 0;
    while let Some(folder) = folders.get(index).cloned() {
        for entry in std::fs::read_dir(folder).map_err(AppError::io("list photographs"))? {
            let path = entry.map_err(AppError::io("list photographs"))?.path();
            if path.is_dir() {
                folders.push(path);
            }
        }
        index += 1;
    }
    folders.sort();
    Ok(folders)
}

/// Answers every entry that has no answer yet: the last one of each group fails, with a photograph.
fn walk(rehearsal: &mut Rehearsal<'_>, inspection: InspectionId) -> Result<(), AppError> {
    let services = rehearsal.services;
    let list = services.store.read(|r| merged(r, inspection))?;
    let answered = services.store.read(|r| r.answers(inspection))?;
    let evidence = services.store.read(|r| r.evidence_of(inspection))?;
    for group in &list.groups {
        let fresh: Vec<EntryAnswer> = group
            .entries
            .iter()
            .filter(|one| answered.iter().all(|given| given.entry != one.entry.id))
            .enumerate()
            .map(|(index, one)| EntryAnswer {
                entry: one.entry.id.clone(),
                matters: one.matter_codes.clone(),
                result: if index == 0 { EntryResult::Fail } else { EntryResult::Pass },
                note: if index == 0 {
                    "现场发现问题，已当场指出".to_owned()
                } else {
                    String::new()
                },
                evidence: evidence.iter().take(1).map(|row| row.captured.evidence).collect(),
            })
            .collect();
        if !fresh.is_empty() {
            answer(services, inspection, fresh)?;
            rehearsal.clock.advance_ms(60_000);
            rehearsal.tell_committed()?;
        }
    }
    rehearsal.step("逐项检查")
}

fn leave(rehearsal: &mut Rehearsal<'_>, inspection: InspectionId) -> Result<(), AppError> {
    let services = rehearsal.services;
    let classes = services.rulebook()?.result_classes;
    let class = classes.iter().find(|class| class.has_problem).or(classes.first());
    let class = class.map_or_else(String::new, |class| class.id.clone());
    let visit = services.store.read(|r| r.inspection(inspection))?;
    let visit = visit.ok_or(AppError::NotFound("inspection"))?;
    let results = visit
        .begun
        .participations
        .iter()
        .flat_map(|part| &part.matters)
        .map(|matter| MatterResult {
            matter: matter.clone(),
            result_class: class.clone(),
            note: "已责令改正".to_owned(),
        })
        .collect();
    let input = ConcludeInput { results, override_reason: REASON.to_owned() };
    conclude(services, inspection, &input)?;
    rehearsal.step("检查结束")
}

/// Counts what is on record, whoever of the interrupted runs made it.
fn count(rehearsal: &mut Rehearsal<'_>, inspection: InspectionId) -> Result<(), AppError> {
    use sync_core::store::{CaseState, DocumentState};
    use sync_model::record::transcript::Strength;
    let store = &rehearsal.services.store;
    let visit = store.read(|r| r.inspection(inspection))?;
    let visit = visit.ok_or(AppError::NotFound("inspection"))?;
    let transcripts = store.read(|r| r.transcripts_of(inspection))?;
    let with = |strength| transcripts.iter().filter(|row| row.strength == Some(strength)).count();
    let report = &mut rehearsal.report;
    let joint = visit.concluded_at.is_some() && visit.begun.participations.len() > 1;
    report.joint_inspections = usize::from(joint);
    report.photos = store.read(|r| r.evidence_of(inspection))?.len();
    report.transcripts_signed = with(Strength::Signed);
    report.transcripts_refused = with(Strength::RefusedAttested);
    let cases = store.read(|r| r.cases_of(inspection))?;
    report.decisions = cases.iter().filter(|case| case.state == CaseState::Decided).count();
    let documents = store.read(|r| r.documents_of(inspection))?;
    report.documents_delivered =
        documents.iter().filter(|row| row.state == DocumentState::Delivered).count();
    Ok(())
}
