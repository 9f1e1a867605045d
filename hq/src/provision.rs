//! Enrolls devices in bulk: a provisioning station makes the keys, HQ certifies a list at once.
//!
//! For a province that hands out thousands of handhelds; one transaction a list instead of two
//! requests a device. A list cut short is given again: keys that are known get what they got before.

use sync_model::cose::PublicKey;
use sync_model::credential::{DeviceCertificate, issue_device_certificate};
use sync_model::hash::Hash;
use sync_model::id::{DeviceId, OfficerId};
use sync_model::time::Timestamp;

use crate::admin::NewOfficer;
use crate::enroll::usable;
use crate::error::{AdminError, HqError};
use crate::hq::{Hq, Inner};
use crate::keys::random;
use crate::store::{Device, OfficerKey, Tx};

/// Most devices of one list; one transaction holds the writer no longer than this takes.
pub const PROVISIONED_MAX: usize = 1000;

/// A device to be enrolled, with the officers whose keys were made for it.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Name in lists.
    pub name: String,
    /// Id of its authority.
    pub authority: String,
    /// Its key.
    pub key: PublicKey,
    /// Who may use it, each with the key made for him.
    pub officers: Vec<(NewOfficer, PublicKey)>,
}

/// What is put onto an enrolled device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisionedDevice {
    /// The device.
    pub device: DeviceId,
    /// Its signed certificate.
    pub certificate: Vec<u8>,
    /// Its officers and their signed credentials.
    pub officers: Vec<(OfficerId, Vec<u8>)>,
}

impl Hq {
    /// Enrolls the devices of a list in one transaction; returns them in its order.
    ///
    /// # Errors
    /// [`AdminError::OutOfRange`] for a list over [`PROVISIONED_MAX`],
    /// [`AdminError::CertificateTaken`], a key that is not usable. Nothing is kept then.
    pub fn provision(&self, list: Vec<NewDevice>) -> Result<Vec<ProvisionedDevice>, HqError> {
        if list.len() > PROVISIONED_MAX {
            return Err(AdminError::OutOfRange("a list holds at most 1,000 devices").into());
        }
        for device in &list {
            usable(&device.key)?;
            device.officers.iter().try_for_each(|(_, key)| usable(key))?;
        }
        let (hq, now) = (self.0.clone(), self.now());
        self.0.store.write(move |tx| {
            list.into_iter().map(|device| hq.provision_in(tx, device, now)).collect()
        })
    }
}

impl Inner {
    fn provision_in(
        &self,
        tx: &Tx<'_>,
        new: NewDevice,
        now: Timestamp,
    ) -> Result<ProvisionedDevice, HqError> {
        let device = match tx.device_by_key(&new.key)? {
            Some(known) => known,
            None => self.certify(tx, &new, now)?,
        };
        let mut officers = Vec::with_capacity(new.officers.len());
        for (officer, key) in &new.officers {
            let id = Self::add_officer_in(tx, officer, OfficerId::new(now.0, &random()?))?;
            let credential = match tx.newest_credential(key)? {
                Some(known) if tx.officer_keys(id)?.contains(key) => known,
                Some(_) => {
                    let number = officer.certificate_number.clone();
                    return Err(AdminError::CertificateTaken(number).into());
                }
                None => {
                    let key = OfficerKey { key: *key, officer: id, device: device.device };
                    // No code was given out, so there is none to mark as used.
                    tx.activate_officer(&Hash::of(b"provisioned"), &key, now)?;
                    self.credential(tx, id, key.key, now)?
                }
            };
            officers.push((id, credential));
        }
        Ok(ProvisionedDevice { device: device.device, certificate: device.certificate, officers })
    }

    fn certify(&self, tx: &Tx<'_>, new: &NewDevice, now: Timestamp) -> Result<Device, HqError> {
        let certificate = DeviceCertificate {
            device: DeviceId::new(now.0, &random()?),
            name: new.name.clone(),
            authority: new.authority.clone(),
            key: new.key,
            issued_at: now,
        };
        let device = Device {
            certificate: issue_device_certificate(&certificate, &self.keys.issuer)?,
            device: certificate.device,
            name: certificate.name,
            authority: certificate.authority,
            key: certificate.key,
            enrolled_at: certificate.issued_at,
            revoked_at: None,
            revoked_size: None,
            certified_at: Some(certificate.issued_at),
        };
        tx.insert_device(&device)?;
        Ok(device)
    }
}
