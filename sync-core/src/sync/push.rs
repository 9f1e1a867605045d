//! The log plane: records go up in order, receipts come back and are verified before they count.

use serde_bytes::ByteBuf;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof::Range;
use sync_model::log::{self};
use sync_model::wire::custody::KeptApart;
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::push::{PushRequest, Receipt, ReceiptRun};
use sync_model::wire::word::ReceiptWord;

use super::failure;
use super::growth;
use super::http::HqClient;
use crate::error::{StoreError, SyncError};
use crate::store::{Enrollment, JournalRow, ReceiptRow, Store};

/// Bytes of records in one push: at 9 KB/s one still gets through within the client's patience.
const BATCH_BYTES_MAX: usize = 256 * 1024;

/// Sends a batch; none of it counts before [`keep`]. `seen_size` is the size of the newest log head
/// that will have been seen by then. What the receipt says beside its proofs is
/// vouched for by HQ's signature, or not in it any more.
pub(super) fn send(
    store: &Store,
    client: &HqClient,
    enrollment: &Enrollment,
    batch: &[JournalRow],
    seen_size: Option<u64>,
) -> Result<Receipt, SyncError> {
    let request = PushRequest {
        records: batch.iter().map(|row| ByteBuf::from(row.bytes.clone())).collect(),
        seen_size,
    };
    let device = enrollment.certificate.device;
    let (mut receipt, asked) = client.push(device, store.device_key(), &request)?;
    let open = |word: &ByteBuf| ReceiptWord::open(word, device, asked, &enrollment.trust.log_key);
    let word = receipt.word.as_ref().map(open).transpose();
    let word = word.map_err(|_| SyncError::BadProof("HQ's word in a receipt"))?;
    // On this device may remove originals: whoever strips the signature gains nothing.
    ReceiptWord::settle(word.as_ref(), &mut receipt);
    Ok(receipt)
}

/// Returns the record HQ wants first, if it stands before `batch` and may be sent.
pub(super) fn missing_before(
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

/// Returns the records for the next push: at most `records_max`, from where HQ asked to go on or
/// from the first that waits.
pub(super) fn next_batch(
    store: &Store,
    again_from: Option<u64>,
    records_max: usize,
) -> Result<Vec<JournalRow>, SyncError> {
    let pending = store.read(|r| r.first_pending())?;
    let Some(first) = again_from.or(pending) else { return Ok(vec![]) };
    let count = u64::try_from(records_max).unwrap_or(1);
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

/// Parks the record that HQ names as one it will never take, if it was among those sent; says
/// whether it did.
pub(super) fn park_refused(
    store: &Store,
    error: &SyncError,
    batch: &[JournalRow],
) -> Result<bool, SyncError> {
    if let SyncError::Problem(problem) = error
        && matches!(problem.code, ProblemCode::BadRecord | ProblemCode::Fork)
        && let Some(seq) = problem.seq
        && batch.iter().any(|row| row.seq == seq)
    {
        store.park(seq, &failure::not_taken(problem))?;
        return Ok(true);
    }
    Ok(false)
}

/// Parks the records that HQ, having revoked this device, vouches to keep apart from its log; says
/// whether that was so of any. They need not be sent again, and the reason says where they are.
pub(super) fn park_kept(
    store: &Store,
    problem: &Problem,
    batch: &[JournalRow],
) -> Result<bool, SyncError> {
    let Some(kept) = &problem.kept else { return Ok(false) };
    let enrollment = store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?;
    let kept = KeptApart::open(kept, &enrollment.trust.log_key)
        .map_err(|_| SyncError::BadProof("word for records kept apart"))?;
    let ours = kept.device == enrollment.certificate.device;
    let rows = batch.iter().filter(|row| ours && kept.records.contains(&row.hash));
    let reason = failure::kept_apart(kept.kept_at);
    let mut any = false;
    for row in rows {
        store.park(row.seq, &reason)?;
        any = true;
    }
    Ok(any)
}

/// Verifies a receipt against what was sent and keeps it; returns how many records it brought.
pub(super) fn keep(
    store: &Store,
    client: &HqClient,
    enrollment: &Enrollment,
    batch: &[JournalRow],
    receipt: &Receipt,
) -> Result<u64, SyncError> {
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
