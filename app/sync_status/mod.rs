//! 同步: what waits, what HQ has receipted, what is parked and why; and doing a round now.

#[cfg(feature = "window")]
pub mod adapter;
mod page;
mod view;

use sync_core::StoreError;
use sync_core::sync::machine::LANES;
use sync_core::sync::{self, HqClient, Options, Progress};

use crate::error::AppError;
use crate::services::Services;

pub use page::{ReturnedView, SyncView, sync_view};
pub use view::{Status, status};

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
    let client = HqClient::new(&enrollment.hq)?;
    let options = Options { network: services.network(), lanes: LANES, stop };
    let outcome = sync::round_with(&services.store, &client, &options, watch);
    services.set_online(outcome.is_ok());
    Ok(outcome?)
}
