//! What is to be done with a push: what is new, what is held already, where the rest stops.

use sync_model::chain::{ChainError, Head};
use sync_model::hash::Hash;
use sync_model::record::Record;

use super::open::Batch;
use crate::error::HqError;
use crate::heal;
use crate::store::{StoredRecord, Tx};

/// What is to be done with a push, before anything is done.
pub(super) struct Plan<'b> {
    /// `(seq, log index)` of each record up to the refusal.
    pub(super) places: Vec<(u64, u64)>,
    /// Records that are new; their places follow one another from the end of the log.
    pub(super) fresh: Vec<&'b Record>,
    /// Records that HQ once held at these places of the log and lost.
    pub(super) healed: Vec<(u64, &'b Record)>,
    /// Why the rest is not taken.
    pub(super) refusal: Option<Refusal<'b>>,
}

/// Why the rest of a push is not taken.
pub(super) enum Refusal<'b> {
    /// Records before it are missing.
    Gap {
        /// Where to go on.
        expected: u64,
    },
    /// Another record stands at its place.
    Fork {
        /// The record that stands there.
        held: Hash,
        /// This push from there on.
        branch: &'b [Record],
    },
    /// It is no record of the device, or does not follow the one before it.
    Bad {
        /// As it was sent.
        bytes: &'b [u8],
        /// Where it would stand.
        seq: u64,
        /// What is wrong.
        reason: String,
    },
}

/// Decides what of the push is new, what is held already and where the rest stops; `head` is the
/// end of the device's chain. Nothing is stored.
pub(super) fn plan<'b>(
    tx: &Tx<'_>,
    batch: &'b Batch,
    head: Option<Head>,
    log_size: u64,
) -> Result<Plan<'b>, HqError> {
    let device = &batch.device;
    let mut head = head.unwrap_or_else(|| Head::genesis(&device.certificate));
    let mut held = held_already(tx, batch, head.seq)?.into_iter().peekable();
    let mut plan =
        Plan { places: Vec::new(), fresh: Vec::new(), healed: Vec::new(), refusal: None };
    for (position, record) in batch.records.iter().enumerate() {
        let seq = record.envelope.seq;
        if let Some((last, _)) = plan.places.last()
            && seq != last.saturating_add(1)
        {
            plan.refusal = Some(Refusal::Gap { expected: last.saturating_add(1) });
            return Ok(plan);
        }
        if let Some((_, held)) = held.next_if(|(held, _)| *held == seq) {
            if held.hash != record.hash {
                let branch = batch.records.get(position..).unwrap_or_default();
                plan.refusal = Some(Refusal::Fork { held: held.hash, branch });
                return Ok(plan);
            }
            plan.places.push((seq, held.log_index));
            continue;
        }
        if seq <= head.seq
            && let Some(index) = heal::place(tx, device, record, log_size)?
        {
            plan.places.push((seq, index));
            plan.healed.push((index, record));
            continue;
        }
        head = match head.follow(&record.envelope, record.hash) {
            Ok(head) => head,
            Err(ChainError::Seq { expected, found }) if found > expected => {
                plan.refusal = Some(Refusal::Gap { expected });
                return Ok(plan);
            }
            Err(error) => {
                let reason = error.to_string();
                plan.refusal = Some(Refusal::Bad { bytes: &record.bytes, seq, reason });
                return Ok(plan);
            }
        };
        let before = u64::try_from(plan.fresh.len()).unwrap_or(u64::MAX);
        plan.places.push((seq, log_size.saturating_add(before)));
        plan.fresh.push(record);
    }
    if let Some((bytes, reason)) = &batch.unattributable {
        let seq = plan.places.last().map_or(head.seq, |(seq, _)| *seq).saturating_add(1);
        plan.refusal = Some(Refusal::Bad { bytes, seq, reason: reason.clone() });
    }
    Ok(plan)
}

/// Returns what the device's chain holds where the records of the push want to stand.
fn held_already(
    tx: &Tx<'_>,
    batch: &Batch,
    head_seq: u64,
) -> Result<Vec<(u64, StoredRecord)>, HqError> {
    let Some(first) = batch.records.first().map(|record| record.envelope.seq) else {
        return Ok(Vec::new());
    };
    if first > head_seq {
        return Ok(Vec::new());
    }
    let count = u64::try_from(batch.records.len()).unwrap_or(u64::MAX);
    let last = first.saturating_add(count.saturating_sub(1)).min(head_seq);
    Ok(tx.records_at(batch.device.device, first, last)?)
}
