//! Parts of files that are not whole yet, in order, without a gap.

use sync_model::hash::Hash;
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
