//! Custody: takes records into the log and answers with a receipt.
//!
//! What can be attributed is taken, whatever it says; what cannot is kept apart. Records, log
//! nodes, citations, admission results and feed items of one push commit together, before the
//! answer. If the power fails before the commit, nothing is there and the device sends again; after
//! it, the device sends again and gets the same places.

use sync_model::canonical;
use sync_model::chain::{ChainError, Head};
use sync_model::hash::Hash;
use sync_model::log::{self, proof};
use sync_model::record::Record;
use sync_model::time::Timestamp;
use sync_model::wire::audit::ChainHead;
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::push::{PushRequest, Receipt, ReceiptRun};
use sync_model::wire::{PUSH_BYTES_MAX, PUSH_RECORDS_MAX};

use crate::error::{HqError, refuse};
use crate::hq::{Hq, Inner};
use crate::store::{Device, LogNodes, Tx};

/// Most files that one receipt asks for.
const WANTED_MAX: u32 = 1000;

/// A push after everything that needs no store.
struct Batch {
    device: Device,
    records: Vec<Record>,
    /// Size of the log that the device has seen.
    seen_size: Option<u64>,
    /// The first element that is not a record of this device, with the reason.
    unattributable: Option<(Vec<u8>, String)>,
}

/// What came of a push; both outcomes are committed.
enum Outcome {
    Held(Box<Receipt>),
    Refused(Problem),
}

/// Where the records of this push stand: `(seq, log index)`.
type Places = Vec<(u64, u64)>;

impl Hq {
    /// Takes the records in `body` from `device`, which signed the request.
    ///
    /// # Errors
    /// A problem of the log plane: gap, fork, bad record, too large, malformed, revoked.
    pub(crate) fn push(&self, device: Device, body: &[u8]) -> Result<Receipt, HqError> {
        let request: PushRequest = canonical::from_bytes(body, PUSH_BYTES_MAX)
            .map_err(|error| refuse(ProblemCode::Malformed, &error.to_string()))?;
        if request.records.len() > PUSH_RECORDS_MAX {
            return Err(refuse(ProblemCode::TooLarge, "too many records in one push"));
        }
        let now = self.now();
        if device.revoked_at.is_some() {
            return self.keep_from_revoked(device, request, now);
        }
        let batch = open(device, request);
        let hq = self.0.clone();
        match self.0.store.write(move |tx| hq.take(tx, &batch, now))? {
            Outcome::Held(receipt) => Ok(*receipt),
            Outcome::Refused(problem) => {
                tracing::warn!(code = ?problem.code, seq = problem.seq, "push refused");
                Err(problem.into())
            }
        }
    }

    /// Revocation ends the authority to send, not the duty to keep evidence.
    fn keep_from_revoked(
        &self,
        device: Device,
        request: PushRequest,
        now: Timestamp,
    ) -> Result<Receipt, HqError> {
        self.0.store.write::<_, HqError, _>(move |tx| {
            for bytes in &request.records {
                tx.keep_in_quarantine(device.device, bytes, "device was revoked", now)?;
            }
            Ok(())
        })?;
        Err(refuse(ProblemCode::Revoked, "device was revoked"))
    }
}

/// Opens every record up to the first that is not one of this device.
fn open(device: Device, request: PushRequest) -> Batch {
    let mut batch =
        Batch { device, records: Vec::new(), seen_size: request.seen_size, unattributable: None };
    for bytes in request.records {
        let opened = Record::open(&bytes, &batch.device.key).map_err(|error| error.to_string());
        let reason = match opened {
            Ok(record) if record.envelope.device == batch.device.device => {
                batch.records.push(record);
                continue;
            }
            Ok(_) => "record names another device".to_owned(),
            Err(reason) => reason,
        };
        batch.unattributable = Some((bytes.into_vec(), reason));
        break;
    }
    batch
}

