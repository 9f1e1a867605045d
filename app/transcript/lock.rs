//! Locking: the rules look at the whole, both officers' keys sign it, it never changes again.

use sync_core::store::{Reader, TranscriptRow, TranscriptState};
use sync_model::canonical;
use sync_model::cose::{self, Context, CoseError};
use sync_model::hash::Hash;
use sync_model::id::{DocumentId, OfficerId, TranscriptId};
use sync_model::record::signature::{
    OfficerSignature, OfficerStatement, SignatureRefused, SignerRole,
};
use sync_model::record::transcript::{Strength, TranscriptLocked};
use sync_model::record::{Act, Record};
use sync_model::rule::transcript::{
    self as rule, OtherTranscript, PageFacts, PageSignature, PartyOutcome, ReadBack, RecusalReply,
    SignatureRefusal, TranscriptFacts, check_lock,
};
use sync_model::time::{TimeQuality, Timestamp};

use crate::document::content::Content;
use crate::error::{AppError, Step, judge};
use crate::inspection::order_time;
use crate::services::{Services, rulebook};

/// Largest structured content of a document.
const CONTENT_BYTES_MAX: usize = 1024 * 1024;

/// What the officers say when locking.
#[derive(Clone, Debug, Default)]
pub struct LockInput {
    /// Whether the person is under 18.
    pub is_minor: bool,
    /// Guardian or other adult, or why nobody came.
    pub guardian_note: Option<String>,
    /// Drunk, confused or otherwise in doubt.
    pub capacity_doubt: bool,
    /// Reason for going past warnings; empty if there are none.
    pub override_reason: String,
}

/// Locks a transcript.
///
/// # Errors
/// [`AppError::Blocked`] with what is missing, [`AppError::NeedsReason`], [`AppError::Order`].
pub fn lock(
    services: &Services,
    transcript: TranscriptId,
    input: &LockInput,
) -> Result<Record, AppError> {
    let row = services.store.read(|r| r.transcript(transcript))?;
    let row = row.ok_or(AppError::NotFound("transcript"))?;
    let prepared = row.prepared.clone();
    let content = read_content(services, &prepared.content.sha256)?;
    let others = others(services, &row)?;
    let officers = services.session().officer_ids();
    let statement = Statement {
        document: prepared.document,
        revision: prepared.revision,
        content: prepared.content.sha256,
        pages: &prepared.pages,
    };
    let officer_signatures = officers_sign(services, &officers, &statement)?;
    let scope = services.scope(Some(prepared.inspection), None);
    services.store.act(&scope, |reader, moment| {
        let row = reader.transcript(transcript)?.ok_or(AppError::NotFound("transcript"))?;
        if row.state == TranscriptState::Locked {
            return Err(AppError::Order(Step::Locked));
        }
        if row.prepared != prepared {
            return Err(AppError::PageChanged);
        }
        let mut facts = facts(reader, &row, &content, &officers, input)?;
        facts.others = others;
        let strength = strength(&facts.outcome);
        let policies = rulebook(reader)?.policies;
        let now = order_time(reader, prepared.inspection, moment.wall_at)?;
        judge(check_lock(&facts, &policies, now), &input.override_reason)?;
        Ok(TranscriptLocked {
            transcript,
            revision: prepared.revision,
            content: prepared.content.sha256,
            pages: prepared.pages.clone(),
            strength,
            officer_signatures,
        }
        .into())
    })
}

/// What officers sign.
pub(crate) struct Statement<'a> {
    pub(crate) document: DocumentId,
    pub(crate) revision: u32,
    pub(crate) content: Hash,
    pub(crate) pages: &'a [Hash],
}

/// Returns each unlocked officer's signature over a document.
pub(crate) fn officers_sign(
    services: &Services,
    officers: &[OfficerId],
    statement: &Statement<'_>,
) -> Result<Vec<OfficerSignature>, AppError> {
    let payload = canonical::to_bytes(&OfficerStatement {
        document: statement.document,
        revision: statement.revision,
        content: statement.content,
        pages: statement.pages.to_vec(),
    })
    .map_err(CoseError::from)?;
    let session = services.session();
    officers
        .iter()
        .map(|officer| {
            let one = session.find(*officer).ok_or(AppError::NotFound("officer"))?;
            let statement = cose::sign(Context::OfficerAct, &payload, &one.key)?;
            Ok(OfficerSignature { officer: *officer, statement })
        })
        .collect()
}

