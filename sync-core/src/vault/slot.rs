//! The slots in which the data key lies: one for each officer, under his PIN, and one for the
//! device until the first officer has his.
//!
//! One small file beside the database, written whole and durably each time. What a slot says about
//! itself (whose, how hard to try, which hardware) is authenticated with what it seals.

use std::fs;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use sync_model::canonical;
use sync_model::cose::SoftwareKey;
use sync_model::id::OfficerId;
use zeroize::Zeroizing;

use super::{DataKey, derive};
use crate::disk::{Disk, RealDisk};
use crate::error::StoreError;
use crate::key::Hardness;
use crate::random;

/// The file of the slots, in the data folder.
pub const KEYS: &str = "vault.keys";

/// Far more than any crew's slots take.
const KEYS_BYTES_MAX: usize = 64 * 1024;
const DEVICE_PURPOSE: &str = "device slot";
const OFFICER_PURPOSE: &str = "officer slot";

/// Something of this machine that a copied folder does not have.
pub trait Hardware: Send + Sync {
    /// Returns its name, which the slot states: a slot made with it does not open without it.
    fn name(&self) -> &'static str;

    /// Returns what it makes of `salt`; the same each time on this machine, unknown elsewhere.
    ///
    /// # Errors
    /// What the system reports, or that it refuses.
    fn mix(&self, salt: &[u8; 16]) -> std::io::Result<Zeroizing<Vec<u8>>>;
}

/// No secure hardware: a copied folder and a short PIN can be tried elsewhere.
pub struct NoHardware;

impl Hardware for NoHardware {
    fn name(&self) -> &'static str {
        "none"
    }

    fn mix(&self, _: &[u8; 16]) -> std::io::Result<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(Vec::new()))
    }
}

/// What an officer's slot seals.
pub struct Opened {
    /// The key of everything at rest.
    pub data_key: DataKey,
    /// The officer's own key.
    pub officer_key: SoftwareKey,
}

/// The slots of a data folder.
#[derive(Debug)]
pub struct Vault {
    path: PathBuf,
    slots: Slots,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slots {
    #[serde(with = "serde_bytes")]
    vault: [u8; 16],
    device: Option<Sealed>,
    officers: Vec<OfficerSlot>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sealed {
    #[serde(with = "serde_bytes")]
    nonce: [u8; 24],
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct OfficerSlot {
    about: About,
    sealed: Sealed,
}

/// What a slot says about itself; authenticated with what it seals.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct About {
    #[serde(with = "serde_bytes")]
    vault: [u8; 16],
    officer: OfficerId,
    hardness: Hardness,
    #[serde(with = "serde_bytes")]
    salt: [u8; 16],
    hardware: String,
}

impl Vault {
    /// Reads the slots of `folder`; `None` if there are none yet.
    ///
    /// # Errors
    /// [`StoreError::BadStored`], [`StoreError::Io`].
    pub fn read(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(KEYS);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("read key slots")(error)),
        };
        let slots = canonical::from_bytes(&bytes, KEYS_BYTES_MAX)
            .map_err(|_| StoreError::BadStored("key slots"))?;
        Ok(Some(Self { path, slots }))
    }

    /// Makes a new data key and lays it into the device slot.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::DiskFull`].
    pub fn make(folder: &Path, device: &SoftwareKey) -> Result<(Self, DataKey), StoreError> {
        let key = DataKey::make();
        let mut slots = Slots { vault: random::bytes(), device: None, officers: Vec::new() };
        let wrapping = device_wrapping(device);
        slots.device = Some(seal_into(&wrapping, key.bytes(), &slots.vault)?);
        let mut vault = Self { path: folder.join(KEYS), slots: slots.clone() };
        vault.keep(slots)?;
        Ok((vault, key))
    }

    /// Returns the name of this vault, random, made once.
    #[must_use]
    pub fn name(&self) -> [u8; 16] {
        self.slots.vault
    }

    /// Says whether the data key lies under the device slot: whoever has the folder can read it.
    #[must_use]
    pub fn is_open_to_the_device(&self) -> bool {
        self.slots.device.is_some()
    }

    /// Returns the officers who have a slot.
    #[must_use]
    pub fn officers(&self) -> Vec<OfficerId> {
        self.slots.officers.iter().map(|slot| slot.about.officer).collect()
    }

    /// Returns the data key out of the device slot; `None` if there is no device slot.
    ///
    /// # Errors
    /// [`StoreError::BadStored`] if it does not open with this device's key.
    pub fn open_by_device(&self, device: &SoftwareKey) -> Result<Option<DataKey>, StoreError> {
        let Some(sealed) = &self.slots.device else { return Ok(None) };
        let opened = open_sealed(sealed, &device_wrapping(device), &self.slots.vault);
        let key = opened.and_then(|secret| DataKey::from_slice(&secret));
        key.map(Some)
            .ok_or(StoreError::BadStored("device key (the data key does not open with it)"))
    }

