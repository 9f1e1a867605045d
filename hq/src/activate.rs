//! Officers' credentials: issued for the key that an officer brings, renewed while he works.
//!
//! A credential says what HQ knew of the certificate when it was issued, so it ages. Every push
//! renews the ones on the device that are older than a few hours; a change of status is told to
//! every device at once.

use sync_model::cose::PublicKey;
use sync_model::credential::{CertificateStatus, Credential, issue_credential};
use sync_model::id::{DeviceId, OfficerId};
use sync_model::time::Timestamp;
use sync_model::wire::enroll::{ActivateReply, ActivateRequest};
use sync_model::wire::feed::FeedBody;

use crate::code;
use crate::enroll::{bad_code, usable};
use crate::error::{AdminError, HqError};
use crate::hq::{Hq, Inner};
use crate::store::{OfficerKey, StoreError, Tx};

/// Age from which a credential is renewed; well below the age at which devices warn.
const RENEW_AFTER_MS: i64 = 6 * 3600 * 1000;

impl Hq {
    /// Gives the officer who brings `request` on `device` a credential.
    ///
    /// # Errors
    /// [`sync_model::wire::problem::ProblemCode::BadCode`] or `Malformed`.
    pub fn activate(
        &self,
        device: DeviceId,
        request: &ActivateRequest,
    ) -> Result<ActivateReply, HqError> {
        usable(&request.officer_key)?;
        let (hq, now, request) = (self.0.clone(), self.now(), request.clone());
        self.0.store.write(move |tx| hq.activate_in(tx, device, &request, now))
    }

    /// Changes the status of an officer's certificate, tells every device he works on, and
    /// everybody by a new status list.
    ///
    /// # Errors
    /// [`AdminError::NoSuchOfficer`].
    pub fn set_officer_status(
        &self,
        officer: OfficerId,
        status: CertificateStatus,
    ) -> Result<(), HqError> {
        let (hq, now) = (self.0.clone(), self.now());
        self.0.store.write(move |tx| {
            if !tx.set_officer_status(officer, status)? {
                return Err(AdminError::NoSuchOfficer(officer.to_string()).into());
            }
            tx.devices_of(officer)?.iter().try_for_each(|key| hq.renew(tx, key, now))?;
            hq.issue_status_list(tx, now).map(drop)
        })
    }
}

impl Inner {
    fn activate_in(
        &self,
        tx: &Tx<'_>,
        device: DeviceId,
        request: &ActivateRequest,
        now: Timestamp,
    ) -> Result<ActivateReply, HqError> {
        let code = code::hash("officer", &request.code);
        let activation = tx.activation(&code)?.ok_or_else(bad_code)?;
        if activation.officer != request.officer || activation.device != Some(device) {
            return Err(bad_code());
        }
        if let Some(used) = activation.used_key {
            let credential = tx.newest_credential(&used)?.filter(|_| used == request.officer_key);
            return Ok(ActivateReply { credential: credential.ok_or_else(bad_code)? });
        }
        let taken = tx.newest_credential(&request.officer_key)?.is_some();
        if now > activation.expires_at || taken {
            return Err(bad_code());
        }
        let key = OfficerKey { key: request.officer_key, officer: request.officer, device };
        tx.activate_officer(&code, &key, now)?;
        let credential = self.credential(tx, key.officer, key.key, now)?;
        tracing::info!(officer = %request.officer, %device, "officer activated");
        Ok(ActivateReply { credential })
    }

    /// Returns the officers' keys on the device whose credential is old.
    pub(crate) fn old_keys(
        tx: &Tx<'_>,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<Vec<OfficerKey>, StoreError> {
        tx.keys_to_renew(device, now.plus_ms(-RENEW_AFTER_MS))
    }

    /// Issues a new credential for the key and tells its device.
    pub(crate) fn renew(
        &self,
        tx: &Tx<'_>,
        key: &OfficerKey,
        now: Timestamp,
    ) -> Result<(), HqError> {
        let credential = self.credential(tx, key.officer, key.key, now)?;
        self.issue(tx, Some(key.device), FeedBody::Credential(credential.into()), now)?;
        Ok(())
    }

    /// Issues and keeps a credential.
    pub(crate) fn credential(
        &self,
        tx: &Tx<'_>,
        officer: OfficerId,
        key: PublicKey,
        now: Timestamp,
    ) -> Result<Vec<u8>, HqError> {
        let known = tx.officer(officer)?;
        let known = known.ok_or_else(|| AdminError::NoSuchOfficer(officer.to_string()))?;
        let credential = Credential {
            officer,
            name: known.name,
            kind: known.kind,
            certificate_number: known.certificate_number,
            authority: known.authority,
            authority_name: known.authority_name,
            valid_from: known.valid_from,
            valid_to: known.valid_to,
            status: known.status,
            issued_at: now,
            key,
        };
        let bytes = issue_credential(&credential, &self.keys.issuer)?;
        tx.insert_credential(&key, &bytes, now)?;
        Ok(bytes)
    }
}
