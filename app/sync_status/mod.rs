//! 同步: what waits, what HQ has receipted, what is parked and why; and doing a round now.

#[cfg(feature = "window")]
pub mod adapter;
pub mod nightly;
mod page;
mod view;

use sync_core::StoreError;
use sync_core::sync::machine::LANES;
use sync_core::sync::{self, HqClient, Options, Progress};
use sync_model::id::InspectionId;

use crate::error::AppError;
use crate::services::Services;

pub use page::{ReturnedView, SyncView, sync_view};
pub use view::{Status, status};

/// Files of an earlier version that a round seals at most.
const SEALED_A_ROUND: usize = 32;

/// Does one sync round with the HQ this device is enrolled at.
///
/// # Errors
/// [`AppError::Sync`]; what was receipted before stays receipted.
pub fn sync_now(
    services: &Services,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Progress, AppError> {
    sync_until(services, &|| false, watch)
}

/// Does one sync round as HQ's rules let this network carry it; ends early, after what is under
/// way, once `stop` says so.
///
/// # Errors
/// [`AppError::Sync`]; what was receipted before stays receipted.
pub fn sync_until(
    services: &Services,
    stop: &dyn Fn() -> bool,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Progress, AppError> {
    let enrollment = services.store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?;
    // A device that comes from version 0.1 has plain files; each round seals some, so that no start
    // waits for all of them. What cannot be sealed now (no room) goes up all the same.
    if let Err(error) = services.store.blobs().seal_plain(SEALED_A_ROUND) {
        tracing::warn!(%error, "older files stay plain for now");
    }
    let client = HqClient::of(&services.store, &enrollment.hq)?;
    let options = Options { network: services.network(), lanes: LANES, stop };
    let outcome = sync::round_with(&services.store, &client, &options, watch);
    services.set_online(outcome.is_ok());
    Ok(outcome?)
}

/// Fetches back the originals of a visit that were removed here after HQ archived them; returns how
/// many.
///
/// # Errors
/// [`AppError::Sync`] while there is no line; what came stays.
pub fn fetch_removed(services: &Services, inspection: InspectionId) -> Result<u64, AppError> {
    let (removed, enrollment) = services.store.read(|r| {
        let mut removed = Vec::new();
        for row in r.records_of(inspection)? {
            for blob in row.record()?.envelope.blobs {
                if r.removed_at(&blob.sha256)?.is_some() {
                    removed.push(blob.sha256);
                }
            }
        }
        Ok::<_, StoreError>((removed, r.enrollment()?))
    })?;
    if removed.is_empty() {
        return Ok(0);
    }
    let client = HqClient::of(&services.store, &enrollment.ok_or(StoreError::NotEnrolled)?.hq)?;
    for sha256 in &removed {
        sync::fetch_original(&services.store, &client, sha256)?;
    }
    Ok(u64::try_from(removed.len()).unwrap_or(u64::MAX))
}