fn strength(outcome: &PartyOutcome) -> Strength {
    match outcome {
        PartyOutcome::Signs => Strength::Signed,
        PartyOutcome::Refuses(refusal) if refusal.witness.is_some() || refusal.recorded => {
            Strength::RefusedAttested
        }
        PartyOutcome::Absent { witness: Some(_), .. } => Strength::RefusedAttested,
        PartyOutcome::Refuses(_) | PartyOutcome::Absent { .. } => Strength::Weak,
    }
}

fn facts(
    reader: &Reader<'_>,
    row: &TranscriptRow,
    content: &Content,
    officers: &[OfficerId],
    input: &LockInput,
) -> Result<TranscriptFacts, AppError> {
    let prepared = &row.prepared;
    let visit = reader.inspection(prepared.inspection)?.ok_or(AppError::NotFound("inspection"))?;
    let seen = acts_on(reader, row)?;
    let span = span(content).ok_or(AppError::NotFound("transcript content"))?;
    // No pages are made before the display; once the clock is in doubt, that order decides.
    let displayed_at = match visit.displayed_at {
        Some(at) if seen.in_doubt => Some(at.min(span.started_at)),
        at => at,
    };
    Ok(TranscriptFacts {
        kind: span.kind,
        started_at: Some(span.started_at),
        ended_at: Some(span.ended_at),
        asker: officers.first().copied(),
        recorder: officers.get(1).copied(),
        officer_ids: officers.to_vec(),
        displayed_at,
        rights_told_at: visit.noticed_at,
        recusal: seen.recusal,
        read_back: seen.read_back,
        closing_words: seen.closing_words,
        pages: seen.pages,
        officer_signatures: officer_facts(&seen.officer_signed, officers),
        outcome: seen.refusal.map_or(PartyOutcome::Signs, PartyOutcome::Refuses),
        interviewee: span.interviewee,
        is_minor: input.is_minor,
        guardian_note: input.guardian_note.clone(),
        capacity_doubt: input.capacity_doubt,
        others: vec![],
    })
}

#[derive(Default)]
struct Seen {
    recusal: Option<RecusalReply>,
    read_back: Option<ReadBack>,
    closing_words: bool,
    pages: Vec<PageFacts>,
    refusal: Option<SignatureRefusal>,
    officer_signed: Vec<(SignerRole, Timestamp)>,
    in_doubt: bool,
}

/// Reads the visit's records for what happened to this revision.
fn acts_on(reader: &Reader<'_>, row: &TranscriptRow) -> Result<Seen, AppError> {
    let prepared = &row.prepared;
    let mut seen = Seen {
        pages: (1_u32..)
            .zip(&prepared.pages)
            .map(|(number, hash)| PageFacts { number, page_hash: *hash, party_signature: None })
            .collect(),
        ..Seen::default()
    };
    let mut at = Timestamp(i64::MIN);
    for journal in reader.records_of(prepared.inspection)? {
        let record = journal.record()?;
        let recorded = &record.envelope.recorded;
        // What is later on record is later, also if the clock fell back in between.
        at = at.max(recorded.wall_at);
        seen.in_doubt |= recorded.quality == TimeQuality::Suspect;
        match record.envelope.act() {
            Act::NoticeGiven(body) => {
                seen.recusal = Some(if body.recusal_requested {
                    RecusalReply::Requested { reason: body.reply }
                } else {
                    RecusalReply::NotRequested
                });
            }
            Act::TranscriptReadBack(body)
                if body.transcript == prepared.transcript && body.revision == prepared.revision =>
            {
                use sync_model::record::transcript::ReadBackWay;
                let read_aloud = body.way == ReadBackWay::ReadAloud;
                seen.read_back = Some(ReadBack { at, read_aloud });
                seen.closing_words = !body.closing_words.is_empty();
            }
            _ => {}
        }
        note_signature(&mut seen, &record, row, at);
    }
    Ok(seen)
}

