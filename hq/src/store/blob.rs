//! Which files records cite, which of them HQ holds whole, and which it still wants.

use rusqlite::{OptionalExtension, named_params};
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::record::{BlobRef, BlobRole};
use sync_model::time::Timestamp;

use super::{StoreError, Tx, signed, unsigned};

/// What the first citing record of a device states about a file.
pub(crate) struct Citation {
    pub(crate) bytes: u64,
    pub(crate) media: String,
}

/// Returns the order in which HQ wants files: what a reader needs first comes first.
fn rank(role: BlobRole) -> i64 {
    match role {
        BlobRole::Thumbnail | BlobRole::Content | BlobRole::Text => 0,
        BlobRole::Original => 1,
        BlobRole::Watermarked => 2,
    }
}

impl Tx<'_> {
    /// Notes that the record at `log_index` cites the file.
    pub(crate) fn cite_blob(
        &self,
        device: DeviceId,
        blob: &BlobRef,
        log_index: u64,
    ) -> Result<(), StoreError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO blob_citation (device, sha256, bytes, media, log_index)
             VALUES (:device, :sha256, :bytes, :media, :log_index)
             ON CONFLICT (device, sha256) DO NOTHING",
        )?;
        let added = insert.execute(named_params! {
            ":device": device.as_bytes(),
            ":sha256": blob.sha256.0,
            ":bytes": signed(blob.bytes),
            ":media": blob.media,
            ":log_index": signed(log_index),
        })?;
        if added == 0 || self.blob_complete(&blob.sha256)?.is_some() {
            return Ok(());
        }
        let mut insert = self.0.prepare_cached(
            "INSERT INTO blob_wanted (device, rank, log_index, sha256)
             VALUES (:device, :rank, :log_index, :sha256)",
        )?;
        insert.execute(named_params! {
            ":device": device.as_bytes(),
            ":rank": rank(blob.role),
            ":log_index": signed(log_index),
            ":sha256": blob.sha256.0,
        })?;
        Ok(())
    }

    /// Returns the device's citation of the file.
    pub(crate) fn citation(
        &self,
        device: DeviceId,
        sha256: &Hash,
    ) -> Result<Option<Citation>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT bytes, media FROM blob_citation WHERE device = :device AND sha256 = :sha256",
        )?;
        let row: Option<(i64, String)> = query
            .query_row(named_params! { ":device": device.as_bytes(), ":sha256": sha256.0 }, |row| {
                Ok((row.get("bytes")?, row.get("media")?))
            })
            .optional()?;
        row.map(|(bytes, media)| Ok(Citation { bytes: unsigned(bytes, "blob length")?, media }))
            .transpose()
    }

    /// Returns the length of the file if HQ holds it whole.
    pub(crate) fn blob_complete(&self, sha256: &Hash) -> Result<Option<u64>, StoreError> {
        let mut query = self.0.prepare_cached("SELECT bytes FROM blob WHERE sha256 = :sha256")?;
        let bytes: Option<i64> = query
            .query_row(named_params! { ":sha256": sha256.0 }, |row| row.get("bytes"))
            .optional()?;
        bytes.map(|bytes| unsigned(bytes, "blob length")).transpose()
    }

    /// Notes that the file is whole, verified and durable.
    pub(crate) fn complete_blob(
        &self,
        sha256: &Hash,
        bytes: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO blob (sha256, bytes, completed_at) VALUES (:sha256, :bytes, :now)
             ON CONFLICT (sha256) DO NOTHING",
        )?;
        insert.execute(named_params! {
            ":sha256": sha256.0,
            ":bytes": signed(bytes),
            ":now": now.0,
        })?;
        let mut delete = self.0.prepare_cached("DELETE FROM blob_wanted WHERE sha256 = :sha256")?;
        delete.execute(named_params! { ":sha256": sha256.0 })?;
        Ok(())
    }

    /// Returns up to `limit` files that HQ wants from the device, most wanted first.
    pub(crate) fn wanted(&self, device: DeviceId, limit: u32) -> Result<Vec<Hash>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT sha256 FROM blob_wanted WHERE device = :device
             ORDER BY rank, log_index, sha256 LIMIT :limit",
        )?;
        let rows = query
            .query_map(named_params! { ":device": device.as_bytes(), ":limit": limit }, |row| {
                row.get("sha256").map(Hash)
            })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns every file that HQ holds whole, with its length.
    pub(crate) fn complete_blobs(&self) -> Result<Vec<(Hash, u64)>, StoreError> {
        let mut query = self.0.prepare("SELECT sha256, bytes FROM blob ORDER BY sha256")?;
        let rows = query
            .query_map([], |row| Ok((row.get("sha256").map(Hash)?, row.get::<_, i64>("bytes")?)))?;
        rows.map(|row| {
            let (sha256, bytes) = row?;
            Ok((sha256, unsigned(bytes, "blob length")?))
        })
        .collect()
    }
}
