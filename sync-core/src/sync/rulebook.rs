//! Fetches rulebooks that the feed names: as what changed since the newest one here, or whole.
//!
//! The hash is in a signed item; whatever a cache or HQ sends is checked against it before use.

use std::io::Read as _;

use sync_model::canonical;
use sync_model::cose::{self, Context};
use sync_model::hash::Hash;
use sync_model::wire::feed::{FeedBody, FeedItem, FeedPage, RulebookName};
use sync_model::wire::{FEED_BYTES_MAX, HEADER_FROM, RULEBOOK_WINDOW_LOG};

use super::http::{Call, HqClient, Method};
use crate::error::SyncError;
use crate::store::{Enrollment, Store};

/// Returns the canonical bytes of every rulebook that the page names and this device has not.
///
/// # Errors
/// [`SyncError::BadProof`] if HQ sends another rulebook than the one it names.
pub(super) fn fetch_named(
    store: &Store,
    client: &HqClient,
    enrollment: &Enrollment,
    page: &FeedPage,
) -> Result<Vec<Vec<u8>>, SyncError> {
    let cursor = store.read(|r| r.feed_cursor())?;
    let mut fetched = Vec::new();
    for bytes in &page.items {
        let payload = cose::verify(Context::Feed, bytes, &enrollment.trust.feed_key)
            .map_err(|_| SyncError::BadProof("feed item"))?;
        // What this program cannot read is kept as unknown when the page is put to use.
        let Ok(item) = canonical::from_bytes::<FeedItem>(&payload, FEED_BYTES_MAX) else {
            continue;
        };
        let FeedBody::RulebookNamed(name) = item.body else { continue };
        if item.index > cursor && store.read(|r| r.rulebook_bytes(&name.hash))?.is_none() {
            fetched.push(fetch(store, client, enrollment, &name)?);
        }
    }
    Ok(fetched)
}

fn fetch(
    store: &Store,
    client: &HqClient,
    enrollment: &Enrollment,
    name: &RulebookName,
) -> Result<Vec<u8>, SyncError> {
    if let Some(from) = store.read(|r| r.rulebook_hash())? {
        let path = format!("/rulebook/{}?from={from}", name.hash);
        let found = ask(store, client, enrollment, path, name)?;
        if let Some(bytes) = found {
            return Ok(bytes);
        }
        tracing::warn!("a rulebook's difference does not fit; the whole is fetched");
    }
    let whole = ask(store, client, enrollment, format!("/rulebook/{}", name.hash), name)?;
    whole.ok_or(SyncError::BadProof("rulebook is not the one that was named"))
}

/// Returns the rulebook if what HQ sends makes the one that is named.
fn ask(
    store: &Store,
    client: &HqClient,
    enrollment: &Enrollment,
    path: String,
    name: &RulebookName,
) -> Result<Option<Vec<u8>>, SyncError> {
    let device = Some(enrollment.certificate.device);
    let reply = client.send(device, store.device_key(), Call::new(Method::Get, path, &[]))?;
    let older = match reply.header(HEADER_FROM).map(Hash::from_hex) {
        None => Some(Vec::new()),
        Some(from) => {
            from.map(|from| store.read(|r| r.rulebook_bytes(&from))).transpose()?.flatten()
        }
    };
    let unpacked = older.and_then(|older| unpack(&reply.body, &older, name.bytes));
    Ok(unpacked.filter(|bytes| Hash::of(bytes) == name.hash))
}

/// Returns what `packed` makes of `older`, if that has `length` bytes; reads no more than that.
fn unpack(packed: &[u8], older: &[u8], length: u64) -> Option<Vec<u8>> {
    if length > u64::try_from(FEED_BYTES_MAX).ok()? {
        return None;
    }
    let mut decoder = zstd::stream::read::Decoder::with_ref_prefix(packed, older).ok()?;
    decoder.window_log_max(RULEBOOK_WINDOW_LOG).ok()?;
    let mut bytes = Vec::new();
    decoder.take(length.saturating_add(1)).read_to_end(&mut bytes).ok()?;
    (u64::try_from(bytes.len()) == Ok(length)).then_some(bytes)
}
