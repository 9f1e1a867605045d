//! Every rulebook that HQ ever issued, by hash: an old decision is judged by the law it pinned.

use rusqlite::{OptionalExtension, named_params};
use sync_model::hash::Hash;
use sync_model::time::Timestamp;

use super::{StoreError, Tx};

impl Tx<'_> {
    /// Keeps an issued rulebook.
    pub(crate) fn insert_rulebook(
        &self,
        hash: &Hash,
        version: u32,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO rulebook (hash, version, bytes, issued_at)
             VALUES (:hash, :version, :bytes, :now)",
        )?;
        insert.execute(named_params! {
            ":hash": hash.0,
            ":version": version,
            ":bytes": bytes,
            ":now": now.0,
        })?;
        Ok(())
    }

    /// Returns the canonical bytes of the rulebook with this hash.
    pub(crate) fn rulebook(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query = self.0.prepare_cached("SELECT bytes FROM rulebook WHERE hash = :hash")?;
        Ok(query.query_row(named_params! { ":hash": hash.0 }, |row| row.get("bytes")).optional()?)
    }

    /// Returns hash and version of the newest rulebook.
    pub(crate) fn newest_rulebook(&self) -> Result<Option<(Hash, u32)>, StoreError> {
        let mut query = self
            .0
            .prepare_cached("SELECT hash, version FROM rulebook ORDER BY version DESC LIMIT 1")?;
        Ok(query
            .query_row([], |row| Ok((row.get("hash").map(Hash)?, row.get("version")?)))
            .optional()?)
    }
}
