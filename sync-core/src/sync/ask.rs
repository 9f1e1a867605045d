//! Requests of the other planes: audit and partner copies use the same client, signed the same way.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sync_model::cose::Signer;
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::wire::push::BlobState;
use sync_model::wire::{HEADER_CHUNK_SHA256, HEADER_LENGTH, HEADER_OFFSET};

use super::http::{Call, HqClient, Method, decode};
use crate::error::SyncError;

/// Sends a canonical body and returns the canonical reply.
pub(crate) fn ask<Q: Serialize, R: DeserializeOwned>(
    client: &HqClient,
    device: Option<DeviceId>,
    key: &dyn Signer,
    path: &str,
    request: &Q,
) -> Result<R, SyncError> {
    client.exchange(device, key, path, request)
}

/// Sends one chunk of a file.
pub(crate) fn ask_chunk(
    client: &HqClient,
    device: DeviceId,
    key: &dyn Signer,
    sha256: &Hash,
    place: (u64, u64),
    chunk: &[u8],
) -> Result<BlobState, SyncError> {
    let (offset, length) = place;
    let mut call = Call::new(Method::Patch, format!("/blobs/{sha256}"), chunk);
    call.headers = vec![
        (HEADER_OFFSET, offset.to_string()),
        (HEADER_LENGTH, length.to_string()),
        (HEADER_CHUNK_SHA256, Hash::of(chunk).hex()),
    ];
    decode(&client.send(Some(device), key, call)?)
}
