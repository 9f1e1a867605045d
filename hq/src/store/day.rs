//! Statements at the close of a day and what HQ holds of what they speak of.

use chrono::NaiveDate;
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::time::Timestamp;
use sync_model::wire::day::{DayStatement, MissingBlob};

use super::{Row, StoreError, Tx, params};

fn statement_from_row(row: &Row<'_>) -> Result<DayStatement, StoreError> {
    Ok(DayStatement {
        seq: row.get("seq")?,
        record: row.get("hash")?,
        stated_at: row.get("stated_at")?,
        last_seq: row.get("last_seq")?,
        head: row.get("head")?,
        blobs: row.get("blobs")?,
        blob_bytes: row.get("blob_bytes")?,
        brought_by: row.get("brought_by")?,
    })
}

impl Tx<'_> {
    /// Keeps a statement; `brought_by` is found by the record's hash where it stands.
    pub(crate) fn insert_statement(
        &self,
        device: DeviceId,
        on: NaiveDate,
        statement: &DayStatement,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO day_statement
               (device, seq, hash, stated_on, stated_at, last_seq, head, blobs, blob_bytes)
             VALUES (:device, :seq, :hash, :on, :at, :last_seq, :head, :blobs, :blob_bytes)
             ON CONFLICT (device, seq, hash) DO NOTHING",
            &params! {
                ":device": &device,
                ":seq": statement.seq,
                ":hash": &statement.record,
                ":on": &on.to_string(),
                ":at": statement.stated_at,
                ":last_seq": statement.last_seq,
                ":head": &statement.head,
                ":blobs": statement.blobs,
                ":blob_bytes": statement.blob_bytes,
            },
        )
    }

    /// Returns the device's last statement of a date.
    pub(crate) fn statement_on(
        &self,
        device: DeviceId,
        on: NaiveDate,
    ) -> Result<Option<DayStatement>, StoreError> {
        self.first(
            "SELECT day_statement.seq, day_statement.hash, stated_at, last_seq, head, blobs,
                    blob_bytes, COALESCE(custody.brought_by, early_record.brought_by) AS brought_by
             FROM day_statement
             LEFT JOIN custody ON custody.hash = day_statement.hash
             LEFT JOIN early_record ON early_record.device = day_statement.device
               AND early_record.seq = day_statement.seq
               AND early_record.hash = day_statement.hash
             WHERE day_statement.device = :device AND stated_on = :on
             ORDER BY day_statement.seq DESC LIMIT 1",
            &params! { ":device": &device, ":on": &on.to_string() },
            statement_from_row,
        )
    }

    /// Returns the place of the last statement before `seq` of another date than `on`, 0 for none.
    pub(crate) fn statement_before(
        &self,
        device: DeviceId,
        seq: u64,
        on: NaiveDate,
    ) -> Result<u64, StoreError> {
        let last: Option<u64> = self.one(
            "SELECT MAX(seq) AS last FROM day_statement
             WHERE device = :device AND seq < :seq AND stated_on <> :on",
            &params! { ":device": &device, ":seq": seq, ":on": &on.to_string() },
            |row| row.get("last"),
        )?;
        Ok(last.unwrap_or(0))
    }

    /// Returns how many of the device's records between two places HQ holds, both inclusive.
    pub(crate) fn records_between(
        &self,
        device: DeviceId,
        first: u64,
        last: u64,
    ) -> Result<u64, StoreError> {
        self.one(
            "SELECT COUNT(*) AS count FROM record
             WHERE device = :device AND seq >= :first AND seq <= :last",
            &params! { ":device": &device, ":first": first, ":last": last },
            |row| row.get("count"),
        )
    }

    /// Returns the places of the device's records that wait for others, up to `last`.
    pub(crate) fn early_seqs(&self, device: DeviceId, last: u64) -> Result<Vec<u64>, StoreError> {
        self.rows(
            "SELECT DISTINCT seq FROM early_record WHERE device = :device AND seq <= :last
             ORDER BY seq LIMIT 100000",
            &params! { ":device": &device, ":last": last },
            |row| row.get("seq"),
        )
    }

    /// Returns number and bytes of the files that the device's records up to `last` cite.
    pub(crate) fn cited(&self, device: DeviceId, last: u64) -> Result<(u64, u64), StoreError> {
        self.one(
            "SELECT COUNT(*) AS count, CAST(COALESCE(SUM(blob_citation.bytes), 0) AS BIGINT) AS size
             FROM blob_citation JOIN record ON record.log_index = blob_citation.log_index
             WHERE blob_citation.device = :device AND record.device = :device
               AND record.seq <= :last",
            &params! { ":device": &device, ":last": last },
            |row| Ok((row.get("count")?, row.get("size")?)),
        )
    }

    /// Returns how many of those files HQ does not hold whole.
    pub(crate) fn cited_missing_count(
        &self,
        device: DeviceId,
        last: u64,
    ) -> Result<u64, StoreError> {
        self.one(
            "SELECT COUNT(*) AS count
             FROM blob_citation JOIN record ON record.log_index = blob_citation.log_index
             LEFT JOIN blob ON blob.sha256 = blob_citation.sha256
             WHERE blob_citation.device = :device AND record.device = :device
               AND record.seq <= :last AND blob.sha256 IS NULL",
            &params! { ":device": &device, ":last": last },
            |row| row.get("count"),
        )
    }

    /// Returns those files, at most `limit`, in the order in which they were cited.
    pub(crate) fn cited_missing(
        &self,
        device: DeviceId,
        last: u64,
        limit: u64,
    ) -> Result<Vec<MissingBlob>, StoreError> {
        self.rows(
            "SELECT blob_citation.sha256 AS sha256, blob_citation.bytes AS bytes, record.seq AS seq
             FROM blob_citation JOIN record ON record.log_index = blob_citation.log_index
             LEFT JOIN blob ON blob.sha256 = blob_citation.sha256
             WHERE blob_citation.device = :device AND record.device = :device
               AND record.seq <= :last AND blob.sha256 IS NULL
             ORDER BY record.seq, blob_citation.sha256 LIMIT :limit",
            &params! { ":device": &device, ":last": last, ":limit": limit },
            |row| {
                Ok(MissingBlob {
                    sha256: row.get("sha256")?,
                    bytes: row.get("bytes")?,
                    seq: row.get("seq")?,
                })
            },
        )
    }

    /// Notes that a record came by another device.
    pub(crate) fn note_custody(
        &self,
        record: &Hash,
        brought_by: DeviceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO custody (hash, brought_by, brought_at) VALUES (:hash, :by, :now)
             ON CONFLICT (hash) DO NOTHING",
            &params! { ":hash": record, ":by": &brought_by, ":now": now },
        )
    }

    /// Keeps a record before which others are missing.
    pub(crate) fn keep_early(
        &self,
        record: &sync_model::record::Record,
        brought_by: DeviceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO early_record (device, seq, hash, bytes, brought_by, brought_at)
             VALUES (:device, :seq, :hash, :bytes, :by, :now)
             ON CONFLICT (device, seq, hash) DO NOTHING",
            &params! {
                ":device": &record.envelope.device,
                ":seq": record.envelope.seq,
                ":hash": &record.hash,
                ":bytes": &record.bytes,
                ":by": &brought_by,
                ":now": now,
            },
        )
    }

    /// Returns the bytes of the waiting records at a place, and who brought them.
    pub(crate) fn early_at(
        &self,
        device: DeviceId,
        seq: u64,
    ) -> Result<Vec<(Vec<u8>, DeviceId)>, StoreError> {
        self.rows(
            "SELECT bytes, brought_by FROM early_record
             WHERE device = :device AND seq = :seq ORDER BY hash LIMIT 16",
            &params! { ":device": &device, ":seq": seq },
            |row| Ok((row.get("bytes")?, row.get("brought_by")?)),
        )
    }
}
