//! The device's chain as stored: head, ranges, and the check that it is whole.

use rusqlite::Row;
use sync_model::chain::Head;
use sync_model::hash::Hash;
use sync_model::id::InspectionId;
use sync_model::record::{LogHead, Record};
use sync_model::time::{Moment, Timestamp};

use super::Store;
use super::sql::{Reader, from_content, hash, signed, unsigned};
use crate::error::StoreError;

/// One record of the chain, as listed.
#[derive(Clone, Debug)]
pub struct JournalRow {
    /// Place in the chain.
    pub seq: u64,
    /// Hash of the signed bytes.
    pub hash: Hash,
    /// Kind of act.
    pub kind: String,
    /// Device's wall clock.
    pub recorded_at: Timestamp,
    /// The signed bytes.
    pub bytes: Vec<u8>,
}

impl JournalRow {
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        let found = Self {
            seq: unsigned(row, "seq")?,
            hash: hash(row, "hash")?,
            kind: row.get("kind")?,
            recorded_at: Timestamp(row.get("recorded_at")?),
            bytes: row.get("bytes")?,
        };
        // Checked before writing and after reading: what leaves the store is what was signed.
        if Hash::of(&found.bytes) != found.hash {
            return Err(StoreError::HashMismatch { what: format!("record {}", found.seq) });
        }
        Ok(found)
    }

    /// Returns the record.
    ///
    /// # Errors
    /// [`StoreError::Record`] if the bytes are no record.
    pub fn record(&self) -> Result<Record, StoreError> {
        Ok(Record::read(&self.bytes)?)
    }
}

impl Reader<'_> {
    /// Returns the end of the chain, if it has begun.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn head(&self) -> Result<Option<Head>, StoreError> {
        self.first("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok(Head { seq: unsigned(row, "seq")?, hash: hash(row, "hash")? })
        })
    }

    /// Returns up to `count` records from `seq` on.
    ///
    /// # Errors
    /// [`StoreError::HashMismatch`] if stored bytes changed.
    pub fn records_from(&self, seq: u64, count: u64) -> Result<Vec<JournalRow>, StoreError> {
        self.rows(
            "SELECT seq, hash, kind, recorded_at, bytes FROM journal
             WHERE seq >= :seq ORDER BY seq LIMIT :count",
            [signed(seq), signed(count)],
            JournalRow::from_row,
        )
    }

    /// Returns the records of a visit in order.
    ///
    /// # Errors
    /// [`StoreError::HashMismatch`] if stored bytes changed.
    pub fn records_of(&self, inspection: InspectionId) -> Result<Vec<JournalRow>, StoreError> {
        self.rows(
            "SELECT seq, hash, kind, recorded_at, bytes FROM journal
             WHERE inspection = :inspection ORDER BY seq",
            [inspection.as_bytes()],
            JournalRow::from_row,
        )
    }

    /// Returns a visit's records of one kind in order.
    ///
    /// # Errors
    /// [`StoreError::HashMismatch`] if stored bytes changed.
    pub fn records_of_kind(
        &self,
        inspection: InspectionId,
        kind: &str,
    ) -> Result<Vec<JournalRow>, StoreError> {
        self.rows(
            "SELECT seq, hash, kind, recorded_at, bytes FROM journal
             WHERE inspection = :inspection AND kind = :kind ORDER BY seq",
            (inspection.as_bytes(), kind),
            JournalRow::from_row,
        )
    }

    /// Returns when each act of a visit was recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn acted_at(&self, inspection: InspectionId) -> Result<Vec<Timestamp>, StoreError> {
        self.rows(
            "SELECT recorded_at FROM journal WHERE inspection = :inspection ORDER BY seq",
            [inspection.as_bytes()],
            |row| Ok(Timestamp(row.get("recorded_at")?)),
        )
    }

    /// Returns the record with this hash.
    ///
    /// # Errors
    /// [`StoreError::HashMismatch`] if stored bytes changed.
    pub fn record_by_hash(&self, wanted: Hash) -> Result<Option<JournalRow>, StoreError> {
        self.first(
            "SELECT seq, hash, kind, recorded_at, bytes FROM journal WHERE hash = :hash",
            [wanted.0],
            JournalRow::from_row,
        )
    }

    /// Returns the newest verified state of HQ's log.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn log_head(&self) -> Result<Option<LogHead>, StoreError> {
        self.first("SELECT size, root FROM checkpoint ORDER BY size DESC LIMIT 1", [], |row| {
            Ok(LogHead { size: unsigned(row, "size")?, root: hash(row, "root")? })
        })
    }

    /// Returns how far the clock could be trusted at the last act.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn last_quality(&self) -> Result<Option<sync_model::time::TimeQuality>, StoreError> {
        Ok(self.last_moment()?.map(|moment| moment.quality))
    }

    /// Returns the time of the last act.
    pub(super) fn last_moment(&self) -> Result<Option<Moment>, StoreError> {
        self.meta("last_moment")?.map(|bytes| from_content(&bytes, "last moment")).transpose()
    }
}

impl Store {
    /// Checks the newest record against its hash and the chain; run at every start.
    pub(super) fn check_head(&self) -> Result<(), StoreError> {
        self.read(|reader| {
            let Some(head) = reader.head()? else { return Ok(()) };
            for row in reader.records_from(head.seq.saturating_sub(1), 2)? {
                let record = row.record()?;
                if record.envelope.seq != row.seq {
                    return Err(StoreError::HashMismatch { what: format!("record {}", row.seq) });
                }
            }
            Ok(())
        })
    }

    /// Walks the whole chain; returns the number of records.
    ///
    /// # Errors
    /// [`StoreError::HashMismatch`] naming the first record that does not fit.
    pub fn check_chain(&self) -> Result<u64, StoreError> {
        self.read(|reader| {
            let Some(enrollment) = reader.enrollment()? else { return Ok(0) };
            let mut head = Head::genesis(&enrollment.device_certificate);
            loop {
                let rows = reader.records_from(head.seq + 1, 500)?;
                if rows.is_empty() {
                    return Ok(head.seq);
                }
                for row in rows {
                    let broken = |why: String| StoreError::HashMismatch {
                        what: format!("record {}: {why}", row.seq),
                    };
                    let record = Record::open(&row.bytes, &enrollment.certificate.key)
                        .map_err(|error| broken(error.to_string()))?;
                    let stated = &record.envelope;
                    if stated.act.kind != row.kind || stated.recorded.wall_at != row.recorded_at {
                        return Err(broken("listed as something else".to_owned()));
                    }
                    head = head
                        .follow(stated, record.hash)
                        .map_err(|error| broken(error.to_string()))?;
                }
            }
        })
    }
}