    /// Opens an officer's slot; `None` if the PIN is wrong or he has no slot.
    ///
    /// # Errors
    /// [`StoreError::EasierSlot`] if the slot states a cost below `floor`, which is refused before
    /// anything is tried; [`StoreError::BadStored`] if it wants other hardware than `hardware`.
    pub fn open_by_pin(
        &self,
        officer: OfficerId,
        pin: &str,
        floor: Hardness,
        hardware: &dyn Hardware,
    ) -> Result<Option<Opened>, StoreError> {
        let slot = self.slots.officers.iter().find(|slot| slot.about.officer == officer);
        let Some(slot) = slot else { return Ok(None) };
        if !slot.about.hardness.reaches(floor) {
            return Err(StoreError::EasierSlot);
        }
        if slot.about.hardware != hardware.name() {
            return Err(StoreError::BadStored("key slot (made with other hardware)"));
        }
        let wrapping = pin_wrapping(pin, &slot.about, hardware)?;
        let about = canonical::to_bytes(&slot.about).map_err(bad)?;
        // A wrong PIN and a changed byte look the same from outside, on purpose.
        let Some(secret) = open_sealed(&slot.sealed, &wrapping, &about) else { return Ok(None) };
        let (data, own) = secret.split_at_checked(32).ok_or_else(|| bad(()))?;
        let own = Zeroizing::new(<[u8; 32]>::try_from(own).map_err(bad)?);
        Ok(Some(Opened {
            data_key: DataKey::from_slice(data).ok_or_else(|| bad(()))?,
            officer_key: SoftwareKey::from_secret(&own),
        }))
    }

    /// Lays the data key and an officer's key under his PIN; a slot he had before is replaced.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::DiskFull`]; the slots are then as they were.
    pub fn put_officer(
        &mut self,
        officer: OfficerId,
        pin: &str,
        opened: &Opened,
        hardness: Hardness,
        hardware: &dyn Hardware,
    ) -> Result<(), StoreError> {
        let about = About {
            vault: self.slots.vault,
            officer,
            hardness,
            salt: random::bytes(),
            hardware: hardware.name().to_owned(),
        };
        let wrapping = pin_wrapping(pin, &about, hardware)?;
        let mut secret = Zeroizing::new([0_u8; 64]);
        let (data, own) = secret.split_at_mut(32);
        data.copy_from_slice(opened.data_key.bytes());
        own.copy_from_slice(Zeroizing::new(opened.officer_key.secret()).as_slice());
        let aad = canonical::to_bytes(&about).map_err(bad)?;
        let sealed = seal_into(&wrapping, secret.as_slice(), &aad)?;
        let mut slots = self.slots.clone();
        slots.officers.retain(|slot| slot.about.officer != officer);
        slots.officers.push(OfficerSlot { about, sealed });
        self.keep(slots)
    }

    /// Takes the device slot away: from then on only a PIN opens the data.
    ///
    /// # Errors
    /// [`StoreError::BadStored`] if no officer has a slot: nobody could ever open it again.
    pub fn remove_device_slot(&mut self) -> Result<(), StoreError> {
        if self.slots.officers.is_empty() {
            return Err(StoreError::BadStored("key slots (the last one cannot be taken away)"));
        }
        if self.slots.device.is_none() {
            return Ok(());
        }
        let slots = Slots { device: None, ..self.slots.clone() };
        self.keep(slots)
    }

    fn keep(&mut self, slots: Slots) -> Result<(), StoreError> {
        let bytes = canonical::to_bytes(&slots).map_err(bad)?;
        // If the power fails here, the old slots are there or the new ones, never neither.
        RealDisk.write(&self.path, &bytes).map_err(StoreError::io("write key slots"))?;
        self.slots = slots;
        Ok(())
    }
}

fn bad<E>(_: E) -> StoreError {
    StoreError::BadStored("key slot")
}

fn device_wrapping(device: &SoftwareKey) -> Zeroizing<[u8; 32]> {
    derive(Zeroizing::new(device.secret()).as_slice(), DEVICE_PURPOSE)
}

/// Returns the key that wraps an officer's slot.
fn pin_wrapping(
    pin: &str,
    about: &About,
    hardware: &dyn Hardware,
) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let params =
        Params::new(about.hardness.memory_kib, about.hardness.passes, 1, Some(32)).map_err(bad)?;
    let mut secret = Zeroizing::new(vec![0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), &about.salt, secret.as_mut_slice())
        .map_err(bad)?;
    let mixed = hardware.mix(&about.salt).map_err(StoreError::io("ask the key hardware"))?;
    secret.extend_from_slice(&mixed);
    Ok(derive(&secret, OFFICER_PURPOSE))
}

fn seal_into(wrapping: &[u8; 32], secret: &[u8], aad: &[u8]) -> Result<Sealed, StoreError> {
    let nonce = random::bytes();
    let bytes = XChaCha20Poly1305::new(&(*wrapping).into())
        .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad })
        .map_err(bad)?;
    Ok(Sealed { nonce, bytes })
}

