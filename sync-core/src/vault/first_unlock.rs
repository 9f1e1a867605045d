//! The data key after the first unlock of a boot: in the kernel's keyring of this user, for twelve
//! hours, so that the night's sync in a program of its own needs no PIN.
//!
//! Promises: the key is in no file and in no swap, and gone after a reboot or twelve hours. Does not
//! promise: anything against another program of the same user while it is there.

use linux_keyutils::{
    Key, KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission,
};
use sync_model::hash;
use zeroize::Zeroizing;

use super::DataKey;
use crate::error::StoreError;

/// How long the kernel keeps the key after an unlock.
pub const KEPT_S: usize = 12 * 3600;

fn ring() -> Result<KeyRing, KeyError> {
    KeyRing::from_special_id(KeyRingIdentifier::User, true)
}

fn name(vault: [u8; 16]) -> String {
    format!("xunzheng:{}", hash::hex(&vault))
}

fn found(vault: [u8; 16]) -> Option<Key> {
    ring().and_then(|ring| ring.search(&name(vault))).ok()
}

/// Hands the key of `vault` to the kernel for `seconds`.
///
/// # Errors
/// [`StoreError::Io`] where the kernel has no keyring or none is allowed: the night's sync then
/// waits for the next unlock, nothing else changes.
pub fn keep(vault: [u8; 16], key: &DataKey, seconds: usize) -> Result<(), StoreError> {
    let keep = || {
        let kept = ring()?.add_key(&name(vault), key.bytes())?;
        // A timer's program possesses another session; the user himself may read.
        let (owner, user) = (Permission::ALL, Permission::ALL);
        let perms = KeyPermissionsBuilder::builder().posessor(owner).user(user).build();
        kept.set_perms(perms)?;
        kept.set_timeout(seconds)
    };
    keep().map_err(|error: KeyError| {
        StoreError::io("hand the data key to the kernel")(std::io::Error::other(format!(
            "{error:?}"
        )))
    })
}

/// Returns the key of `vault`, if somebody unlocked it in this boot and not too long ago.
#[must_use]
pub fn find(vault: [u8; 16]) -> Option<DataKey> {
    let bytes = Zeroizing::new(found(vault)?.read_to_vec().ok()?);
    DataKey::from_slice(&bytes)
}

/// Takes the key of `vault` away from the kernel.
pub fn forget(vault: [u8; 16]) {
    if let Some(key) = found(vault) {
        // Already gone is as good.
        key.invalidate().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    #[test]
    fn the_kernel_gives_the_key_back_until_its_time_is_over_or_it_is_taken_away() {
        let (vault, key) = (random::bytes(), DataKey::make());
        assert!(find(vault).is_none());
        if let Err(error) = keep(vault, &key, 60) {
            println!("absent: a kernel keyring ({error}); not tried");
            return;
        }
        assert_eq!(find(vault).as_ref(), Some(&key));
        // A second unlock replaces it.
        let newer = DataKey::make();
        keep(vault, &newer, 60).unwrap();
        assert_eq!(find(vault).as_ref(), Some(&newer));
        forget(vault);
        assert!(find(vault).is_none());
        keep(vault, &key, 1).unwrap();
        let begun = std::time::Instant::now();
        while find(vault).is_some() {
            assert!(begun.elapsed().as_secs() < 20, "the kernel keeps it for ever");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}
