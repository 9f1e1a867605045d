//! What is in the archive and what is not yet.

use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::time::Timestamp;

use super::{StoreError, Tx, params};

/// Records in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pack {
    /// Log index of the first.
    pub(crate) first: u64,
    /// How many.
    pub(crate) count: u64,
    /// Hash of the pack.
    pub(crate) sha256: Hash,
    /// Its length.
    pub(crate) bytes: u64,
}

/// A record as the archive keeps it.
pub(crate) struct PackRow {
    pub(crate) device: DeviceId,
    pub(crate) bytes: Vec<u8>,
    pub(crate) received_at: Timestamp,
}

impl Tx<'_> {
    /// Lets a whole file wait for the archive.
    pub(crate) fn queue_for_archive(&self, sha256: &Hash, bytes: u64) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO archive_blob (sha256, bytes) VALUES (:sha256, :bytes)
             ON CONFLICT (sha256) DO NOTHING",
            &params! { ":sha256": sha256, ":bytes": bytes },
        )
    }

    /// Forgets the archive: everything is to be archived anew.
    pub(crate) fn forget_archive(&self) -> Result<(), StoreError> {
        self.run("DELETE FROM archive_pack", &params! {})?;
        self.run("DELETE FROM archive_blob", &params! {})?;
        self.run("DELETE FROM archive_wanted", &params! {})?;
        self.run(
            "INSERT INTO archive_blob (sha256, bytes) SELECT sha256, bytes FROM blob",
            &params! {},
        )?;
        self.run(
            "INSERT INTO archive_wanted (device, log_index, sha256)
             SELECT device, log_index, sha256 FROM blob_citation",
            &params! {},
        )
    }

    /// Returns up to `limit` whole files that are not in the archive, after `after` in order of
    /// name.
    pub(crate) fn blobs_to_archive(
        &self,
        after: Option<&Hash>,
        limit: u32,
    ) -> Result<Vec<(Hash, u64)>, StoreError> {
        let after = after.map_or(&[][..], |after| &after.0);
        self.rows(
            "SELECT sha256, bytes FROM archive_blob WHERE sha256 > :after
             ORDER BY sha256 LIMIT :limit",
            &params! { ":after": after, ":limit": limit },
            |row| Ok((row.get("sha256")?, row.get("bytes")?)),
        )
    }

    /// Notes that the file is in the archive, read back and right.
    pub(crate) fn blob_archived(&self, sha256: &Hash) -> Result<(), StoreError> {
        let named = params! { ":sha256": sha256 };
        self.run("DELETE FROM archive_blob WHERE sha256 = :sha256", &named)?;
        self.run("DELETE FROM archive_wanted WHERE sha256 = :sha256", &named)
    }

    /// Returns how many records of the log are in the archive, from the first without a gap.
    pub(crate) fn archived_records(&self) -> Result<u64, StoreError> {
        let last = self.first(
            "SELECT first, count FROM archive_pack ORDER BY first DESC LIMIT 1",
            &params! {},
            |row| Ok((row.get::<u64>("first")?, row.get::<u64>("count")?)),
        )?;
        Ok(last.map_or(0, |(first, count)| first.saturating_add(count)))
    }

    /// Notes a pack that continues the archive; another process may have been first.
    pub(crate) fn note_pack(&self, pack: &Pack, now: Timestamp) -> Result<(), StoreError> {
        if self.archived_records()? != pack.first {
            return Ok(());
        }
        self.run(
            "INSERT INTO archive_pack (first, count, sha256, bytes, archived_at)
             VALUES (:first, :count, :sha256, :bytes, :now) ON CONFLICT (first) DO NOTHING",
            &params! {
                ":first": pack.first,
                ":count": pack.count,
                ":sha256": &pack.sha256,
                ":bytes": pack.bytes,
                ":now": now,
            },
        )
    }

    /// Returns up to `limit` records of the log from `first`, in order.
    pub(crate) fn pack_rows(&self, first: u64, limit: u64) -> Result<Vec<PackRow>, StoreError> {
        self.rows(
            "SELECT record.device AS device, record.received_at AS received_at,
                 record_body.bytes AS bytes
             FROM record JOIN record_body ON record_body.log_index = record.log_index
             WHERE record.log_index >= :first ORDER BY record.log_index LIMIT :limit",
            &params! { ":first": first, ":limit": limit },
            |row| {
                Ok(PackRow {
                    device: row.get("device")?,
                    bytes: row.get("bytes")?,
                    received_at: row.get("received_at")?,
                })
            },
        )
    }

    /// Returns up to `limit` cited files that are not whole here, with the cited length, in order of
    /// name after `after`.
    pub(crate) fn files_wanted_after(
        &self,
        after: Option<&Hash>,
        limit: u32,
    ) -> Result<Vec<(Hash, u64)>, StoreError> {
        let after = after.map_or(&[][..], |after| &after.0);
        self.rows(
            "SELECT DISTINCT cited.sha256 AS sha256, cited.bytes AS bytes
             FROM blob_wanted AS wanted JOIN blob_citation AS cited
               ON cited.device = wanted.device AND cited.sha256 = wanted.sha256
             WHERE wanted.sha256 > :after ORDER BY cited.sha256 LIMIT :limit",
            &params! { ":after": after, ":limit": limit },
            |row| Ok((row.get("sha256")?, row.get("bytes")?)),
        )
    }

    /// Returns the log index of the first record of the device of which a file is not archived.
    pub(crate) fn first_unarchived(&self, device: DeviceId) -> Result<Option<u64>, StoreError> {
        self.first(
            "SELECT log_index FROM archive_wanted WHERE device = :device
             ORDER BY log_index LIMIT 1",
            &params! { ":device": &device },
            |row| row.get("log_index"),
        )
    }
}
