//! Projections: what a record changes in the tables that pages read, in the record's transaction.

use rusqlite::Connection;
use sync_model::record::signature::{PageSigned, SignatureRefused};
use sync_model::record::{Act, Record};

use super::sql::{name, signed, to_content};
use crate::error::StoreError;

pub(super) fn project(tx: &Connection, record: &Record, act: &Act) -> Result<(), StoreError> {
    let at = record.envelope.recorded.wall_at.0;
    match act {
        Act::ShiftBegun(body) => {
            tx.prepare_cached("UPDATE shift SET ended_at = :at WHERE ended_at IS NULL")?
                .execute([at])?;
            tx.prepare_cached(
                "INSERT INTO shift (shift, begun_hash, begun_at, content)
                 VALUES (:shift, :begun_hash, :begun_at, :content)",
            )?
            .execute((body.shift.as_bytes(), record.hash.0, at, to_content(body)?))?;
        }
        Act::ShiftEnded(body) => {
            tx.prepare_cached("UPDATE shift SET ended_at = :at WHERE shift = :shift")?
                .execute((at, body.shift.as_bytes()))?;
        }
        Act::AssignmentAccepted(body) => {
            tx.prepare_cached(
                "UPDATE assignment SET state = 'accepted' WHERE assignment = :assignment
                 AND state = 'new'",
            )?
            .execute([body.assignment.as_bytes()])?;
        }
        Act::InspectionBegun(_)
        | Act::CredentialDisplayed(_)
        | Act::NoticeGiven(_)
        | Act::ChecklistAnswered(_)
        | Act::InspectionConcluded(_) => project_inspection(tx, act, at)?,
        Act::EvidenceCaptured(_) | Act::EvidenceExcluded(_) | Act::LeadRecorded(_) => {
            project_evidence(tx, record, act)?;
        }
        Act::TranscriptPrepared(_)
        | Act::TranscriptReadBack(_)
        | Act::TranscriptLocked(_)
        | Act::PageSigned(_)
        | Act::SignatureRefused(_) => project_transcript(tx, record, act)?,
        Act::CaseFiled(_)
        | Act::PriorNoticeGiven(_)
        | Act::DefenseHeard(_)
        | Act::DecisionIssued(_) => project_case(tx, record, act)?,
        Act::NumberReserved(_) | Act::NumberVoided(_) | Act::DocumentDelivered(_) => {
            project_document(tx, act)?;
        }
        Act::DayClosed(_) | Act::ClockStated(_) | Act::Unknown(_) => {}
    }
    Ok(())
}

fn project_inspection(tx: &Connection, act: &Act, at: i64) -> Result<(), StoreError> {
    match act {
        Act::InspectionBegun(body) => {
            tx.prepare_cached(
                "INSERT INTO inspection (inspection, assignment, begun_at, content)
                 VALUES (:inspection, :assignment, :begun_at, :content)",
            )?
            .execute((
                body.inspection.as_bytes(),
                body.assignment.as_bytes(),
                at,
                to_content(body)?,
            ))?;
            tx.prepare_cached(
                "UPDATE assignment SET state = 'under_way' WHERE assignment = :assignment",
            )?
            .execute([body.assignment.as_bytes()])?;
        }
        Act::CredentialDisplayed(body) => {
            tx.prepare_cached(
                "UPDATE inspection SET displayed_at = :at WHERE inspection = :inspection",
            )?
            .execute((at, body.inspection.as_bytes()))?;
        }
        Act::NoticeGiven(body) => {
            tx.prepare_cached(
                "UPDATE inspection SET noticed_at = :at WHERE inspection = :inspection",
            )?
            .execute((at, body.inspection.as_bytes()))?;
        }
        Act::ChecklistAnswered(body) => {
            for answer in &body.answers {
                tx.prepare_cached(
                    "INSERT INTO answer (inspection, entry, content)
                     VALUES (:inspection, :entry, :content)
                     ON CONFLICT (inspection, entry) DO UPDATE SET content = excluded.content",
                )?
                .execute((
                    body.inspection.as_bytes(),
                    &answer.entry,
                    to_content(answer)?,
                ))?;
            }
        }
        Act::InspectionConcluded(body) => {
            tx.prepare_cached(
                "UPDATE inspection SET state = 'concluded', concluded_at = :at
                 WHERE inspection = :inspection",
            )?
            .execute((at, body.inspection.as_bytes()))?;
            tx.prepare_cached(
                "UPDATE assignment SET state = 'done' WHERE assignment =
                 (SELECT assignment FROM inspection WHERE inspection = :inspection)",
            )?
            .execute([body.inspection.as_bytes()])?;
        }
        _ => {}
    }
    Ok(())
}

