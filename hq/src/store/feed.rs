//! The feed: signed items in the order in which HQ issued them.

use rusqlite::named_params;
use sync_model::id::DeviceId;

use super::{StoreError, Tx, signed, unsigned};

impl Tx<'_> {
    /// Returns the index that the next item will have.
    pub(crate) fn next_feed_index(&self) -> Result<u64, StoreError> {
        let mut query =
            self.0.prepare_cached("SELECT COALESCE(MAX(idx), 0) + 1 AS next FROM feed")?;
        unsigned(query.query_row([], |row| row.get("next"))?, "feed index")
    }

    /// Adds a signed item at `index`.
    pub(crate) fn insert_feed_item(
        &self,
        index: u64,
        device: Option<DeviceId>,
        kind: &str,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO feed (idx, device, kind, bytes) VALUES (:index, :device, :kind, :bytes)",
        )?;
        insert.execute(named_params! {
            ":index": signed(index),
            ":device": device.map(|device| *device.as_bytes()),
            ":kind": kind,
            ":bytes": bytes,
        })?;
        Ok(())
    }

    /// Returns the newest index for the device; 0 if there is none.
    pub(crate) fn feed_head(&self, device: DeviceId) -> Result<u64, StoreError> {
        // Two index look-ups; one MAX over an OR would scan.
        let mut query = self.0.prepare_cached(
            "SELECT MAX(
                 COALESCE((SELECT MAX(idx) FROM feed WHERE device = :device), 0),
                 COALESCE((SELECT MAX(idx) FROM feed WHERE device IS NULL), 0)
             ) AS head",
        )?;
        let head = query
            .query_row(named_params! { ":device": device.as_bytes() }, |row| row.get("head"))?;
        unsigned(head, "feed index")
    }

    /// Returns items for the device after `after`, at most `limit` and `bytes_max` bytes; the first
    /// one is returned whatever its size.
    pub(crate) fn feed_after(
        &self,
        device: DeviceId,
        after: u64,
        limit: u64,
        bytes_max: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT idx, bytes FROM (
                 SELECT idx, bytes FROM feed WHERE device = :device AND idx > :after
                 UNION ALL
                 SELECT idx, bytes FROM feed WHERE device IS NULL AND idx > :after
             ) ORDER BY idx LIMIT :limit",
        )?;
        let mut rows = query.query(named_params! {
            ":device": device.as_bytes(),
            ":after": signed(after),
            ":limit": signed(limit),
        })?;
        let (mut items, mut total) = (Vec::new(), 0_usize);
        while let Some(row) = rows.next()? {
            let bytes: Vec<u8> = row.get("bytes")?;
            total = total.saturating_add(bytes.len());
            if total > bytes_max && !items.is_empty() {
                break;
            }
            items.push(bytes);
        }
        Ok(items)
    }
}
