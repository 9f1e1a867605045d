//! 同步: what waits, what HQ has receipted, what is parked and why; and doing a round now.

#[cfg(feature = "window")]
pub mod adapter;
mod page;
mod view;

use sync_core::StoreError;
use sync_core::sync::{self, HqClient, Progress};

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
    let enrollment = services.store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?;
    let client = HqClient::new(&enrollment.hq)?;
    let outcome = sync::round(&services.store, &client, watch);
    services.set_online(outcome.is_ok());
    Ok(outcome?)
}