fn project_evidence(tx: &Connection, record: &Record, act: &Act) -> Result<(), StoreError> {
    let seq = signed(record.envelope.seq);
    match act {
        Act::EvidenceCaptured(body) => {
            tx.prepare_cached(
                "INSERT INTO evidence (evidence, inspection, ordinal, captured_at, seq, content)
                 VALUES (:evidence, :inspection, :ordinal, :captured_at, :seq, :content)",
            )?
            .execute((
                body.evidence.as_bytes(),
                body.inspection.as_ref().map(|id| *id.as_bytes()),
                body.ordinal,
                record.envelope.recorded.wall_at.0,
                seq,
                to_content(body)?,
            ))?;
        }
        Act::EvidenceExcluded(body) => {
            tx.prepare_cached("UPDATE evidence SET excluded = :reason WHERE evidence = :evidence")?
                .execute((&body.reason, body.evidence.as_bytes()))?;
        }
        Act::LeadRecorded(body) => {
            tx.prepare_cached("INSERT INTO lead_note (seq, content) VALUES (:seq, :content)")?
                .execute((seq, to_content(body)?))?;
        }
        _ => {}
    }
    Ok(())
}

fn project_transcript(tx: &Connection, record: &Record, act: &Act) -> Result<(), StoreError> {
    let at = record.envelope.recorded.wall_at.0;
    match act {
        Act::TranscriptPrepared(body) => {
            tx.prepare_cached(
                "INSERT INTO transcript (transcript, document, inspection, revision, state,
                                         prepared_at, content)
                 VALUES (:transcript, :document, :inspection, :revision, 'prepared', :at, :content)
                 ON CONFLICT (transcript) DO UPDATE SET revision = excluded.revision,
                   state = 'prepared', prepared_at = excluded.prepared_at,
                   content = excluded.content",
            )?
            .execute((
                body.transcript.as_bytes(),
                body.document.as_bytes(),
                body.inspection.as_bytes(),
                body.revision,
                at,
                to_content(body)?,
            ))?;
        }
        Act::TranscriptReadBack(body) => {
            tx.prepare_cached(
                "UPDATE transcript SET state = 'read_back' WHERE transcript = :transcript",
            )?
            .execute([body.transcript.as_bytes()])?;
        }
        Act::TranscriptLocked(body) => {
            tx.prepare_cached(
                "UPDATE transcript SET state = 'locked', strength = :strength
                 WHERE transcript = :transcript",
            )?
            .execute((name(&body.strength), body.transcript.as_bytes()))?;
            tx.prepare_cached(
                "INSERT INTO document (document, inspection, title, text, made_at, state)
                 SELECT document, inspection, :title, :text, :at, 'issued' FROM transcript
                 WHERE transcript = :transcript",
            )?
            .execute(locked_params(tx, body, at)?)?;
        }
        Act::PageSigned(body) => put_signed(tx, body, at)?,
        Act::SignatureRefused(body) => put_refused(tx, body, at)?,
        _ => {}
    }
    Ok(())
}

type LockedParams = (String, [u8; 32], i64, [u8; 16]);

/// Returns title and text of the revision that was locked.
fn locked_params(
    tx: &Connection,
    body: &sync_model::record::transcript::TranscriptLocked,
    at: i64,
) -> Result<LockedParams, StoreError> {
    let row = super::Reader::new(tx)
        .transcript(body.transcript)?
        .ok_or(StoreError::BadStored("transcript"))?;
    Ok((row.prepared.title, row.prepared.text.sha256.0, at, *body.transcript.as_bytes()))
}

const INSERT_SIGNATURE: &str = "INSERT INTO signature (document, revision, page, role, name,
                                 refused, signed_at, content)
     VALUES (:document, :revision, :page, :role, :name, :refused, :signed_at, :content)
     ON CONFLICT (document, revision, page, role) DO UPDATE SET name = excluded.name,
       signed_at = excluded.signed_at, content = excluded.content";