fn note_signature(seen: &mut Seen, record: &Record, row: &TranscriptRow, at: Timestamp) {
    let prepared = &row.prepared;
    match record.envelope.act() {
        Act::PageSigned(body)
            if body.document == prepared.document && body.revision == prepared.revision =>
        {
            match body.role {
                SignerRole::FirstOfficer | SignerRole::SecondOfficer => {
                    seen.officer_signed.push((body.role, at));
                }
                SignerRole::Party | SignerRole::PersonPresent => {
                    let page = seen.pages.iter_mut().find(|page| page.number == body.page);
                    if let Some(page) = page {
                        page.party_signature =
                            Some(PageSignature { at, page_hash: body.page_hash });
                    }
                }
                _ => {}
            }
        }
        Act::SignatureRefused(body)
            if body.document == prepared.document && body.revision == prepared.revision =>
        {
            seen.refusal = Some(refusal(&body, at));
        }
        _ => {}
    }
}

fn refusal(body: &SignatureRefused, at: Timestamp) -> SignatureRefusal {
    SignatureRefusal {
        at,
        reason: body.reason.clone(),
        witness: body.witness.as_ref().map(|witness| witness.name.clone()),
        recorded: body.recording.is_some(),
    }
}

/// The first officer's hand belongs to the first unlocked officer, the second's to the second.
fn officer_facts(
    signed: &[(SignerRole, Timestamp)],
    officers: &[OfficerId],
) -> Vec<rule::OfficerSignature> {
    signed
        .iter()
        .filter_map(|(role, at)| {
            let index = usize::from(*role == SignerRole::SecondOfficer);
            let officer_id = *officers.get(index)?;
            Some(rule::OfficerSignature { officer_id, at: *at })
        })
        .collect()
}

/// How many visits back an overlap is looked for on the device; HQ looks at all of them.
const VISITS_LOOKED_AT: usize = 20;

/// Returns the stretches of time that other locked transcripts on this device cover.
fn others(services: &Services, row: &TranscriptRow) -> Result<Vec<OtherTranscript>, AppError> {
    let mut found = Vec::new();
    let visits = services.store.read(|r| r.inspections())?;
    for visit in visits.into_iter().take(VISITS_LOOKED_AT) {
        let inspection = visit.begun.inspection;
        let locked = services.store.read(|r| r.records_of_kind(inspection, "transcript_locked"))?;
        for journal in locked {
            let record = journal.record()?;
            let Act::TranscriptLocked(body) = record.envelope.act() else { continue };
            if body.transcript == row.prepared.transcript {
                continue;
            }
            let Some(span) = span(&read_content(services, &body.content)?) else { continue };
            found.push(OtherTranscript {
                kind: span.kind,
                title: span.title.to_owned(),
                started_at: span.started_at,
                ended_at: span.ended_at,
                officer_ids: record.envelope.officers,
                interviewee: span.interviewee,
                same_visit: inspection == row.prepared.inspection,
            });
        }
    }
    Ok(found)
}

struct Span {
    kind: rule::TranscriptKind,
    title: &'static str,
    started_at: Timestamp,
    ended_at: Timestamp,
    interviewee: Option<String>,
}

fn span(content: &Content) -> Option<Span> {
    let (kind, started_at, ended_at, interviewee) = match content {
        Content::Interview(body) => (
            rule::TranscriptKind::Interview,
            body.started_at,
            body.ended_at,
            Some(body.interviewee.name.clone()),
        ),
        Content::Scene(body) => (rule::TranscriptKind::Scene, body.started_at, body.ended_at, None),
        _ => return None,
    };
    Some(Span { kind, title: content.title(), started_at, ended_at, interviewee })
}

pub(super) fn read_content(services: &Services, content: &Hash) -> Result<Content, AppError> {
    let bytes = services.store.blobs().read(content)?;
    Ok(canonical::from_bytes(&bytes, CONTENT_BYTES_MAX).map_err(CoseError::from)?)
}
