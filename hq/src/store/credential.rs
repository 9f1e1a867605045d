//! Every credential that HQ issued, and which of them stand on a device.

use sync_model::cose::PublicKey;
use sync_model::hash::Hash;
use sync_model::id::{DeviceId, OfficerId};
use sync_model::time::Timestamp;

use super::{OfficerKey, StoreError, Tx, params};

impl Tx<'_> {
    /// Keeps a credential that was issued for `key`.
    pub(crate) fn insert_credential(
        &self,
        key: &PublicKey,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // The same officer at the same instant makes the same bytes.
        self.run(
            "INSERT INTO credential (hash, key, bytes, issued_at)
             VALUES (:hash, :key, :bytes, :now)
             ON CONFLICT (hash) DO NOTHING",
            &params! { ":hash": &Hash::of(bytes), ":key": key, ":bytes": bytes, ":now": now },
        )
    }

    /// Returns the newest credential that was issued for `key`.
    pub(crate) fn newest_credential(&self, key: &PublicKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.first(
            "SELECT bytes FROM credential WHERE key = :key ORDER BY issued_at DESC LIMIT 1",
            &params! { ":key": key },
            |row| row.get("bytes"),
        )
    }

    /// Says whether this credential was ever issued to the officer.
    pub(crate) fn credential_is_of(
        &self,
        hash: &Hash,
        officer: OfficerId,
    ) -> Result<bool, StoreError> {
        self.exists(
            "SELECT 1 FROM credential JOIN officer_key ON officer_key.key = credential.key
             WHERE credential.hash = :hash AND officer = :officer",
            &params! { ":hash": hash, ":officer": &officer },
        )
    }

    /// Returns the officer to whom this credential was issued.
    pub(crate) fn credential_holder(&self, hash: &Hash) -> Result<Option<OfficerId>, StoreError> {
        self.first(
            "SELECT officer FROM credential JOIN officer_key ON officer_key.key = credential.key
             WHERE credential.hash = :hash",
            &params! { ":hash": hash },
            |row| row.get("officer"),
        )
    }

    /// Returns the officers' keys on the device whose newest credential is older than `before`.
    pub(crate) fn keys_to_renew(
        &self,
        device: DeviceId,
        before: Timestamp,
    ) -> Result<Vec<OfficerKey>, StoreError> {
        self.rows(
            "SELECT key, officer FROM officer_key WHERE device = :device AND NOT EXISTS (
                 SELECT 1 FROM credential
                 WHERE credential.key = officer_key.key AND issued_at > :before
             )",
            &params! { ":device": &device, ":before": before },
            |row| Ok(OfficerKey { key: row.get("key")?, officer: row.get("officer")?, device }),
        )
    }

    /// Returns every key of the officer with its device.
    pub(crate) fn devices_of(&self, officer: OfficerId) -> Result<Vec<OfficerKey>, StoreError> {
        self.rows(
            "SELECT key, device FROM officer_key WHERE officer = :officer",
            &params! { ":officer": &officer },
            |row| Ok(OfficerKey { key: row.get("key")?, officer, device: row.get("device")? }),
        )
    }
}