fn put_signed(tx: &Connection, body: &PageSigned, at: i64) -> Result<(), StoreError> {
    tx.prepare_cached(INSERT_SIGNATURE)?.execute((
        body.document.as_bytes(),
        body.revision,
        body.page,
        name(&body.role),
        &body.name,
        false,
        at,
        to_content(body)?,
    ))?;
    Ok(())
}

fn put_refused(tx: &Connection, body: &SignatureRefused, at: i64) -> Result<(), StoreError> {
    tx.prepare_cached(INSERT_SIGNATURE)?.execute((
        body.document.as_bytes(),
        body.revision,
        0,
        name(&body.role),
        &body.name,
        true,
        at,
        to_content(body)?,
    ))?;
    Ok(())
}

fn project_case(tx: &Connection, record: &Record, act: &Act) -> Result<(), StoreError> {
    let at = record.envelope.recorded.wall_at.0;
    match act {
        Act::CaseFiled(body) => {
            tx.prepare_cached(
                "INSERT INTO case_file (case_id, inspection, state, filed)
                 VALUES (:case_id, :inspection, 'filed', :filed)
                 ON CONFLICT (case_id) DO UPDATE SET filed = excluded.filed",
            )?
            .execute((
                body.case.as_bytes(),
                body.inspection.as_bytes(),
                to_content(body)?,
            ))?;
        }
        Act::PriorNoticeGiven(body) => {
            tx.prepare_cached(
                "UPDATE case_file SET state = 'noticed', noticed_at = :at, notice = :notice,
                        heard_at = NULL, defense = NULL WHERE case_id = :case_id",
            )?
            .execute((at, to_content(body)?, body.case.as_bytes()))?;
        }
        Act::DefenseHeard(body) => {
            tx.prepare_cached(
                "UPDATE case_file SET state = 'heard', heard_at = :at, defense = :defense
                 WHERE case_id = :case_id",
            )?
            .execute((at, to_content(body)?, body.case.as_bytes()))?;
        }
        Act::DecisionIssued(body) => {
            tx.prepare_cached("UPDATE case_file SET state = 'decided' WHERE case_id = :case_id")?
                .execute([body.case.as_bytes()])?;
            tx.prepare_cached(
                "UPDATE document_number SET state = 'issued' WHERE number = :number",
            )?
            .execute([&body.document_number])?;
            tx.prepare_cached(
                "INSERT INTO document (document, inspection, case_id, title, number, text,
                                       made_at, state)
                 VALUES (:document, :inspection, :case_id, '当场行政处罚决定书', :number, :text,
                         :made_at, 'issued')",
            )?
            .execute((
                body.document.as_bytes(),
                record.envelope.inspection.as_ref().map(|id| *id.as_bytes()),
                body.case.as_bytes(),
                &body.document_number,
                body.text.sha256.0,
                at,
            ))?;
        }
        _ => {}
    }
    Ok(())
}

fn project_document(tx: &Connection, act: &Act) -> Result<(), StoreError> {
    match act {
        Act::NumberReserved(body) => {
            tx.prepare_cached(
                "UPDATE number_lease SET next = MAX(next, :number + 1) WHERE lease = :lease",
            )?
            .execute((signed(body.number), body.lease.as_bytes()))?;
            tx.prepare_cached(
                "INSERT INTO document_number (number, lease, ordinal, document, state)
                 VALUES (:number, :lease, :ordinal, :document, 'reserved')",
            )?
            .execute((
                &body.document_number,
                body.lease.as_bytes(),
                signed(body.number),
                body.document.as_bytes(),
            ))?;
            tx.prepare_cached(
                "UPDATE case_file SET document = :document WHERE case_id = :case_id",
            )?
            .execute((body.document.as_bytes(), body.case.as_bytes()))?;
        }
        Act::NumberVoided(body) => {
            tx.prepare_cached(
                "UPDATE document_number SET state = 'voided', reason = :reason
                 WHERE number = :number",
            )?
            .execute((&body.reason, &body.document_number))?;
            tx.prepare_cached(
                "UPDATE case_file SET document = NULL WHERE document =
                 (SELECT document FROM document_number WHERE number = :number)",
            )?
            .execute([&body.document_number])?;
        }
        Act::DocumentDelivered(body) => {
            tx.prepare_cached(
                "UPDATE document SET state = 'delivered', delivery = :delivery
                 WHERE document = :document",
            )?
            .execute((to_content(body)?, body.document.as_bytes()))?;
        }
        _ => {}
    }
    Ok(())
}
