//! Which files records cite, which of them HQ holds whole, and which it still wants.

use std::collections::HashSet;

use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::record::{BlobRef, BlobRole};
use sync_model::time::Timestamp;

use super::{StoreError, Tx, Value, params};

/// Returns the order in which HQ wants files: what a reader needs first comes first.
fn rank(role: BlobRole) -> i64 {
    match role {
        BlobRole::Thumbnail | BlobRole::Content | BlobRole::Text => 0,
        BlobRole::Original => 1,
        BlobRole::Watermarked => 2,
    }
}

impl Tx<'_> {
    /// Notes which files records cite: place of the record in the log, its device, the file.
    pub(crate) fn cite_blobs(&self, cited: &[(u64, DeviceId, &BlobRef)]) -> Result<(), StoreError> {
        // The first citation of a file counts.
        let mut seen = HashSet::new();
        let mut firsts = cited.to_vec();
        firsts.retain(|(_, device, blob)| seen.insert((*device, blob.sha256)));
        let rows: Vec<Vec<Value<'_>>> = firsts
            .iter()
            .map(|(log_index, device, blob)| {
                vec![
                    device.into(),
                    (&blob.sha256).into(),
                    blob.bytes.into(),
                    (&blob.media).into(),
                    (*log_index).into(),
                ]
            })
            .collect();
        self.run_many(
            "INSERT INTO blob_citation (device, sha256, bytes, media, log_index)
             VALUES (:device, :sha256, :bytes, :media, :log_index)
             ON CONFLICT (device, sha256) DO NOTHING",
            &rows,
        )?;
        for (log_index, device, blob) in &firsts {
            self.run(
                "INSERT INTO blob_wanted (device, rank, log_index, sha256)
                 SELECT device, CAST(:rank AS BIGINT), log_index, sha256 FROM blob_citation
                 WHERE device = :device AND sha256 = :sha256 AND log_index = :log_index
                 AND NOT EXISTS (SELECT 1 FROM blob WHERE blob.sha256 = :sha256)",
                &params! {
                    ":device": device,
                    ":rank": rank(blob.role),
                    ":log_index": *log_index,
                    ":sha256": &blob.sha256,
                },
            )?;
            self.run(
                "INSERT INTO archive_wanted (device, log_index, sha256)
                 SELECT device, log_index, sha256 FROM blob_citation
                 WHERE device = :device AND sha256 = :sha256 AND log_index = :log_index
                 AND (NOT EXISTS (SELECT 1 FROM blob WHERE blob.sha256 = :sha256)
                     OR EXISTS (SELECT 1 FROM archive_blob WHERE archive_blob.sha256 = :sha256))",
                &params! {
                    ":device": device,
                    ":log_index": *log_index,
                    ":sha256": &blob.sha256,
                },
            )?;
        }
        Ok(())
    }

    /// Returns the media type under which the device cites the file.
    pub(crate) fn cited_media(
        &self,
        device: DeviceId,
        sha256: &Hash,
    ) -> Result<Option<String>, StoreError> {
        self.first(
            "SELECT media FROM blob_citation WHERE device = :device AND sha256 = :sha256",
            &params! { ":device": &device, ":sha256": sha256 },
            |row| row.get("media"),
        )
    }

    /// Returns the length of the file if HQ holds it whole.
    pub(crate) fn blob_complete(&self, sha256: &Hash) -> Result<Option<u64>, StoreError> {
        self.first(
            "SELECT bytes FROM blob WHERE sha256 = :sha256",
            &params! { ":sha256": sha256 },
            |row| row.get("bytes"),
        )
    }

    /// Notes that the file is whole, verified and durable.
    pub(crate) fn complete_blob(
        &self,
        sha256: &Hash,
        bytes: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let new = self.execute(
            "INSERT INTO blob (sha256, bytes, completed_at) VALUES (:sha256, :bytes, :now)
             ON CONFLICT (sha256) DO NOTHING",
            &params! { ":sha256": sha256, ":bytes": bytes, ":now": now },
        )?;
        if new == 1 {
            self.queue_for_archive(sha256, bytes)?;
        }
        self.run("DELETE FROM blob_wanted WHERE sha256 = :sha256", &params! { ":sha256": sha256 })
    }

    /// Returns up to `limit` files that HQ wants from the device, most wanted first.
    pub(crate) fn wanted(&self, device: DeviceId, limit: u32) -> Result<Vec<Hash>, StoreError> {
        self.rows(
            "SELECT sha256 FROM blob_wanted WHERE device = :device
             ORDER BY rank, log_index, sha256 LIMIT :limit",
            &params! { ":device": &device, ":limit": limit },
            |row| row.get("sha256"),
        )
    }

    /// Returns up to `limit` files that HQ holds whole, with their lengths, in order of name after
    /// `after`.
    pub(crate) fn complete_blobs(
        &self,
        after: Option<&Hash>,
        limit: u64,
    ) -> Result<Vec<(Hash, u64)>, StoreError> {
        let after = after.map_or(&[][..], |after| &after.0);
        self.rows(
            "SELECT sha256, bytes FROM blob WHERE sha256 > :after ORDER BY sha256 LIMIT :limit",
            &params! { ":after": after, ":limit": limit },
            |row| Ok((row.get("sha256")?, row.get("bytes")?)),
        )
    }
}
