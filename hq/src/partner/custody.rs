//! Records that a device brings on behalf of another: a lost device's day arrives all the same.
//!
//! The signature of the original device decides whose they are, and its chain where they stand. The
//! bringer gets the receipt and may bring the files. What does not follow yet waits, and is counted
//! as held when the day is checked.

use serde_bytes::ByteBuf;
use sync_model::canonical;
use sync_model::id::DeviceId;
use sync_model::record::Record;
use sync_model::time::Timestamp;
use sync_model::wire::partner::CustodyRequest;
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::{PushRequest, Receipt};
use sync_model::wire::{PUSH_BYTES_MAX, PUSH_RECORDS_MAX};

use crate::admit::Beforehand;
use crate::error::{HqError, refuse};
use crate::hq::{Hq, Inner};
use crate::push::Outcome;
use crate::push::open::{Batch, open};
use crate::store::{Device, Tx};

/// Most waiting records that one request lets follow.
const EARLY_MAX: usize = 2_000;

impl Hq {
    /// Takes records of another device's chain from `by`, which signed the request.
    ///
    /// # Errors
    /// As a push: gap, fork, bad record, too large, malformed; not found for a device that is not
    /// enrolled here, revoked for one that was withdrawn (its records are kept in quarantine).
    pub(crate) fn take_custody(&self, by: &Device, body: &[u8]) -> Result<Receipt, HqError> {
        let request: CustodyRequest = canonical::from_bytes(body, PUSH_BYTES_MAX)
            .map_err(|error| refuse(ProblemCode::Malformed, &error.to_string()))?;
        if request.records.len() > PUSH_RECORDS_MAX {
            return Err(refuse(ProblemCode::TooLarge, "too many records in one push"));
        }
        if request.device == by.device {
            return Err(refuse(ProblemCode::Malformed, "own records go by push"));
        }
        let origin = self.0.store.read::<_, HqError>(|tx| Ok(tx.device(request.device)?))?;
        let origin = origin.ok_or_else(|| refuse(ProblemCode::NotFound, "no such device"))?;
        let (now, by) = (self.now(), by.device);
        if origin.revoked_at.is_some() {
            return self.keep_brought_by(origin.device, by, request.records, now);
        }
        let request = PushRequest { records: request.records, seen_size: None };
        let (asked, mut batch) = (origin.device, open(origin, request));
        batch.beforehand = Beforehand::of(&self.0.store, &batch.records)?;
        let hq = self.0.clone();
        let outcome =
            self.0.store.write::<_, HqError, _>(move |tx| hq.take_brought(tx, &batch, by, now))?;
        match outcome {
            Outcome::Held(held) => {
                self.0.store.read(|tx| self.0.receipt(tx, asked, None, &held, now))
            }
            Outcome::Refused(problem) => Err(problem.into()),
        }
    }

    fn keep_brought_by(
        &self,
        origin: DeviceId,
        by: DeviceId,
        records: Vec<ByteBuf>,
        now: Timestamp,
    ) -> Result<Receipt, HqError> {
        let reason = format!("device was revoked; brought by {by}");
        self.0.store.write::<_, HqError, _>(move |tx| {
            for bytes in &records {
                tx.keep_in_quarantine(origin, bytes, &reason, now)?;
            }
            Ok(())
        })?;
        Err(refuse(ProblemCode::Revoked, "device was revoked; records are kept apart"))
    }
}

impl Inner {
    fn take_brought(
        &self,
        tx: &Tx<'_>,
        batch: &Batch,
        by: DeviceId,
        now: Timestamp,
    ) -> Result<Outcome, HqError> {
        let held = tx.head(batch.device.device)?.map_or(0, |head| head.seq);
        let outcome = self.take(tx, batch, now)?;
        match &outcome {
            Outcome::Held(_) => {
                for record in &batch.records {
                    self.note_brought(tx, record, held, by, now)?;
                }
                self.let_follow(tx, &batch.device, now)?;
            }
            Outcome::Refused(problem) if problem.code == ProblemCode::Gap => {
                // They are authentic: kept until what is before them comes, from whoever has it.
                for record in batch.records.iter().filter(|one| one.envelope.seq > held) {
                    tx.keep_early(record, by, now)?;
                    self.keep_statement(tx, record)?;
                }
            }
            Outcome::Refused(_) => {}
        }
        Ok(outcome)
    }

    /// Notes who brought a record that was not held before, and lets him bring its files.
    fn note_brought(
        &self,
        tx: &Tx<'_>,
        record: &Record,
        held: u64,
        by: DeviceId,
        now: Timestamp,
    ) -> Result<(), HqError> {
        if record.envelope.seq > held {
            tx.note_custody(&record.hash, by, now)?;
        }
        let seq = record.envelope.seq;
        for (_, stored) in tx.records_at(record.envelope.device, seq, seq)? {
            let blobs = record.envelope.blobs.iter();
            let cited: Vec<_> = blobs.map(|blob| (stored.log_index, by, blob)).collect();
            tx.cite_blobs(&cited)?;
        }
        Ok(())
    }

    /// Takes waiting records that follow now.
    fn let_follow(&self, tx: &Tx<'_>, device: &Device, now: Timestamp) -> Result<(), HqError> {
        for _ in 0..EARLY_MAX {
            let Some(head) = tx.head(device.device)? else { return Ok(()) };
            let next = head.seq.saturating_add(1);
            let mut followed = false;
            for (bytes, by) in tx.early_at(device.device, next)? {
                let Ok(record) = Record::open(&bytes, &device.key) else { continue };
                if record.envelope.previous != head.hash {
                    continue;
                }
                let batch = Batch {
                    device: device.clone(),
                    records: vec![record.clone()],
                    unattributable: None,
                    beforehand: Beforehand::default(),
                };
                self.take(tx, &batch, now)?;
                self.note_brought(tx, &record, head.seq, by, now)?;
                followed = true;
                break;
            }
            if !followed {
                return Ok(());
            }
        }
        Ok(())
    }
}
