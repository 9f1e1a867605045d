//! Records in custody, in the order of the log. Nothing here is ever changed.

use rusqlite::{OptionalExtension, named_params};
use sync_model::chain::Head;
use sync_model::hash::Hash;
use sync_model::id::{DeviceId, InspectionId};
use sync_model::record::Record;
use sync_model::time::Timestamp;

use super::{StoreError, Tx, signed, unsigned};

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
        let mut query = self.0.prepare_cached(
            "SELECT seq, hash FROM record WHERE device = :device ORDER BY seq DESC LIMIT 1",
        )?;
        let row: Option<(i64, [u8; 32])> = query
            .query_row(named_params! { ":device": device.as_bytes() }, |row| {
                Ok((row.get("seq")?, row.get("hash")?))
            })
            .optional()?;
        row.map(|(seq, hash)| Ok(Head { seq: unsigned(seq, "seq")?, hash: Hash(hash) })).transpose()
    }

    /// Returns what stands at `seq` of the device's chain.
    pub(crate) fn record_at(
        &self,
        device: DeviceId,
        seq: u64,
    ) -> Result<Option<StoredRecord>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT hash, log_index FROM record WHERE device = :device AND seq = :seq",
        )?;
        let row: Option<([u8; 32], i64)> = query
            .query_row(named_params! { ":device": device.as_bytes(), ":seq": signed(seq) }, |row| {
                Ok((row.get("hash")?, row.get("log_index")?))
            })
            .optional()?;
        row.map(|(hash, index)| {
            Ok(StoredRecord { hash: Hash(hash), log_index: unsigned(index, "log index")? })
        })
        .transpose()
    }

    /// Stores the record at `log_index`.
    pub(crate) fn insert_record(
        &self,
        log_index: u64,
        record: &Record,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let envelope = &record.envelope;
        let mut insert = self.0.prepare_cached(
            "INSERT INTO record (log_index, hash, device, seq, kind, inspection, bytes, received_at)
             VALUES (:log_index, :hash, :device, :seq, :kind, :inspection, :bytes, :now)",
        )?;
        insert.execute(named_params! {
            ":log_index": signed(log_index),
            ":hash": record.hash.0,
            ":device": envelope.device.as_bytes(),
            ":seq": signed(envelope.seq),
            ":kind": envelope.act.kind,
            ":inspection": envelope.inspection.map(|inspection| *inspection.as_bytes()),
            ":bytes": record.bytes,
            ":now": now.0,
        })?;
        Ok(())
    }

    /// Says whether the device's chain holds an act of `kind` in this visit before `seq`.
    pub(crate) fn visit_has(
        &self,
        device: DeviceId,
        inspection: InspectionId,
        kind: &str,
        before: u64,
    ) -> Result<bool, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT 1 FROM record WHERE inspection = :inspection AND device = :device
             AND seq < :before AND kind = :kind",
        )?;
        Ok(query.exists(named_params! {
            ":inspection": inspection.as_bytes(),
            ":device": device.as_bytes(),
            ":before": signed(before),
            ":kind": kind,
        })?)
    }

    /// Returns the bytes of the record with this hash.
    pub(crate) fn record_bytes(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query = self.0.prepare_cached("SELECT bytes FROM record WHERE hash = :hash")?;
        Ok(query.query_row(named_params! { ":hash": hash.0 }, |row| row.get("bytes")).optional()?)
    }

    /// Calls `visit` with every record in order of the log, until it says stop.
    pub(crate) fn each_record(
        &self,
        mut visit: impl FnMut(VerifyRow) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut query = self.0.prepare(
            "SELECT log_index, hash, device, seq, kind, bytes FROM record ORDER BY log_index",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let verify = VerifyRow {
                log_index: unsigned(row.get("log_index")?, "log index")?,
                hash: Hash(row.get("hash")?),
                device: DeviceId(uuid::Uuid::from_bytes(row.get("device")?)),
                seq: unsigned(row.get("seq")?, "seq")?,
                kind: row.get("kind")?,
                bytes: row.get("bytes")?,
            };
            if !visit(verify)? {
                break;
            }
        }
        Ok(())
    }
}
