//! Laying the data key under the officers' PINs.

use sync_model::cose::SoftwareKey;
use sync_model::id::OfficerId;

use super::Store;
use crate::error::StoreError;
use crate::key::Hardness;
use crate::vault::{Hardware, Opened, first_unlock};

impl Store {
    /// Lays the data key and an officer's key under his PIN. Once every officer who can unlock here
    /// has his slot, the device slot goes: from then on only a PIN opens the data after a reboot.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::DiskFull`]: what opened the data before still does.
    pub fn lay_under_pin(
        &self,
        officer: OfficerId,
        pin: &str,
        key: &SoftwareKey,
        hardness: Hardness,
        hardware: &dyn Hardware,
    ) -> Result<(), StoreError> {
        let officer_key = SoftwareKey::from_secret(&zeroize::Zeroizing::new(key.secret()));
        let opened = Opened { data_key: self.data_key().clone(), officer_key };
        let activated = self.read(|reader| reader.officers())?;
        let mut vault = self.vault();
        vault.put_officer(officer, pin, &opened, hardness, hardware)?;
        let have = vault.officers();
        let all = activated
            .iter()
            .filter(|row| row.sealed_key.is_some())
            .all(|row| have.contains(&row.officer));
        // If the power fails before this, the device slot goes at the next unlock.
        if all { vault.remove_device_slot() } else { Ok(()) }
    }

    /// Lets the kernel keep the data key for the night's sync.
    ///
    /// # Errors
    /// [`StoreError::Io`] where there is no keyring.
    pub fn keep_for_the_night(&self) -> Result<(), StoreError> {
        first_unlock::keep(self.vault().name(), self.data_key(), first_unlock::KEPT_S)
    }
}
