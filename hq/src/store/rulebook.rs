//! Every rulebook that HQ ever issued, by hash: an old decision is judged by the law it pinned.

use sync_model::hash::Hash;
use sync_model::time::Timestamp;

use super::{StoreError, Tx, params};

impl Tx<'_> {
    /// Keeps an issued rulebook.
    pub(crate) fn insert_rulebook(
        &self,
        hash: &Hash,
        version: u32,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO rulebook (hash, version, bytes, issued_at)
             VALUES (:hash, :version, :bytes, :now)",
            &params! { ":hash": hash, ":version": version, ":bytes": bytes, ":now": now },
        )
    }

    /// Returns the canonical bytes of the rulebook with this hash.
    pub(crate) fn rulebook(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.first(
            "SELECT bytes FROM rulebook WHERE hash = :hash",
            &params! { ":hash": hash },
            |row| row.get("bytes"),
        )
    }

    /// Returns hash and version of the newest rulebook.
    pub(crate) fn newest_rulebook(&self) -> Result<Option<(Hash, u32)>, StoreError> {
        self.first(
            "SELECT hash, version FROM rulebook ORDER BY version DESC LIMIT 1",
            &params! {},
            |row| Ok((row.get("hash")?, row.get("version")?)),
        )
    }
}
