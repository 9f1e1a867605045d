//! The log plane: records go up in order, receipts come back and are verified before they count.

use serde_bytes::ByteBuf;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof::Range;
use sync_model::log::{self};
use sync_model::wire::PUSH_RECORDS_MAX;
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::{PushRequest, Receipt, ReceiptRun};

use super::Progress;
use super::growth;
use super::http::HqClient;
use crate::error::{StoreError, SyncError};
use crate::store::{Enrollment, JournalRow, ReceiptRow, Store};

/// Bytes of records in one push: at 9 KB/s one still gets through within the client's patience.
const BATCH_BYTES_MAX: usize = 256 * 1024;

/// Pushes all pending records; an empty push when there are none, so that HQ's log head, clock and
/// feed head are always learnt. Returns the last receipt.
pub(super) fn push(
    store: &Store,
    client: &HqClient,
    progress: &mut Progress,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Receipt, SyncError> {
    let enrollment = store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?;
    // Where HQ asked to go on, if it does not hold what it once receipted; at most once a round.
    let (mut again_from, mut rewound) = (None, false);
    loop {
        let waiting = store.read(|r| r.outbox_counts())?.pending;
        progress.records_waiting = waiting;
        watch(progress);
        let mut batch = next_batch(store, again_from)?;
        if batch.is_empty() && again_from.take().is_some() {
            batch = next_batch(store, None)?;
        }
        let request = PushRequest {
            records: batch.iter().map(|row| ByteBuf::from(row.bytes.clone())).collect(),
            seen_size: store.read(|r| r.log_head())?.map(|head| head.size),
        };
        let device = Some(enrollment.certificate.device);
        let receipt = match client.exchange(device, store.device_key(), "/push", &request) {
            Ok(receipt) => receipt,
            Err(error) => match missing_before(store, &error, &batch)? {
                Some(seq) if !rewound => {
                    (again_from, rewound) = (Some(seq), true);
                    continue;
                }
                _ => {
                    park_refused(store, &error)?;
                    return Err(error);
                }
            },
        };
        keep(store, client, &enrollment, &batch, &receipt)?;
        let left = store.read(|r| r.outbox_counts())?.pending;
        progress.records += waiting.saturating_sub(left);
        again_from = again_from.and(batch.last()).map(|row| row.seq.saturating_add(1));
        if again_from.is_some() {
            continue;
        }
        if batch.is_empty() || left == 0 {
            progress.records_waiting = left;
            watch(progress);
            return Ok(receipt);
        }
        if left >= waiting {
            return Err(SyncError::BadProof("receipt covers none of the records sent"));
        }
    }
}

/// Returns the record HQ wants first, if it stands before `batch` and may be sent.
fn missing_before(
    store: &Store,
    error: &SyncError,
    batch: &[JournalRow],
) -> Result<Option<u64>, SyncError> {
    let SyncError::Problem(problem) = error else { return Ok(None) };
    let (Some(seq), Some(first)) = (problem.expected_seq, batch.first()) else { return Ok(None) };
    if problem.code != ProblemCode::Gap || seq == 0 || seq >= first.seq {
        return Ok(None);
    }
    let parked = store.read(|r| r.first_parked_from(seq))?;
    Ok(Some(seq).filter(|seq| parked.is_none_or(|parked| parked > *seq)))
}

fn next_batch(store: &Store, again_from: Option<u64>) -> Result<Vec<JournalRow>, SyncError> {
    let pending = store.read(|r| r.first_pending())?;
    let Some(first) = again_from.or(pending) else { return Ok(vec![]) };
    let count = u64::try_from(PUSH_RECORDS_MAX).unwrap_or(1);
    let mut rows = store.read(|r| r.records_from(first, count))?;
    // HQ named a parked record as one it will not take: what stands before it goes without it.
    if let Some(parked) = store.read(|r| r.first_parked_from(first))? {
        rows.retain(|row| row.seq < parked);
    }
    let mut bytes = 0;
    let fitting = rows
        .iter()
        .take_while(|row| {
            bytes += row.bytes.len() + 8;
            bytes <= BATCH_BYTES_MAX
        })
        .count();
    // One record is far smaller than a batch, so a batch is never empty for its size.
    rows.truncate(fitting.max(1));
    Ok(rows)
}

/// Parks the record that HQ names as one it will never take.
fn park_refused(store: &Store, error: &SyncError) -> Result<(), SyncError> {
    if let SyncError::Problem(problem) = error
        && matches!(problem.code, ProblemCode::BadRecord | ProblemCode::Fork)
        && let Some(seq) = problem.seq
    {
        store.park(seq, &problem.to_string())?;
    }
    Ok(())
}

/// Verifies a receipt against what was sent and keeps it.
fn keep(
    store: &Store,
    client: &HqClient,
    enrollment: &Enrollment,
    batch: &[JournalRow],
    receipt: &Receipt,
) -> Result<(), SyncError> {
    let trust = &enrollment.trust;
    let checkpoint = Checkpoint::open(&receipt.checkpoint, &trust.log_origin, &trust.log_key)
        .map_err(|_| SyncError::BadProof("checkpoint"))?;
    growth::check(store, client, enrollment, &checkpoint, receipt.consistency.as_deref())?;
    let mut rows = Vec::new();
    for run in &receipt.runs {
        rows.extend(verify_run(enrollment, batch, receipt, &checkpoint, run)?);
    }
    Ok(store.keep_receipts(&receipt.checkpoint, &checkpoint, &rows)?)
}

fn verify_run(
    enrollment: &Enrollment,
    batch: &[JournalRow],
    receipt: &Receipt,
    checkpoint: &Checkpoint,
    run: &ReceiptRun,
) -> Result<Vec<ReceiptRow>, SyncError> {
    const NOT_SENT: SyncError = SyncError::BadProof("receipt for records that were not sent");
    let skip = batch.iter().position(|row| row.seq == run.first_seq).ok_or(NOT_SENT)?;
    let count = usize::try_from(run.count).map_err(|_| NOT_SENT)?;
    let sent: Vec<&JournalRow> = batch.iter().skip(skip).take(count).collect();
    if sent.len() != count {
        return Err(NOT_SENT);
    }
    let device = enrollment.certificate.device;
    let leaves: Vec<_> = sent.iter().map(|row| log::leaf(&row.hash, device, row.seq)).collect();
    let range = Range::build(run.log_index, &leaves, checkpoint.size, &run.proof)
        .ok_or(SyncError::BadProof("range proof"))?;
    if range.root() != Some(checkpoint.root) {
        return Err(SyncError::BadProof("range proof leads to another root"));
    }
    (run.log_index..)
        .zip(sent)
        .map(|(log_index, row)| {
            let proof = range.inclusion(log_index).ok_or(SyncError::BadProof("inclusion proof"))?;
            Ok(ReceiptRow {
                seq: row.seq,
                log_index,
                checkpoint: receipt.checkpoint.clone(),
                proof,
                received_at: receipt.received_at,
            })
        })
        .collect()
}
