//! Brings a partner's records and small files to HQ on his behalf.
//!
//! HQ decides by the partner's own signatures; its receipt is verified here like one for own
//! records. What HQ will not take from here is parked with its reason and never blocks the rest.

use serde::Serialize;
use serde_bytes::ByteBuf;
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof::Range;
use sync_model::log::{self};
use sync_model::wire::CHUNK_BYTES;
use sync_model::wire::partner::{COPY_BYTES_MAX, CustodyRequest};
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::push::{NeedReply, NeedRequest, Receipt};

use crate::error::{StoreError, SyncError};
use crate::store::{Enrollment, PartnerRow, Store};
use crate::sync::{HqClient, ask, ask_chunk};

/// Records in one request.
const BATCH_RECORDS: u64 = 200;
/// Files asked about in one request.
const FILES: u64 = 100;

/// What was brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Brought {
    /// Records of partners that HQ receipted.
    pub records: u64,
    /// Records that HQ will not take from here, now parked with its reason.
    pub parked: u64,
    /// Small files of partners now at HQ.
    pub files: u64,
}

/// Brings what partners' copies HQ does not hold yet. Does nothing, and asks nothing, without any.
///
/// # Errors
/// [`SyncError`]; what was brought before stays brought.
pub fn bring(store: &Store, client: &HqClient) -> Result<Brought, SyncError> {
    let mut brought = Brought::default();
    let Some(enrollment) = store.read(|r| r.enrollment())? else { return Ok(brought) };
    loop {
        let batch = next_batch(store)?;
        let Some(first) = batch.first() else { break };
        let request = CustodyRequest {
            device: first.device,
            records: batch.iter().map(|row| ByteBuf::from(row.bytes.clone())).collect(),
        };
        let device = Some(enrollment.certificate.device);
        match ask::<_, Receipt>(client, device, store.device_key(), "/partner", &request) {
            Ok(receipt) => {
                let held = verify(store, &enrollment, &batch, &receipt)?;
                if held.is_empty() {
                    return Err(SyncError::BadProof("receipt covers none of the records sent"));
                }
                store.note_brought(&held)?;
                brought.records =
                    brought.records.saturating_add(u64::try_from(held.len()).unwrap_or(0));
            }
            Err(SyncError::Problem(problem)) if !problem.is_transient() => {
                let parked = park(store, &batch, &problem)?;
                brought.parked = brought.parked.saturating_add(parked);
            }
            Err(error) => return Err(error),
        }
    }
    brought.files = bring_files(store, client, &enrollment)?;
    Ok(brought)
}

fn next_batch(store: &Store) -> Result<Vec<PartnerRow>, SyncError> {
    let mut rows = store.read(|r| r.to_bring(BATCH_RECORDS))?;
    // Contiguous, so that one receipt covers it.
    let (mut bytes, mut next) = (0_usize, None);
    let fitting = rows
        .iter()
        .take_while(|row| {
            bytes = bytes.saturating_add(row.bytes.len());
            let follows = next.is_none_or(|next| next == row.seq);
            next = Some(row.seq.saturating_add(1));
            follows && bytes <= COPY_BYTES_MAX
        })
        .count();
    rows.truncate(fitting.max(1));
    Ok(rows)
}

/// Parks what HQ will not take: the record it names, or all of them where it names none.
fn park(store: &Store, batch: &[PartnerRow], problem: &Problem) -> Result<u64, SyncError> {
    let reason = match problem.code {
        // HQ keeps them apart until what is before them arrives from whoever has it.
        ProblemCode::Gap => "搭档此前的记录尚未到达总部，总部已另行保存".to_owned(),
        ProblemCode::Revoked => "搭档终端已注销，总部已另行保存".to_owned(),
        _ => problem.to_string(),
    };
    let named = batch.iter().filter(|row| problem.seq.is_none_or(|seq| row.seq >= seq));
    let mut parked = 0;
    for row in named {
        store.park_brought(&row.hash, &reason)?;
        parked += 1;
    }
    if parked == 0 { Err(SyncError::Problem(problem.clone())) } else { Ok(parked) }
}

