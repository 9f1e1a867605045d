//! Parts of files that are not whole yet, in order, without a gap.

use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::time::Timestamp;

use super::{StoreError, Tx, params};

/// A durable part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Offset of its first byte.
    pub(crate) start: u64,
    /// Length.
    pub(crate) bytes: u64,
    /// Its hash.
    pub(crate) digest: Hash,
}

impl Part {
    /// Returns the offset after its last byte.
    pub(crate) fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes)
    }
}

/// Where an upload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Length that the record cites.
    pub(crate) cited: u64,
    /// Length of the file, if it is whole.
    pub(crate) whole: Option<u64>,
    /// Offset up to which there are parts.
    pub(crate) reached: u64,
}

impl Tx<'_> {
    /// Returns the offset up to which parts of the file stand without a gap.
    pub(crate) fn parts_end(&self, sha256: &Hash) -> Result<u64, StoreError> {
        let last = self.first(
            "SELECT start, bytes FROM blob_part WHERE sha256 = :sha256 ORDER BY start DESC LIMIT 1",
            &params! { ":sha256": sha256 },
            |row| Ok((row.get::<u64>("start")?, row.get::<u64>("bytes")?)),
        )?;
        Ok(last.map_or(0, |(start, bytes)| start.saturating_add(bytes)))
    }

    /// Returns where the device's upload of a file stands; `None` if no record of it cites the file.
    pub(crate) fn standing(
        &self,
        device: DeviceId,
        sha256: &Hash,
    ) -> Result<Option<Standing>, StoreError> {
        self.first(
            "SELECT cited.bytes AS bytes, blob.bytes AS whole,
                 (SELECT MAX(start + bytes) FROM blob_part WHERE sha256 = :sha256) AS reached
             FROM blob_citation AS cited LEFT JOIN blob ON blob.sha256 = cited.sha256
             WHERE cited.device = :device AND cited.sha256 = :sha256",
            &params! { ":device": &device, ":sha256": sha256 },
            |row| {
                let reached: Option<u64> = row.get("reached")?;
                Ok(Standing {
                    cited: row.get("bytes")?,
                    whole: row.get("whole")?,
                    reached: reached.unwrap_or(0),
                })
            },
        )
    }

    /// Returns the parts of the file in order.
    pub(crate) fn parts(&self, sha256: &Hash) -> Result<Vec<Part>, StoreError> {
        self.rows(
            "SELECT start, bytes, digest FROM blob_part WHERE sha256 = :sha256 ORDER BY start",
            &params! { ":sha256": sha256 },
            |row| {
                Ok(Part {
                    start: row.get("start")?,
                    bytes: row.get("bytes")?,
                    digest: row.get("digest")?,
                })
            },
        )
    }

    /// Notes a part if it stands at the end of those noted; says whether it does.
    pub(crate) fn note_part(
        &self,
        sha256: &Hash,
        part: &Part,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if self.parts_end(sha256)? != part.start {
            return Ok(false);
        }
        let noted = self.execute(
            "INSERT INTO blob_part (sha256, start, bytes, digest, noted_at)
             VALUES (:sha256, :start, :bytes, :digest, :now)
             ON CONFLICT (sha256, start) DO NOTHING",
            &params! {
                ":sha256": sha256,
                ":start": part.start,
                ":bytes": part.bytes,
                ":digest": &part.digest,
                ":now": now,
            },
        )?;
        Ok(noted == 1)
    }

    /// Forgets the parts of the file that start at `start` or after it.
    pub(crate) fn forget_parts(&self, sha256: &Hash, start: u64) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM blob_part WHERE sha256 = :sha256 AND start >= :start",
            &params! { ":sha256": sha256, ":start": start },
        )
    }

    /// Returns up to `limit` files to which no part was added since `before`.
    pub(crate) fn abandoned(&self, before: Timestamp, limit: u32) -> Result<Vec<Hash>, StoreError> {
        self.rows(
            "SELECT DISTINCT sha256 FROM blob_part AS old WHERE noted_at < :before
             AND NOT EXISTS (SELECT 1 FROM blob_part AS newer
                 WHERE newer.sha256 = old.sha256 AND newer.noted_at >= :before)
             LIMIT :limit",
            &params! { ":before": before, ":limit": limit },
            |row| row.get("sha256"),
        )
    }
}