impl Inner {
    fn take(&self, tx: &Tx<'_>, batch: &Batch, now: Timestamp) -> Result<Outcome, HqError> {
        let device = &batch.device;
        let mut log = LogNodes::open(tx)?;
        let mut head =
            tx.head(device.device)?.unwrap_or_else(|| Head::genesis(&device.certificate));
        let mut places = Places::with_capacity(batch.records.len());
        for (position, record) in batch.records.iter().enumerate() {
            let seq = record.envelope.seq;
            if let Some((last, _)) = places.last()
                && seq != last.saturating_add(1)
            {
                return Ok(Outcome::Refused(gap(last.saturating_add(1))));
            }
            if seq <= head.seq
                && let Some(held) = tx.record_at(device.device, seq)?
            {
                if held.hash != record.hash {
                    let rest = batch.records.get(position..).unwrap_or_default();
                    return self.keep_fork(tx, rest, held.hash, now);
                }
                places.push((seq, held.log_index));
                continue;
            }
            head = match head.follow(&record.envelope, record.hash) {
                Ok(head) => head,
                Err(ChainError::Seq { expected, found }) if found > expected => {
                    return Ok(Outcome::Refused(gap(expected)));
                }
                Err(error) => {
                    return refuse_record(tx, device, &record.bytes, seq, &error.to_string(), now);
                }
            };
            places.push((seq, self.append(tx, &mut log, record, now)?));
        }
        if let Some((bytes, reason)) = &batch.unattributable {
            let seq = places.last().map_or(head.seq, |(seq, _)| *seq).saturating_add(1);
            return refuse_record(tx, device, bytes, seq, reason, now);
        }
        self.renew_credentials(tx, device.device, now)?;
        self.receipt(tx, batch, &log, &places, now).map(Box::new).map(Outcome::Held)
    }

    fn append(
        &self,
        tx: &Tx<'_>,
        log: &mut LogNodes<'_, '_>,
        record: &Record,
        now: Timestamp,
    ) -> Result<u64, HqError> {
        let envelope = &record.envelope;
        let index = log.append(log::leaf(&record.hash, envelope.device, envelope.seq))?;
        tx.insert_records(&[(index, record)], now)?;
        for blob in &envelope.blobs {
            tx.cite_blob(envelope.device, blob, index)?;
        }
        self.admit(tx, record, now)?;
        Ok(index)
    }

    /// Keeps both versions: the held one stays in the log, this branch stands beside it.
    fn keep_fork(
        &self,
        tx: &Tx<'_>,
        branch: &[Record],
        held: Hash,
        now: Timestamp,
    ) -> Result<Outcome, HqError> {
        let mut contradicted = Some(held);
        for record in branch {
            tx.keep_fork(record, contradicted.take(), now)?;
        }
        let mut problem = Problem::new(ProblemCode::Fork, "another record stands at this seq");
        problem.seq = branch.first().map(|record| record.envelope.seq);
        Ok(Outcome::Refused(problem))
    }

    fn receipt(
        &self,
        tx: &Tx<'_>,
        batch: &Batch,
        log: &LogNodes<'_, '_>,
        places: &Places,
        now: Timestamp,
    ) -> Result<Receipt, HqError> {
        let mut runs: Vec<ReceiptRun> = Vec::new();
        for (seq, log_index) in places {
            match runs.last_mut() {
                Some(run) if run.log_index.saturating_add(run.count) == *log_index => {
                    run.count = run.count.saturating_add(1);
                }
                _ => runs.push(ReceiptRun {
                    first_seq: *seq,
                    count: 1,
                    log_index: *log_index,
                    proof: Vec::new(),
                }),
            }
        }
        for run in &mut runs {
            run.proof = proof::range(log, run.log_index, run.count, log.size())?;
        }
        Ok(Receipt {
            checkpoint: self.checkpoint(log)?,
            runs,
            received_at: now,
            feed_head: tx.feed_head(batch.device.device)?,
            wanted: tx.wanted(batch.device.device, WANTED_MAX)?,
            // A device that saw a longer log gets no proof, and finds out that this one went back.
            consistency: batch
                .seen_size
                .filter(|seen| *seen <= log.size())
                .map(|seen| proof::consistency(log, seen, log.size()))
                .transpose()?,
            archived_seq: 0,
            policy: None,
            chain_head: tx
                .head(batch.device.device)?
                .map(|head| ChainHead { seq: head.seq, hash: head.hash }),
        })
    }
}

fn gap(expected: u64) -> Problem {
    let mut problem = Problem::new(ProblemCode::Gap, "records are missing before these");
    problem.expected_seq = Some(expected);
    problem
}

fn refuse_record(
    tx: &Tx<'_>,
    device: &Device,
    bytes: &[u8],
    seq: u64,
    reason: &str,
    now: Timestamp,
) -> Result<Outcome, HqError> {
    tx.keep_in_quarantine(device.device, bytes, reason, now)?;
    let mut problem = Problem::new(ProblemCode::BadRecord, reason);
    problem.seq = Some(seq);
    Ok(Outcome::Refused(problem))
}
