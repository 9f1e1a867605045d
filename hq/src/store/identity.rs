//! Whose log this store holds.

use sync_model::cose::PublicKey;

use super::{StoreError, Tx, params};

impl Tx<'_> {
    /// Returns the key of the log; the first caller's is kept for ever.
    pub(crate) fn claim_log(&self, log_key: &PublicKey) -> Result<PublicKey, StoreError> {
        if let Some(known) = self.log_key()? {
            return Ok(known);
        }
        self.run("INSERT INTO identity (log_key) VALUES (:key)", &params! { ":key": log_key })?;
        Ok(*log_key)
    }

    /// Returns the key of the log, or `None` before any HQ opened the store.
    pub(crate) fn log_key(&self) -> Result<Option<PublicKey>, StoreError> {
        self.first("SELECT log_key FROM identity", &params! {}, |row| row.get("log_key"))
    }
}