/// Verifies a receipt for a partner's records; returns each record with its place in the log.
fn verify(
    store: &Store,
    enrollment: &Enrollment,
    batch: &[PartnerRow],
    receipt: &Receipt,
) -> Result<Vec<(Hash, u64)>, SyncError> {
    const NOT_SENT: SyncError = SyncError::BadProof("receipt for records that were not sent");
    let trust = &enrollment.trust;
    let checkpoint = Checkpoint::open(&receipt.checkpoint, &trust.log_origin, &trust.log_key)
        .map_err(|_| SyncError::BadProof("checkpoint"))?;
    if let Some(seen) = store.read(|r| r.log_head())? {
        let forked = checkpoint.size == seen.size && checkpoint.root != seen.root;
        if checkpoint.size < seen.size || forked {
            return Err(SyncError::BadProof("checkpoint contradicts one seen before"));
        }
    }
    let mut held = Vec::new();
    for run in &receipt.runs {
        let skip = batch.iter().position(|row| row.seq == run.first_seq).ok_or(NOT_SENT)?;
        let count = usize::try_from(run.count).map_err(|_| NOT_SENT)?;
        let sent: Vec<&PartnerRow> = batch.iter().skip(skip).take(count).collect();
        if sent.len() != count {
            return Err(NOT_SENT);
        }
        let leaves: Vec<Hash> =
            sent.iter().map(|row| log::leaf(&row.hash, row.device, row.seq)).collect();
        let range = Range::build(run.log_index, &leaves, checkpoint.size, &run.proof)
            .ok_or(SyncError::BadProof("range proof"))?;
        if range.root() != Some(checkpoint.root) {
            return Err(SyncError::BadProof("range proof leads to another root"));
        }
        held.extend(sent.iter().map(|row| row.hash).zip(run.log_index..));
    }
    Ok(held)
}

fn bring_files(
    store: &Store,
    client: &HqClient,
    enrollment: &Enrollment,
) -> Result<u64, SyncError> {
    let device = enrollment.certificate.device;
    let mut brought: u64 = 0;
    loop {
        let files = store.read(|r| r.partner_files(true, FILES))?;
        if files.is_empty() {
            return Ok(brought);
        }
        let request = NeedRequest { blobs: files.iter().map(|file| file.sha256).collect() };
        let key = store.device_key();
        let reply: NeedReply = ask(client, Some(device), key, "/blobs/need", &request)?;
        for (file, state) in files.iter().zip(&reply.blobs) {
            if file.sha256 != state.sha256 {
                return Err(SyncError::Garbage("answer about other files".to_owned()));
            }
            let sent = state.complete || send(store, client, device, &file.sha256, state.offset)?;
            // Not wanted by HQ, or gone here: either way there is nothing more to do for it.
            store.note_partner_file(&file.sha256, true)?;
            brought = brought.saturating_add(u64::from(sent));
        }
        if reply.blobs.len() != files.len() {
            return Err(SyncError::Garbage("answer about other files".to_owned()));
        }
    }
}

/// Sends a small file from `offset` on; says whether HQ holds it whole now.
fn send(
    store: &Store,
    client: &HqClient,
    device: sync_model::id::DeviceId,
    sha256: &Hash,
    mut offset: u64,
) -> Result<bool, SyncError> {
    let bytes = match store.blobs().read(sha256) {
        Ok(bytes) => bytes,
        Err(StoreError::MissingBlob(_) | StoreError::HashMismatch { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    loop {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = bytes.get(start..).unwrap_or_default();
        let chunk = rest.get(..CHUNK_BYTES).unwrap_or(rest);
        let place = (offset, length);
        match ask_chunk(client, device, store.device_key(), sha256, place, chunk) {
            Ok(state) if state.complete => return Ok(true),
            Ok(state) if state.sha256 == *sha256 && state.offset > offset => offset = state.offset,
            Ok(_) => return Err(SyncError::Garbage("answer about another chunk".to_owned())),
            Err(SyncError::Problem(problem)) if !problem.is_transient() => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}
