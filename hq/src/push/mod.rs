//! Custody: takes records into the log and answers with a receipt.
//!
//! What can be attributed is taken, whatever it says; what cannot is kept apart. Records, log
//! nodes, citations, admission results and feed items of one push commit together, before the
//! answer. If the power fails before the commit, nothing is there and the device sends again; after
//! it, the device sends again and gets the same places.

pub(crate) mod open;
mod plan;
mod receipt;
mod revoked;

use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::log;
use sync_model::record::{BlobRef, Record};
use sync_model::time::Timestamp;
use sync_model::wire::PUSH_RECORDS_MAX;
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::push::{PushRequest, Receipt};
use sync_model::wire::word::ReceiptWord;

use crate::admit::{Beforehand, Known};
use crate::certify::Standing;
use crate::error::{HqError, refuse};
use crate::hq::{Hq, Inner};
use crate::partner::Added;
use crate::store::{Device, LogNodes, Tx};

use open::Batch;
use plan::Refusal;

/// What came of a push; both outcomes are committed.
pub(crate) enum Outcome {
    Held(Held),
    Refused(Problem),
}

/// Where the records of a push stand.
pub(crate) struct Held {
    /// `(seq, log index)`.
    pub(crate) places: Vec<(u64, u64)>,
    /// Leaves of the log after the push.
    pub(crate) size: u64,
}

impl Hq {
    /// Takes the records in `request` from `device`, which signed it; `asked` is the hash of its
    /// statement.
    ///
    /// # Errors
    /// A problem of the log plane: gap, fork, bad record, too large, revoked.
    pub(crate) fn push(
        &self,
        device: Device,
        request: PushRequest,
        asked: Hash,
    ) -> Result<Receipt, HqError> {
        if request.records.len() > PUSH_RECORDS_MAX {
            return Err(refuse(ProblemCode::TooLarge, "too many records in one push"));
        }
        let now = self.now();
        let (by, seen) = (device.device, request.seen_size);
        let mut batch = open::open(device, request);
        batch.beforehand = Beforehand::of(&self.0.store, &batch.records)?;
        let hq = self.0.clone();
        match self.0.store.write(move |tx| {
            if let Some(seen) = seen {
                hq.watch_growth(tx, by, seen, now)?;
            }
            hq.take(tx, &batch, now)
        })? {
            // After the commit, and beside the writer: proofs need only what is never changed.
            Outcome::Held(held) => {
                let made = self.0.store.read(|tx| self.0.receipt(tx, by, seen, &held, now));
                let mut receipt = made?;
                let word = ReceiptWord::sign(&receipt, by, asked, &self.0.keys.log)?;
                receipt.word = Some(word.into());
                Ok(receipt)
            }
            Outcome::Refused(problem) => {
                tracing::warn!(code = ?problem.code, seq = problem.seq, "push refused");
                Err(problem.into())
            }
        }
    }
}

impl Inner {
    pub(crate) fn take(
        &self,
        tx: &Tx<'_>,
        batch: &Batch,
        now: Timestamp,
    ) -> Result<Outcome, HqError> {
        let device = batch.device.device;
        let mut log = LogNodes::for_append(tx)?;
        // Asked again where it counts: the device may have been revoked since it was let in.
        let (head, revoked_size, old_keys) = tx.together::<_, HqError>(|tx| {
            Ok((tx.head(device)?, tx.revoked_size(device)?, Self::old_keys(tx, device, now)?))
        })?;
        let plan = plan::plan(tx, batch, head, log.size())?;
        if let Some(revoked_size) = revoked_size {
            return self.take_from_revoked(tx, batch, plan, (log.size(), revoked_size), now);
        }
        if batch.device.standing(now) == Standing::Lapsed {
            return self.take_from_revoked(tx, batch, plan, (log.size(), log.size()), now);
        }
        let first = self.append(tx, &mut log, &plan.fresh, &batch.beforehand, now)?;
        self.put_back(tx, &batch.device, &plan.healed, now)?;
        // What is taken before a refusal stands, and partners are told of it all the same.
        let added: Vec<Added<'_>> = plan.fresh.iter().copied().zip(first..).collect();
        self.share(tx, &batch.device, &added, now)?;
        if let Some(refusal) = plan.refusal {
            return self.refuse_rest(tx, &batch.device, refusal, now).map(Outcome::Refused);
        }
        old_keys.iter().try_for_each(|key| self.renew(tx, key, now))?;
        Self::recertify(tx, &batch.device, now)?;
        Ok(Outcome::Held(Held { places: plan.places, size: log.size() }))
    }

    /// Takes records into custody at the next places of the log and judges them; each must follow
    /// the one before it in its chain. Returns the place of the first.
    pub(crate) fn append(
        &self,
        tx: &Tx<'_>,
        log: &mut LogNodes<'_, '_>,
        records: &[&Record],
        beforehand: &Beforehand,
        now: Timestamp,
    ) -> Result<u64, HqError> {
        let leaves = records
            .iter()
            .map(|record| log::leaf(&record.hash, record.envelope.device, record.envelope.seq));
        let first = log.append(leaves)?;
        let placed: Vec<(u64, &Record)> = (first..).zip(records.iter().copied()).collect();
        tx.insert_records(&placed, now)?;
        let cited: Vec<(u64, DeviceId, &BlobRef)> = placed
            .iter()
            .flat_map(|(index, record)| {
                let envelope = &record.envelope;
                envelope.blobs.iter().map(|blob| (*index, envelope.device, blob))
            })
            .collect();
        tx.cite_blobs(&cited)?;
        let known = Known::new(tx, beforehand);
        known.look_up(records)?;
        records.iter().try_for_each(|record| self.admit(&known, record, now))?;
        Ok(first)
    }

    /// Keeps what is not taken and returns what the device is told.
    fn refuse_rest(
        &self,
        tx: &Tx<'_>,
        device: &Device,
        refusal: Refusal<'_>,
        now: Timestamp,
    ) -> Result<Problem, HqError> {
        match refusal {
            Refusal::Gap { expected } => {
                let mut problem =
                    Problem::new(ProblemCode::Gap, "records are missing before these");
                problem.expected_seq = Some(expected);
                Ok(problem)
            }
            // Both versions are kept: the held one stays in the log, this branch stands beside it.
            Refusal::Fork { held, branch } => {
                let mut contradicted = Some(held);
                for record in branch {
                    tx.keep_fork(record, contradicted.take(), now)?;
                }
                let mut problem =
                    Problem::new(ProblemCode::Fork, "another record stands at this seq");
                if let Some(first) = branch.first() {
                    let seq = first.envelope.seq;
                    self.alarm_fork(tx, device.device, seq, (held, first.hash), now)?;
                    problem.seq = Some(seq);
                }
                Ok(problem)
            }
            Refusal::Bad { bytes, seq, reason } => {
                tx.keep_in_quarantine(device.device, bytes, &reason, now)?;
                let mut problem = Problem::new(ProblemCode::BadRecord, &reason);
                problem.seq = Some(seq);
                Ok(problem)
            }
        }
    }
}
