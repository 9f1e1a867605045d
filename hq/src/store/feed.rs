//! The feed: signed items in the order in which HQ issued them.

use sync_model::id::DeviceId;

use super::{StoreError, Tx, params};

/// A signed item.
pub(crate) struct FeedRow {
    pub(crate) index: u64,
    pub(crate) kind: String,
    pub(crate) bytes: Vec<u8>,
}

impl Tx<'_> {
    /// Returns the index that the next item will have.
    pub(crate) fn next_feed_index(&self) -> Result<u64, StoreError> {
        if let Some(known) = self.next_feed_index.get() {
            return Ok(known);
        }
        self.one("SELECT COALESCE(MAX(idx), 0) + 1 AS next FROM feed", &params! {}, |row| {
            row.get("next")
        })
    }

    /// Adds a signed item at `index`.
    pub(crate) fn insert_feed_item(
        &self,
        index: u64,
        device: Option<DeviceId>,
        kind: &str,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        self.next_feed_index.set(Some(index.saturating_add(1)));
        self.run(
            "INSERT INTO feed (idx, device, kind, bytes) VALUES (:index, :device, :kind, :bytes)",
            &params! {
                ":index": index,
                ":device": device.as_ref(),
                ":kind": kind,
                ":bytes": bytes,
            },
        )
    }

    /// Returns the newest index for the device; 0 if there is none.
    pub(crate) fn feed_head(&self, device: DeviceId) -> Result<u64, StoreError> {
        // Two index look-ups; one MAX over an OR would scan.
        self.one(
            "SELECT COALESCE(MAX(last), 0) AS head FROM (
                 SELECT MAX(idx) AS last FROM feed WHERE device = :device
                 UNION ALL
                 SELECT MAX(idx) AS last FROM feed WHERE device IS NULL
             ) AS newest",
            &params! { ":device": &device },
            |row| row.get("head"),
        )
    }

    /// Returns items for the device after `after`, at most `limit` and `bytes_max` bytes; the first
    /// one is returned whatever its size. Without `all`, only the kinds of protocol 1, which a device
    /// of the first release can read ([`sync_model::wire::feed::FEED_KINDS_V1`]). Of status lists
    /// only the newest: the others hold no more.
    pub(crate) fn feed_after(
        &self,
        device: DeviceId,
        after: u64,
        limit: u64,
        bytes_max: usize,
        all: bool,
    ) -> Result<Vec<FeedRow>, StoreError> {
        // Lengths first: no more than a page is ever read into memory.
        let lengths: Vec<(u64, usize)> = self.rows(
            "SELECT idx, length(bytes) AS length FROM (
                 SELECT idx, kind, bytes FROM feed WHERE device = :device AND idx > :after
                 UNION ALL
                 SELECT idx, kind, bytes FROM feed WHERE device IS NULL AND idx > :after
             ) AS item
             WHERE (CAST(:all AS BIGINT) = 1 OR kind IN
               ('rulebook', 'assignment', 'number_lease', 'credential', 'acceptance', 'command'))
               AND (kind <> 'status' OR idx = (SELECT MAX(idx) FROM feed
                 WHERE device IS NULL AND kind = 'status'))
             ORDER BY idx LIMIT :limit",
            &params! { ":device": &device, ":after": after, ":limit": limit, ":all": all },
            |row| {
                let length: u64 = row.get("length")?;
                Ok((row.get("idx")?, usize::try_from(length).unwrap_or(usize::MAX)))
            },
        )?;
        let mut total = 0_usize;
        let (mut last, mut count) = (after, 0_u64);
        for (index, length) in lengths {
            total = total.saturating_add(length);
            if total > bytes_max && count > 0 {
                break;
            }
            (last, count) = (index, count.saturating_add(1));
        }
        if count == 0 {
            return Ok(Vec::new());
        }
        self.rows(
            "SELECT idx, kind, bytes FROM (
                 SELECT idx, kind, bytes FROM feed
                 WHERE device = :device AND idx > :after AND idx <= :last
                 UNION ALL
                 SELECT idx, kind, bytes FROM feed
                 WHERE device IS NULL AND idx > :after AND idx <= :last
             ) AS item
             WHERE (CAST(:all AS BIGINT) = 1 OR kind IN
               ('rulebook', 'assignment', 'number_lease', 'credential', 'acceptance', 'command'))
               AND (kind <> 'status' OR idx = (SELECT MAX(idx) FROM feed
                 WHERE device IS NULL AND kind = 'status'))
             ORDER BY idx",
            &params! { ":device": &device, ":after": after, ":last": last, ":all": all },
            |row| {
                Ok(FeedRow {
                    index: row.get("idx")?,
                    kind: row.get("kind")?,
                    bytes: row.get("bytes")?,
                })
            },
        )
    }
}
