//! Keys at rest: the device key in a file of its own, an officer's key sealed under his PIN.
//!
//! The PIN is never stored, not even hashed: a PIN is right if it opens the sealed key. Without
//! secure hardware a copied folder and a short PIN can be tried offline; see SECURITY limits.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use sync_model::cose::SoftwareKey;
use zeroize::Zeroizing;

use crate::disk;
use crate::error::StoreError;
use crate::random;

/// How hard a PIN is to try: memory in KiB and passes. Stored with each sealed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardness {
    /// KiB of memory.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
}

impl Hardness {
    /// 64 MiB, 3 passes: the floor for devices.
    pub const DEVICE: Self = Self { memory_kib: 64 * 1024, passes: 3 };
    /// For tests and rehearsals only, where dozens of unlocks must not take minutes.
    pub const REHEARSAL: Self = Self { memory_kib: 1024, passes: 1 };

    /// Says whether trying a PIN costs at least as much as with `floor`.
    #[must_use]
    pub fn reaches(self, floor: Self) -> bool {
        self.memory_kib >= floor.memory_kib && self.passes >= floor.passes
    }
}

/// An officer's key, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedKey {
    hardness: Hardness,
    #[serde(with = "serde_bytes")]
    salt: [u8; 16],
    #[serde(with = "serde_bytes")]
    nonce: [u8; 24],
    #[serde(with = "serde_bytes")]
    sealed: Vec<u8>,
}

impl SealedKey {
    /// Returns `key` sealed under `pin` for the officer named by `owner`.
    ///
    /// # Errors
    /// [`StoreError::BadStored`] if the hardness is out of range.
    pub fn seal(
        key: &SoftwareKey,
        pin: &str,
        owner: &[u8],
        hardness: Hardness,
    ) -> Result<Self, StoreError> {
        let (salt, nonce) = (random::bytes(), random::bytes());
        let wrapping = derive(pin, &salt, hardness)?;
        let secret = Zeroizing::new(key.secret());
        let sealed = XChaCha20Poly1305::new(&(*wrapping).into())
            .encrypt(&XNonce::from(nonce), Payload { msg: secret.as_slice(), aad: owner })
            .map_err(|_| StoreError::BadStored("officer key"))?;
        Ok(Self { hardness, salt, nonce, sealed })
    }

    /// Returns the key if `pin` is right and the sealed bytes belong to `owner`, else `None`.
    ///
    /// # Errors
    /// [`StoreError::BadStored`] if what is stored is not a sealed key.
    pub fn open(&self, pin: &str, owner: &[u8]) -> Result<Option<SoftwareKey>, StoreError> {
        let wrapping = derive(pin, &self.salt, self.hardness)?;
        let opened = XChaCha20Poly1305::new(&(*wrapping).into()).decrypt(
            &XNonce::from(self.nonce),
            Payload { msg: self.sealed.as_slice(), aad: owner },
        );
        // A wrong PIN and a changed byte look the same from outside, on purpose.
        let Ok(secret) = opened.map(Zeroizing::new) else { return Ok(None) };
        let secret: &[u8; 32] =
            secret.as_slice().try_into().map_err(|_| StoreError::BadStored("officer key"))?;
        Ok(Some(SoftwareKey::from_secret(secret)))
    }
}

fn derive(
    pin: &str,
    salt: &[u8; 16],
    hardness: Hardness,
) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let params = Params::new(hardness.memory_kib, hardness.passes, 1, Some(32))
        .map_err(|_| StoreError::BadStored("pin hardness"))?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), salt, key.as_mut_slice())
        .map_err(|_| StoreError::BadStored("pin hardness"))?;
    Ok(key)
}

/// Returns the device key in `path`, made at the first call.
///
/// # Errors
/// [`StoreError::Io`], or [`StoreError::BadStored`] if the file is not a key or others may read it.
pub fn device_key(path: &Path) -> Result<SoftwareKey, StoreError> {
    match read_device_key(path)? {
        Some(key) => Ok(key),
        None => make_device_key(path),
    }
}

/// Returns the device key in `path`; `None` if there is no such file.
///
/// # Errors
/// As [`device_key`].
pub(crate) fn read_device_key(path: &Path) -> Result<Option<SoftwareKey>, StoreError> {
    match fs::File::open(path) {
        Ok(mut file) => {
            let mode = file.metadata().map_err(StoreError::io("read device key"))?.permissions();
            if mode.mode() & 0o077 != 0 {
                return Err(StoreError::BadStored("device key (others may read it)"));
            }
            let mut secret = Zeroizing::new(Vec::new());
            file.read_to_end(&mut secret).map_err(StoreError::io("read device key"))?;
            let secret: &[u8; 32] =
                secret.as_slice().try_into().map_err(|_| StoreError::BadStored("device key"))?;
            Ok(Some(SoftwareKey::from_secret(secret)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("read device key")(error)),
    }
}

fn make_device_key(path: &Path) -> Result<SoftwareKey, StoreError> {
    use std::io::Write;
    let secret = Zeroizing::new(random::bytes::<32>());
    let folder = path.parent().ok_or(StoreError::BadStored("device key path"))?;
    let aside = path.with_extension("part");
    let write = || {
        // A crash may have left an earlier aside file; nothing was ever signed with it.
        match fs::remove_file(&aside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        file.write_all(secret.as_slice())?;
        file.sync_all()?;
        fs::rename(&aside, path)?;
        disk::sync_folder(folder)
    };
    write().map_err(StoreError::io("write device key"))?;
    Ok(SoftwareKey::from_secret(&secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_model::cose::Signer;

    #[test]
    fn a_sealed_key_opens_only_with_its_pin_for_its_owner() {
        let key = SoftwareKey::from_secret(&[5; 32]);
        let sealed = SealedKey::seal(&key, "246810", b"owner", Hardness::REHEARSAL).unwrap();
        let opened = sealed.open("246810", b"owner").unwrap().unwrap();
        assert_eq!(opened.public(), key.public());
        assert!(sealed.open("246811", b"owner").unwrap().is_none());
        assert!(sealed.open("246810", b"other").unwrap().is_none());
    }

    #[test]
    fn the_device_key_is_made_once_and_refused_when_others_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        let made = device_key(&path).unwrap();
        assert_eq!(device_key(&path).unwrap().public(), made.public());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(device_key(&path), Err(StoreError::BadStored(_))));
    }
}
