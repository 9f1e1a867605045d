//! Enrolment, activation, unlocking and locking.

use sync_core::store::{Enrollment, OfficerRow};
use sync_core::sync::{self, HqClient};
use sync_model::credential::Credential;
use sync_model::id::OfficerId;

use super::{Unlocked, pin};
use crate::error::AppError;
use crate::services::Services;

/// Enrols this device with the one-time code that HQ gave.
///
/// # Errors
/// [`AppError::Sync`]; the code stays good for this device if the reply was lost.
pub fn enroll(services: &Services, hq: &str, code: &str) -> Result<Enrollment, AppError> {
    let client = HqClient::of(&services.store, hq)?;
    Ok(sync::enroll(&services.store, &client, code)?)
}

/// Activates an officer on this device: makes his key, seals it under his PIN, gets his credential.
///
/// # Errors
/// [`AppError::WeakPin`], [`AppError::Sync`].
pub fn activate(
    services: &Services,
    client: &HqClient,
    officer: OfficerId,
    code: &str,
    pin: &str,
) -> Result<Credential, AppError> {
    let row = services.store.read(|r| r.officer(officer))?.ok_or(AppError::NotFound("officer"))?;
    if !pin::check_new_pin(pin, &row.certificate_number) {
        return Err(AppError::WeakPin);
    }
    let hardness = services.hardness;
    Ok(sync::activate(&services.store, client, officer, code, pin, hardness)?)
}

/// Opens an officer's key with his PIN; from then on he is here.
///
/// # Errors
/// [`AppError::WrongPin`], [`AppError::PinLocked`], [`AppError::NotActivated`].
pub fn unlock(services: &Services, officer: OfficerId, pin: &str) -> Result<Credential, AppError> {
    let row = services.store.read(|r| r.officer(officer))?.ok_or(AppError::NotFound("officer"))?;
    let wait_ms = remaining_ms(services, &row);
    if wait_ms > 0 {
        return Err(AppError::PinLocked { wait_ms });
    }
    let enrollment =
        services.store.read(|r| r.enrollment())?.ok_or(sync_core::StoreError::NotEnrolled)?;
    let credential =
        row.open_credential(&enrollment.trust.issuer_key)?.ok_or(AppError::NotActivated)?;
    let sealed = row.sealed_key.as_ref().ok_or(AppError::NotActivated)?;
    // Counted before the answer is known: pulling the battery cannot buy a free try.
    let failures = services.store.count_failure(officer)?;
    let Some(key) = sealed.open(pin, officer.as_bytes())? else {
        return Err(AppError::WrongPin { failures, wait_ms: pin::delay_ms(failures) });
    };
    services.store.forget_failures(officer)?;
    let unlocked = Unlocked {
        credential: credential.clone(),
        credential_bytes: row.credential.unwrap_or_default(),
        key,
        proved_at: services.clock.now().wall_at,
    };
    services.session().put(unlocked);
    Ok(credential)
}

/// Returns how long this officer has to wait before the next try.
fn remaining_ms(services: &Services, row: &OfficerRow) -> u64 {
    let delay = pin::delay_ms(row.failures);
    if delay == u64::MAX {
        return delay;
    }
    let now = services.clock.now();
    // After a reboot the delay starts over and counts from the boot: only the monotonic clock of
    // one boot can be trusted.
    let passed = if row.failed_boot == Some(now.boot) {
        now.mono_ms.saturating_sub(row.failed_mono_ms)
    } else {
        now.mono_ms
    };
    delay.saturating_sub(passed)
}

/// Closes every officer's key.
pub fn lock(services: &Services) {
    services.session().clear();
}
