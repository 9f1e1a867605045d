//! A device's chain as a whole: for the audit, for healing a hole, and what is wrong with it.

use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::time::Timestamp;

use super::{StoreError, Tx, params};

/// Rows that one question to the database returns.
const PAGE_ROWS: u64 = 10_000;

/// A record beside a place: its seq, hash and log index.
pub(crate) type Neighbour = (u64, Hash, u64);

/// Something that somebody has to look into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AlarmRow {
    pub(crate) device: DeviceId,
    pub(crate) kind: String,
    pub(crate) seq: u64,
    pub(crate) raised_at: Timestamp,
}

impl Tx<'_> {
    /// Returns seq and hash of the device's records up to `last`, ascending, page by page.
    pub(crate) fn chain_hashes(
        &self,
        device: DeviceId,
        last: u64,
    ) -> Result<Vec<(u64, Hash)>, StoreError> {
        let mut found: Vec<(u64, Hash)> = Vec::new();
        loop {
            let after = found.last().map_or(0, |(seq, _)| *seq);
            let page = self.rows(
                "SELECT seq, hash FROM record
                 WHERE device = :device AND seq > :after AND seq <= :last
                 ORDER BY seq LIMIT :limit",
                &params! {
                    ":device": &device,
                    ":after": after,
                    ":last": last,
                    ":limit": PAGE_ROWS,
                },
                |row| Ok((row.get("seq")?, row.get("hash")?)),
            )?;
            if page.is_empty() {
                return Ok(found);
            }
            found.extend(page);
        }
    }

    /// Returns the place in the log of a leaf between two indices, both exclusive.
    pub(crate) fn leaf_between(
        &self,
        leaf: &Hash,
        after: Option<u64>,
        before: u64,
    ) -> Result<Option<u64>, StoreError> {
        self.first(
            "SELECT idx FROM log_node
             WHERE level = 0 AND idx >= :first AND idx < :before AND hash = :leaf LIMIT 1",
            &params! {
                ":first": after.map_or(0, |after| after.saturating_add(1)),
                ":before": before,
                ":leaf": leaf,
            },
            |row| row.get("idx"),
        )
    }

    /// Returns the nearest records of the device around `seq`: before and after it, each with seq,
    /// hash and log index.
    pub(crate) fn neighbours(
        &self,
        device: DeviceId,
        seq: u64,
    ) -> Result<[Option<Neighbour>; 2], StoreError> {
        let params = params! { ":device": &device, ":seq": seq };
        let before = self.first(
            "SELECT seq, hash, log_index FROM record WHERE device = :device AND seq < :seq
             ORDER BY seq DESC LIMIT 1",
            &params,
            |row| Ok((row.get("seq")?, row.get("hash")?, row.get("log_index")?)),
        )?;
        let after = self.first(
            "SELECT seq, hash, log_index FROM record WHERE device = :device AND seq > :seq
             ORDER BY seq LIMIT 1",
            &params,
            |row| Ok((row.get("seq")?, row.get("hash")?, row.get("log_index")?)),
        )?;
        Ok([before, after])
    }

    /// Raises an alarm; says whether it is the first of its kind for the device.
    pub(crate) fn raise_alarm(
        &self,
        device: DeviceId,
        kind: &str,
        seq: u64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let known = self.exists(
            "SELECT 1 FROM alarm WHERE device = :device AND kind = :kind",
            &params! { ":device": &device, ":kind": kind },
        )?;
        self.run(
            "INSERT INTO alarm (device, kind, seq, raised_at)
             VALUES (:device, :kind, :seq, :now) ON CONFLICT (device, kind, seq) DO NOTHING",
            &params! { ":device": &device, ":kind": kind, ":seq": seq, ":now": now },
        )?;
        Ok(!known)
    }

    /// Returns the first alarm of each kind and device.
    pub(crate) fn alarms(&self) -> Result<Vec<AlarmRow>, StoreError> {
        self.rows(
            "SELECT device, kind, MIN(seq) AS seq, MIN(raised_at) AS raised_at FROM alarm
             GROUP BY device, kind ORDER BY device, kind",
            &params! {},
            |row| {
                Ok(AlarmRow {
                    device: row.get("device")?,
                    kind: row.get("kind")?,
                    seq: row.get("seq")?,
                    raised_at: row.get("raised_at")?,
                })
            },
        )
    }
}
