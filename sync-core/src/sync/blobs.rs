//! The blob plane: files go up in chunks from where HQ stands; HQ promises only what it has synced.

use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::{BlobState, NeedReply, NeedRequest};
use sync_model::wire::{CHUNK_BYTES, HEADER_CHUNK_SHA256, HEADER_LENGTH, HEADER_OFFSET};

use super::Progress;
use super::http::{Call, HqClient, Method, decode};
use crate::error::{StoreError, SyncError};
use crate::store::Store;

/// Files asked about in one request.
const NEED_MAX: u64 = 500;

pub(super) fn push_blobs(
    store: &Store,
    client: &HqClient,
    progress: &mut Progress,
    watch: &mut dyn FnMut(&Progress),
) -> Result<(), SyncError> {
    let enrollment = store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?;
    let device = enrollment.certificate.device;
    loop {
        let pending = store.read(|r| r.pending_blobs(NEED_MAX))?;
        if pending.is_empty() {
            return Ok(());
        }
        let request = NeedRequest { blobs: pending.iter().map(|blob| blob.sha256).collect() };
        let key = store.device_key();
        let reply: NeedReply = client.exchange(Some(device), key, "/blobs/need", &request)?;
        if reply.blobs.len() != pending.len() {
            return Err(SyncError::Garbage("answer about other files".to_owned()));
        }
        for (blob, state) in pending.iter().zip(&reply.blobs) {
            if blob.sha256 != state.sha256 {
                return Err(SyncError::Garbage("answer about other files".to_owned()));
            }
            push_blob(store, client, device, state, progress, watch)?;
        }
    }
}

fn push_blob(
    store: &Store,
    client: &HqClient,
    device: DeviceId,
    state: &BlobState,
    progress: &mut Progress,
    watch: &mut dyn FnMut(&Progress),
) -> Result<(), SyncError> {
    let sha256 = state.sha256;
    if state.complete {
        progress.blobs += 1;
        return Ok(store.note_blob(&sha256, state.offset, true)?);
    }
    let bytes = match store.blobs().read(&sha256) {
        Ok(bytes) => bytes,
        // Never sent as something it is not: parked, said so, the others go on.
        Err(StoreError::MissingBlob(_)) => {
            return Ok(store.park_blob(&sha256, "本机缺少该文件，请联系总部核查")?);
        }
        Err(StoreError::HashMismatch { .. }) => {
            return Ok(store.park_blob(&sha256, "本机文件已损坏，与取证时不一致")?);
        }
        Err(error) => return Err(error.into()),
    };
    let mut reached = state.clone();
    let mut rewinds = 0;
    while !reached.complete {
        let start = usize::try_from(reached.offset).unwrap_or(usize::MAX);
        let rest = bytes.get(start..).unwrap_or_default();
        let chunk = rest.get(..CHUNK_BYTES).unwrap_or(rest);
        match send_chunk(client, store, device, &sha256, reached.offset, bytes.len(), chunk) {
            Ok(state) => {
                progress.blob_bytes += u64::try_from(chunk.len()).unwrap_or(0);
                reached = state;
            }
            Err(SyncError::Problem(problem)) if problem.code == ProblemCode::BadOffset => {
                // Another round was here at the same time; HQ says where it stands.
                rewinds += 1;
                let offset = problem.expected_offset.filter(|_| rewinds <= 3);
                reached.offset = offset.ok_or(SyncError::Problem(problem))?;
            }
            Err(SyncError::Problem(problem)) if problem.code == ProblemCode::BadDigest => {
                // HQ threw its part away; the file here was just verified, so send it anew.
                rewinds += 1;
                if rewinds > 3 {
                    return Ok(store.park_blob(&sha256, &problem.to_string())?);
                }
                reached.offset = 0;
            }
            Err(SyncError::Problem(problem))
                if matches!(problem.code, ProblemCode::UnknownBlob | ProblemCode::TooLarge) =>
            {
                // HQ will never take it as it is; the others go on.
                return Ok(store.park_blob(&sha256, &problem.to_string())?);
            }
            Err(error) => return Err(error),
        }
        store.note_blob(&sha256, reached.offset, reached.complete)?;
        watch(progress);
    }
    progress.blobs += 1;
    watch(progress);
    Ok(())
}

fn send_chunk(
    client: &HqClient,
    store: &Store,
    device: DeviceId,
    sha256: &Hash,
    offset: u64,
    length: usize,
    chunk: &[u8],
) -> Result<BlobState, SyncError> {
    let mut call = Call::new(Method::Patch, format!("/blobs/{sha256}"), chunk);
    call.headers = vec![
        (HEADER_OFFSET, offset.to_string()),
        (HEADER_LENGTH, length.to_string()),
        (HEADER_CHUNK_SHA256, Hash::of(chunk).hex()),
    ];
    let state: BlobState = decode(&client.send(Some(device), store.device_key(), call)?)?;
    if state.sha256 == *sha256 && (state.complete || state.offset > offset) {
        Ok(state)
    } else {
        Err(SyncError::Garbage("answer about another chunk".to_owned()))
    }
}