fn open_sealed(sealed: &Sealed, wrapping: &[u8; 32], aad: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    XChaCha20Poly1305::new(&(*wrapping).into())
        .decrypt(&XNonce::from(sealed.nonce), Payload { msg: &sealed.bytes, aad })
        .ok()
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_model::cose::Signer;
    use uuid::Uuid;

    const EASY: Hardness = Hardness::REHEARSAL;

    fn officer(number: u128) -> OfficerId {
        OfficerId(Uuid::from_u128(number))
    }

    fn vault(folder: &Path) -> (Vault, DataKey, SoftwareKey) {
        let device = SoftwareKey::from_secret(&[3; 32]);
        let (vault, key) = Vault::make(folder, &device).unwrap();
        (vault, key, device)
    }

    fn opened(key: &DataKey, seed: u8) -> Opened {
        let officer_key = SoftwareKey::from_secret(&[seed; 32]);
        Opened { data_key: key.clone(), officer_key }
    }

    #[test]
    fn each_officer_opens_the_same_data_with_his_own_pin() {
        let folder = tempfile::tempdir().unwrap();
        let (mut vault, key, device) = vault(folder.path());
        assert!(vault.remove_device_slot().is_err(), "the last slot went");
        for (number, pin) in [(1, "275910"), (2, "806153")] {
            let own = opened(&key, u8::try_from(number).unwrap());
            vault.put_officer(officer(number), pin, &own, EASY, &NoHardware).unwrap();
        }
        assert_eq!(vault.open_by_device(&device).unwrap().as_ref(), Some(&key));
        vault.remove_device_slot().unwrap();
        let vault = Vault::read(folder.path()).unwrap().unwrap();
        assert_eq!(vault.open_by_device(&device).unwrap(), None);
        let try_pin =
            |number, pin| vault.open_by_pin(officer(number), pin, EASY, &NoHardware).unwrap();
        let second = try_pin(2, "806153").unwrap();
        assert_eq!(second.data_key, key);
        assert_eq!(second.officer_key.public(), SoftwareKey::from_secret(&[2; 32]).public());
        for (number, pin) in [(1, "806153"), (2, "275910"), (1, "275911"), (3, "275910")] {
            assert!(try_pin(number, pin).is_none(), "{number} {pin}");
        }
    }

    #[test]
    fn a_slot_made_easier_moved_or_bound_to_other_hardware_is_refused() {
        struct Other;
        impl Hardware for Other {
            fn name(&self) -> &'static str {
                "other"
            }
            fn mix(&self, salt: &[u8; 16]) -> std::io::Result<Zeroizing<Vec<u8>>> {
                Ok(Zeroizing::new(salt.iter().map(|byte| byte ^ 0x5a).collect()))
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let (mut vault, key, _) = vault(folder.path());
        let hard = Hardness { memory_kib: 2048, passes: 2 };
        vault.put_officer(officer(1), "275910", &opened(&key, 1), hard, &NoHardware).unwrap();
        let good = vault.slots.clone();
        let open =
            |vault: &Vault, number| vault.open_by_pin(officer(number), "275910", hard, &NoHardware);
        assert!(open(&vault, 1).unwrap().is_some());
        for easier in [EASY, Hardness { passes: 1, ..hard }, Hardness { memory_kib: 8, ..hard }] {
            vault.slots = good.clone();
            vault.slots.officers[0].about.hardness = easier;
            assert!(matches!(open(&vault, 1), Err(StoreError::EasierSlot)), "{easier:?}");
        }
        // Within the floor, but not what was sealed.
        vault.slots.officers[0].about.hardness = Hardness { passes: 3, ..hard };
        assert!(open(&vault, 1).unwrap().is_none());
        vault.slots = good.clone();
        vault.slots.officers[0].about.officer = officer(2);
        assert!(open(&vault, 2).unwrap().is_none());
        vault.slots = good;
        assert!(vault.open_by_pin(officer(1), "275910", hard, &Other).is_err());
        vault.put_officer(officer(1), "275910", &opened(&key, 1), hard, &Other).unwrap();
        assert!(open(&vault, 1).is_err(), "it opened without the hardware");
        assert!(vault.open_by_pin(officer(1), "275910", hard, &Other).unwrap().is_some());
    }

    #[test]
    fn a_device_slot_opens_with_its_own_device_only() {
        let folder = tempfile::tempdir().unwrap();
        let (vault, _, _) = vault(folder.path());
        assert!(vault.is_open_to_the_device());
        let other = SoftwareKey::from_secret(&[4; 32]);
        assert!(matches!(vault.open_by_device(&other), Err(StoreError::BadStored(_))));
        RealDisk.write(&folder.path().join(KEYS), b"no slots").unwrap();
        assert!(matches!(Vault::read(folder.path()), Err(StoreError::BadStored(_))));
    }
}
