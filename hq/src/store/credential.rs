//! Every credential that HQ issued, and which of them stand on a device.

use rusqlite::{OptionalExtension, named_params};
use sync_model::cose::PublicKey;
use sync_model::hash::Hash;
use sync_model::id::{DeviceId, OfficerId};
use sync_model::time::Timestamp;

use super::{OfficerKey, StoreError, Tx};

impl Tx<'_> {
    /// Keeps a credential that was issued for `key`.
    pub(crate) fn insert_credential(
        &self,
        key: &PublicKey,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // The same officer at the same instant makes the same bytes.
        let mut insert = self.0.prepare_cached(
            "INSERT INTO credential (hash, key, bytes, issued_at)
             VALUES (:hash, :key, :bytes, :now)
             ON CONFLICT (hash) DO NOTHING",
        )?;
        insert.execute(named_params! {
            ":hash": Hash::of(bytes).0,
            ":key": key.0,
            ":bytes": bytes,
            ":now": now.0,
        })?;
        Ok(())
    }

    /// Returns the newest credential that was issued for `key`.
    pub(crate) fn newest_credential(&self, key: &PublicKey) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT bytes FROM credential WHERE key = :key ORDER BY issued_at DESC LIMIT 1",
        )?;
        Ok(query.query_row(named_params! { ":key": key.0 }, |row| row.get("bytes")).optional()?)
    }

    /// Says whether this credential was ever issued to the officer.
    pub(crate) fn credential_is_of(
        &self,
        hash: &Hash,
        officer: OfficerId,
    ) -> Result<bool, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT 1 FROM credential JOIN officer_key ON officer_key.key = credential.key
             WHERE credential.hash = :hash AND officer = :officer",
        )?;
        Ok(query.exists(named_params! { ":hash": hash.0, ":officer": officer.as_bytes() })?)
    }

    /// Returns the officer to whom this credential was issued.
    pub(crate) fn credential_holder(&self, hash: &Hash) -> Result<Option<OfficerId>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT officer FROM credential JOIN officer_key ON officer_key.key = credential.key
             WHERE credential.hash = :hash",
        )?;
        let officer = query.query_row(named_params! { ":hash": hash.0 }, |row| {
            row.get("officer").map(|bytes| OfficerId(uuid::Uuid::from_bytes(bytes)))
        });
        Ok(officer.optional()?)
    }

    /// Returns the officers' keys on the device whose newest credential is older than `before`.
    pub(crate) fn keys_to_renew(
        &self,
        device: DeviceId,
        before: Timestamp,
    ) -> Result<Vec<OfficerKey>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT key, officer FROM officer_key WHERE device = :device AND NOT EXISTS (
                 SELECT 1 FROM credential
                 WHERE credential.key = officer_key.key AND issued_at > :before
             )",
        )?;
        let rows = query.query_map(
            named_params! { ":device": device.as_bytes(), ":before": before.0 },
            |row| {
                Ok(OfficerKey {
                    key: PublicKey(row.get("key")?),
                    officer: OfficerId(uuid::Uuid::from_bytes(row.get("officer")?)),
                    device,
                })
            },
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns every key of the officer with its device.
    pub(crate) fn devices_of(&self, officer: OfficerId) -> Result<Vec<OfficerKey>, StoreError> {
        let mut query = self
            .0
            .prepare_cached("SELECT key, device FROM officer_key WHERE officer = :officer")?;
        let rows = query.query_map(named_params! { ":officer": officer.as_bytes() }, |row| {
            Ok(OfficerKey {
                key: PublicKey(row.get("key")?),
                officer,
                device: DeviceId(uuid::Uuid::from_bytes(row.get("device")?)),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
