//! The one write path: record, chain link, projection and outbox row in one transaction.

use rusqlite::{Connection, TransactionBehavior};
use sync_model::chain::Head;
use sync_model::hash::Hash;
use sync_model::id::{CaseId, InspectionId, OfficerId, RecordId};
use sync_model::record::shift::ClockStated;
use sync_model::record::{Act, BlobRef, ENVELOPE_VERSION, Envelope, Record, raw_act};
use sync_model::time::{Moment, TimeQuality};

use super::sql::{Reader, forget_meta, name, set_meta, signed, to_content};
use super::{StopKind, Store, lock, project};
use crate::clock::Reading;
use crate::error::StoreError;
use crate::random;

/// A wall clock that falls back further than this within one boot is not believed any more.
const BACKWARD_STEP_MS: i64 = 2_000;
/// How long a comparison with HQ's clock is good for.
const SYNCED_FOR_MS: i64 = 24 * 3600 * 1000;

/// What an act belongs to.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The unlocked officers.
    pub officers: Vec<OfficerId>,
    /// The visit.
    pub inspection: Option<InspectionId>,
    /// The case.
    pub case: Option<CaseId>,
}

impl Store {
    /// Does what `decide` says happened, given the state it sees; returns the record.
    ///
    /// `decide` runs inside the transaction, so what it saw is still true when the act commits.
    /// When this returns `Ok`, the act survives any crash.
    ///
    /// # Errors
    /// What `decide` returns, or [`StoreError`]; nothing was written then.
    pub fn act<E: From<StoreError>>(
        &self,
        scope: &Scope,
        decide: impl FnOnce(&Reader<'_>, Moment) -> Result<Act, E>,
    ) -> Result<Record, E> {
        let reading = self.clock.now();
        let mut connection = lock(&self.writer);
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::from)?;
        let (moment, jump) = judge_time(&Reader::new(&tx), reading)?;
        if let Some(statement) = jump {
            // The last comparison with HQ says nothing about the clock as it stands now.
            forget_meta(&tx, "synced_at")?;
            self.append(&tx, scope, moment, &statement.into())?;
        }
        let act = decide(&Reader::new(&tx), moment)?;
        let record = self.append(&tx, scope, moment, &act)?;
        // If the power fails here, none of it happened; one line later, all of it did.
        tx.commit().map_err(StoreError::from)?;
        Ok(record)
    }

    fn append(
        &self,
        tx: &Connection,
        scope: &Scope,
        moment: Moment,
        act: &Act,
    ) -> Result<Record, StoreError> {
        let reader = Reader::new(tx);
        let (device, certificate) = self.own(&reader)?;
        if let Some(stop) = reader.chain_stop()?.filter(|stop| stop.kind == StopKind::Restored) {
            return Err(StoreError::ChainStopped(stop));
        }
        let head = reader.head()?.unwrap_or_else(|| Head::genesis(&certificate));
        let blobs = cited(act);
        for blob in &blobs {
            // A record may only cite what is durable already.
            if !self.blobs.contains(&blob.sha256) {
                return Err(StoreError::MissingBlob(blob.sha256));
            }
        }
        let envelope = Envelope {
            version: ENVELOPE_VERSION,
            record: RecordId::new(moment.wall_at.0, &random::bytes()),
            device,
            seq: head.seq.saturating_add(1),
            previous: head.hash,
            recorded: moment,
            hq_seen: reader.log_head()?,
            rulebook: reader.rulebook_hash()?,
            inspection: scope.inspection,
            visit_previous: reader.visit_head(scope.inspection)?,
            case: scope.case,
            officers: scope.officers.clone(),
            blobs,
            salt: random::bytes(),
            act: raw_act(act).map_err(sync_model::record::RecordError::Canonical)?,
        };
        let record = Record::seal(envelope, &self.device_key)?;
        insert(tx, &record)?;
        project::project(tx, &record, act)?;
        Ok(record)
    }
}

