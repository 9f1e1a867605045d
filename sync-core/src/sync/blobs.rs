//! The blob plane: files go up in chunks from where HQ stands; HQ promises only what it has synced.

use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::wire::push::{BlobState, NeedReply, NeedRequest};
use sync_model::wire::{HEADER_CHUNK_SHA256, HEADER_LENGTH, HEADER_OFFSET};

use super::http::{Call, HqClient, Method, decode};
use super::machine::Request;
use crate::error::SyncError;
use crate::store::Store;

/// Asks where HQ stands with `files`.
pub(super) fn ask(
    store: &Store,
    client: &HqClient,
    device: DeviceId,
    files: &[Hash],
) -> Result<Vec<BlobState>, SyncError> {
    let request = NeedRequest { blobs: files.to_vec() };
    let reply: NeedReply =
        client.exchange(Some(device), store.device_key(), "/blobs/need", &request)?;
    if reply.blobs.iter().map(|state| &state.sha256).eq(files) {
        Ok(reply.blobs)
    } else {
        Err(SyncError::Garbage("answer about other files".to_owned()))
    }
}

/// Sends one chunk. Before the first byte of a file goes, the whole of it is checked; later chunks
/// are not: HQ checks the whole again at the end.
pub(super) fn send_chunk(
    store: &Store,
    client: &HqClient,
    device: DeviceId,
    request: &Request,
) -> Result<BlobState, SyncError> {
    let Request::Chunk { file, offset, bytes, whole } = request else {
        return Err(SyncError::Garbage("own request: no chunk".to_owned()));
    };
    if *offset == 0 {
        store.blobs().check(file, *whole)?;
    }
    let chunk = store.blobs().read_part(file, *offset, *bytes)?;
    let mut call = Call::new(Method::Patch, format!("/blobs/{file}"), &chunk);
    call.headers = vec![
        (HEADER_OFFSET, offset.to_string()),
        (HEADER_LENGTH, whole.to_string()),
        (HEADER_CHUNK_SHA256, Hash::of(&chunk).hex()),
    ];
    let state: BlobState = decode(&client.send(Some(device), store.device_key(), call)?)?;
    let further = state.offset > *offset && state.offset <= *whole;
    if state.sha256 == *file && (state.complete || further) {
        Ok(state)
    } else {
        Err(SyncError::Garbage("answer about another chunk".to_owned()))
    }
}

/// Fetches a whole file that HQ holds and checks it against its name.
pub(super) fn fetch(
    store: &Store,
    client: &HqClient,
    device: DeviceId,
    sha256: &Hash,
) -> Result<Vec<u8>, SyncError> {
    let call = Call::new(Method::Get, format!("/blobs/{sha256}"), &[]);
    let reply = client.send(Some(device), store.device_key(), call)?;
    if Hash::of(&reply.body) == *sha256 {
        Ok(reply.body)
    } else {
        Err(SyncError::Garbage("another file came".to_owned()))
    }
}
