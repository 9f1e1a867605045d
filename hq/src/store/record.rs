//! Records in custody, in the order of the log. Nothing here is ever changed.

use sync_model::chain::Head;
use sync_model::hash::Hash;
use sync_model::id::{DeviceId, InspectionId};
use sync_model::record::Record;
use sync_model::time::Timestamp;

use super::{StoreError, Tx, Value, params};

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredRecord {
    pub(crate) hash: Hash,
    pub(crate) log_index: u64,
}

/// A whole row, for checking the store against itself.
pub(crate) struct VerifyRow {
    pub(crate) log_index: u64,
    pub(crate) hash: Hash,
    pub(crate) device: DeviceId,
    pub(crate) seq: u64,
    pub(crate) kind: String,
    pub(crate) bytes: Vec<u8>,
}

impl Tx<'_> {
    /// Returns the end of the device's chain, or `None` before its first record.
    pub(crate) fn head(&self, device: DeviceId) -> Result<Option<Head>, StoreError> {
        self.first(
            "SELECT seq, hash FROM record WHERE device = :device ORDER BY seq DESC LIMIT 1",
            &params! { ":device": &device },
            |row| Ok(Head { seq: row.get("seq")?, hash: row.get("hash")? }),
        )
    }

    /// Returns what stands from `first` to `last` in the device's chain.
    pub(crate) fn records_at(
        &self,
        device: DeviceId,
        first: u64,
        last: u64,
    ) -> Result<Vec<(u64, StoredRecord)>, StoreError> {
        self.rows(
            "SELECT seq, hash, log_index FROM record
             WHERE device = :device AND seq BETWEEN :first AND :last ORDER BY seq LIMIT :limit",
            &params! {
                ":device": &device,
                ":first": first,
                ":last": last,
                ":limit": last.saturating_sub(first).saturating_add(1),
            },
            |row| {
                let held =
                    StoredRecord { hash: row.get("hash")?, log_index: row.get("log_index")? };
                Ok((row.get("seq")?, held))
            },
        )
    }

    /// Stores records at their places in the log.
    pub(crate) fn insert_records(
        &self,
        records: &[(u64, &Record)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some((last, _)) = records.last() else { return Ok(()) };
        let apart = self.room_for_bodies(last.saturating_add(1))?;
        let (mut rows, mut bodies) = (Vec::new(), Vec::new());
        for (log_index, record) in records {
            let (envelope, body) = (&record.envelope, Value::from(&record.bytes));
            let mut row: Vec<Value<'_>> = vec![
                (*log_index).into(),
                (&record.hash).into(),
                (&envelope.device).into(),
                envelope.seq.into(),
                (&envelope.act.kind).into(),
                envelope.inspection.as_ref().into(),
                now.into(),
            ];
            if apart {
                bodies.push(vec![(*log_index).into(), body]);
            } else {
                row.push(body);
            }
            rows.push(row);
        }
        if !apart {
            return self.run_many(
                "INSERT INTO record
                 (log_index, hash, device, seq, kind, inspection, received_at, bytes)
                 VALUES (:log_index, :hash, :device, :seq, :kind, :inspection, :now, :bytes)",
                &rows,
            );
        }
        self.run_many(
            "INSERT INTO record (log_index, hash, device, seq, kind, inspection, received_at)
             VALUES (:log_index, :hash, :device, :seq, :kind, :inspection, :now)",
            &rows,
        )?;
        self.run_many(
            "INSERT INTO record_body (log_index, bytes) VALUES (:log_index, :bytes)",
            &bodies,
        )
    }

    /// Returns where each of `kinds` stands first in the visit, on this device's chain.
    pub(crate) fn visit_firsts(
        &self,
        device: DeviceId,
        inspection: InspectionId,
        kinds: [&str; 9],
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let [a, b, c, d, e, f, g, h, i] = kinds;
        self.rows(
            "SELECT kind, MIN(seq) AS first FROM record
             WHERE inspection = :inspection AND device = :device
             AND kind IN (:a, :b, :c, :d, :e, :f, :g, :h, :i) GROUP BY kind",
            &params! {
                ":inspection": &inspection,
                ":device": &device,
                ":a": a,
                ":b": b,
                ":c": c,
                ":d": d,
                ":e": e,
                ":f": f,
                ":g": g,
                ":h": h,
                ":i": i,
            },
            |row| Ok((row.get("kind")?, row.get("first")?)),
        )
    }

    /// Returns where the record with this hash stands in the log, and since when.
    pub(crate) fn record_place(&self, hash: &Hash) -> Result<Option<(u64, Timestamp)>, StoreError> {
        self.first(
            "SELECT log_index, received_at FROM record WHERE hash = :hash",
            &params! { ":hash": hash },
            |row| Ok((row.get("log_index")?, row.get("received_at")?)),
        )
    }

    /// Returns the bytes of the record with this hash.
    pub(crate) fn record_bytes(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.first(
            "SELECT record_body.bytes AS bytes FROM record
             JOIN record_body ON record_body.log_index = record.log_index
             WHERE hash = :hash",
            &params! { ":hash": hash },
            |row| row.get("bytes"),
        )
    }

    /// Returns up to `limit` records from `from` on, in order of the log.
    pub(crate) fn records_from(&self, from: u64, limit: u64) -> Result<Vec<VerifyRow>, StoreError> {
        self.rows(
            "SELECT record.log_index AS log_index, hash, device, seq, kind,
                 record_body.bytes AS bytes
             FROM record JOIN record_body ON record_body.log_index = record.log_index
             WHERE record.log_index >= :from ORDER BY record.log_index LIMIT :limit",
            &params! { ":from": from, ":limit": limit },
            |row| {
                Ok(VerifyRow {
                    log_index: row.get("log_index")?,
                    hash: row.get("hash")?,
                    device: row.get("device")?,
                    seq: row.get("seq")?,
                    kind: row.get("kind")?,
                    bytes: row.get("bytes")?,
                })
            },
        )
    }
}