fn insert(tx: &Connection, record: &Record) -> Result<(), StoreError> {
    let envelope = &record.envelope;
    let seq = signed(envelope.seq);
    tx.prepare_cached(
        "INSERT INTO journal (seq, hash, record, kind, inspection, recorded_at, bytes)
         VALUES (:seq, :hash, :record, :kind, :inspection, :recorded_at, :bytes)",
    )?
    .execute((
        seq,
        record.hash.0,
        envelope.record.as_bytes(),
        &envelope.act.kind,
        envelope.inspection.as_ref().map(InspectionId::as_bytes),
        envelope.recorded.wall_at.0,
        &record.bytes,
    ))?;
    tx.prepare_cached("INSERT INTO outbox (seq) VALUES (:seq)")?.execute([seq])?;
    for blob in &envelope.blobs {
        // Cited again after HQ archived it: it lies here again, and is kept for this record's time.
        tx.prepare_cached(
            "INSERT INTO blob (sha256, bytes, media, role, seq)
             VALUES (:sha256, :bytes, :media, :role, :seq)
             ON CONFLICT (sha256) DO UPDATE
               SET seq = excluded.seq, archived_at = NULL, deleted_at = NULL
               WHERE archived_at IS NOT NULL OR deleted_at IS NOT NULL",
        )?
        .execute((
            blob.sha256.0,
            signed(blob.bytes),
            &blob.media,
            name(&blob.role),
            seq,
        ))?;
    }
    set_meta(tx, "last_moment", &to_content(&envelope.recorded)?)
}

/// Returns the files an act cites.
fn cited(act: &Act) -> Vec<BlobRef> {
    match act {
        Act::EvidenceCaptured(body) => {
            let derived = body.thumbnail.iter().chain(&body.watermarked);
            std::iter::once(&body.original).chain(derived).cloned().collect()
        }
        Act::TranscriptPrepared(body) => vec![body.content.clone(), body.text.clone()],
        Act::DecisionIssued(body) => vec![body.content.clone(), body.text.clone()],
        _ => vec![],
    }
}

/// Returns the moment to state, and a statement if the clock fell back since the last act.
fn judge_time(
    reader: &Reader<'_>,
    reading: Reading,
) -> Result<(Moment, Option<ClockStated>), StoreError> {
    let last: Option<Moment> = reader.last_moment()?;
    let synced_at = reader.synced_at()?;
    let fell_back = last.filter(|last| {
        let passed = if last.boot == reading.boot {
            i64::try_from(reading.mono_ms.saturating_sub(last.mono_ms)).unwrap_or(i64::MAX)
        } else {
            0
        };
        reading.wall_at.since_ms(last.wall_at) < passed.saturating_sub(BACKWARD_STEP_MS)
    });
    // Once in doubt, the clock stays in doubt until it has been compared with HQ again.
    let doubted =
        last.is_some_and(|last| last.quality == TimeQuality::Suspect) && synced_at.is_none();
    let quality = if fell_back.is_some() || doubted {
        TimeQuality::Suspect
    } else if synced_at.is_some_and(|at| (0..SYNCED_FOR_MS).contains(&reading.wall_at.since_ms(at)))
    {
        TimeQuality::ServerSynced
    } else {
        TimeQuality::RtcOnly
    };
    let moment =
        Moment { wall_at: reading.wall_at, mono_ms: reading.mono_ms, boot: reading.boot, quality };
    let statement = fell_back.filter(|_| !doubted).map(|last| ClockStated {
        before_at: last.wall_at,
        after_at: reading.wall_at,
        statement: "终端时钟回拨，此后时间存疑，以记录顺序为准".to_owned(),
    });
    Ok((moment, statement))
}

impl Reader<'_> {
    /// Returns the hash of the newest record of a visit.
    pub(super) fn visit_head(
        &self,
        inspection: Option<InspectionId>,
    ) -> Result<Option<Hash>, StoreError> {
        let Some(inspection) = inspection else { return Ok(None) };
        self.first(
            "SELECT hash FROM journal WHERE inspection = :inspection ORDER BY seq DESC LIMIT 1",
            [inspection.as_bytes()],
            |row| super::sql::hash(row, "hash"),
        )
    }
}
