//! Another handheld's code, checked here without a network.
//!
//! The issuer's key is the one this device trusts since its enrollment; the text scanned says nothing
//! about who vouches for it.

use sync_core::StoreError;
use sync_model::credential_code::{Options, Report, check_text};

use crate::error::AppError;
use crate::services::Services;

/// Returns the verdict on `scanned`, the address or the digits of a code, at this moment.
///
/// # Errors
/// [`StoreError::NotEnrolled`] if this device trusts no issuer yet.
pub fn check(services: &Services, scanned: &str) -> Result<Report, AppError> {
    let enrollment = services.store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?;
    let now = services.clock.now().wall_at;
    let options = Options::default();
    let report = check_text(scanned, &enrollment.trust.issuer_key, now, &options);
    Ok(match services.store.status_list()? {
        Some(list) => report.by_list(&list, now, &options),
        None => report,
    })
}
