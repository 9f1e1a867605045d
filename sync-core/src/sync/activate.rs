//! Enrolment of the device and activation of its officers. A lost reply is asked for again.

use sync_model::cose::{Signer, SoftwareKey};
use sync_model::credential::Credential;
use sync_model::id::OfficerId;
use sync_model::wire::enroll::{ActivateReply, ActivateRequest, EnrollReply, EnrollRequest};

use super::http::HqClient;
use crate::error::{StoreError, SyncError};
use crate::key::{Hardness, SealedKey};
use crate::random;
use crate::store::{Enrollment, Store};

/// Exchanges a one-time code for a device certificate.
///
/// # Errors
/// [`SyncError`]; the code stays usable by this device if the reply was lost.
pub fn enroll(store: &Store, client: &HqClient, code: &str) -> Result<Enrollment, SyncError> {
    let key = store.device_key();
    let request = EnrollRequest { code: code.trim().to_owned(), device_key: key.public() };
    let reply: EnrollReply = client.exchange(None, key, "/enroll", &request)?;
    store.enroll(client.base(), &reply)?;
    store.note_round(reply.hq_at)?;
    store.read(|r| r.enrollment())?.ok_or(SyncError::Store(StoreError::NotEnrolled))
}

/// Makes an officer's key, seals it under `pin`, and exchanges the activation code for a
/// credential.
///
/// # Errors
/// [`SyncError`]; after a lost reply the same call succeeds if code and PIN are the same.
pub fn activate(
    store: &Store,
    client: &HqClient,
    officer: OfficerId,
    code: &str,
    pin: &str,
    hardness: Hardness,
) -> Result<Credential, SyncError> {
    let enrollment = store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?;
    let row = store.read(|r| r.officer(officer))?.ok_or(StoreError::BadStored("officer"))?;
    let kept = match (&row.credential, &row.sealed_key) {
        (None, Some(sealed)) => sealed.open(pin, officer.as_bytes())?,
        _ => None,
    };
    let key = match kept {
        Some(key) => key,
        None => {
            let key = SoftwareKey::from_secret(&random::bytes());
            let sealed = SealedKey::seal(&key, pin, officer.as_bytes(), hardness)?;
            // If the power fails here, the key is there and the code is not used yet.
            store.keep_sealed_key(officer, &sealed)?;
            key
        }
    };
    let request =
        ActivateRequest { officer, code: code.trim().to_owned(), officer_key: key.public() };
    let device = Some(enrollment.certificate.device);
    let reply: ActivateReply =
        client.exchange(device, store.device_key(), "/activate", &request)?;
    Ok(store.keep_credential(&reply.credential)?)
}
