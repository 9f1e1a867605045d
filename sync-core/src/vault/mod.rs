//! The data key of a handheld and what opens it: everything at rest is encrypted under one random
//! key, and the key lies in slots.
//!
//! ```text
//! data key (256 random bits) ─▶ database key (SQLCipher, raw) · key of evidence files
//! officer's slot:  HKDF(Argon2id(PIN, salt) ‖ hardware(salt) ‖ lease share) seals data key ‖ officer key
//! device slot:     HKDF(device key) seals the data key; there only while no officer has a slot
//! ```
//!
//! Promises: without a key nothing in the data folder tells content; a changed slot, a changed cost
//! of trying or a slot moved to another officer does not open. Does not promise: protection while
//! the device slot is there (whoever copies the folder copies its key), protection of a running,
//! unlocked device's memory, or, without secure hardware, of a short PIN against a copied folder.

pub mod first_unlock;
mod sealed_file;
mod slot;

use std::path::Path;

use hkdf::Hkdf;
use sha2::Sha256;
use sync_model::hash;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::{key, random};

pub(crate) use sealed_file::{SealedFile, is_sealed, seal};
pub use slot::{Hardware, KEYS, NoHardware, Opened, Vault};

/// The file of the device key, in the data folder.
pub const DEVICE_KEY: &str = "device.key";

/// Returns the data key of `folder` as long as the device slot gives it to whoever has the folder.
///
/// # Errors
/// [`StoreError::BadStored`], [`StoreError::Io`].
pub fn open_without_pin(folder: &Path) -> Result<Option<DataKey>, StoreError> {
    let device = key::read_device_key(&folder.join(DEVICE_KEY))?;
    match (Vault::read(folder)?, device) {
        (Some(vault), Some(device)) => vault.open_by_device(&device),
        _ => Ok(None),
    }
}

/// The key under which everything on a handheld lies.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// Makes a new one.
    #[must_use]
    pub fn make() -> Self {
        Self(Zeroizing::new(random::bytes()))
    }

    /// Returns the key of these bytes, if they are 32.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// Returns the bytes, to be sealed or handed to the kernel.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns what SQLCipher is told before anything else on a connection: key and salt as they
    /// are, so that no key is stretched and a damaged first page cannot take the salt with it.
    #[must_use]
    pub fn database_pragma(&self) -> Zeroizing<String> {
        let (key, salt) = (self.derive::<32>("database"), self.derive::<16>("database salt"));
        let hex = Zeroizing::new(hash::hex(key.as_slice()));
        Zeroizing::new(format!("PRAGMA key = \"x'{}{}'\"", *hex, hash::hex(salt.as_slice())))
    }

    /// Returns the key that wraps the keys of evidence files.
    pub(crate) fn files(&self) -> Zeroizing<[u8; 32]> {
        self.derive("evidence files")
    }

    fn derive<const N: usize>(&self, purpose: &str) -> Zeroizing<[u8; N]> {
        derive(self.0.as_slice(), purpose)
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// Derives `N` bytes for one purpose; `N` is 32 at most.
fn derive<const N: usize>(secret: &[u8], purpose: &str) -> Zeroizing<[u8; N]> {
    let mut room = Zeroizing::new([0; N]);
    let info = [b"xunzheng at rest 1: ", purpose.as_bytes()].concat();
    // HKDF refuses more than 255 blocks of 32 bytes only; a key left all zero would open nothing.
    Hkdf::<Sha256>::new(None, secret).expand(&info, room.as_mut_slice()).ok();
    room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_has_a_key_of_its_own_and_none_is_shown() {
        let key = DataKey::make();
        let other = DataKey::make();
        assert_ne!(key.files(), key.derive::<32>("database"));
        assert_ne!(key.files(), other.files());
        assert_ne!(*key.files(), [0; 32]);
        assert_eq!(format!("{key:?}"), "DataKey(…)");
        assert_eq!(DataKey::from_slice(key.bytes()), Some(key));
        assert_eq!(DataKey::from_slice(&[1; 31]), None);
    }
}
