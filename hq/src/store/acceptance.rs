//! Results of admission, the projections it needs, and counts for people.

use rusqlite::named_params;
use sync_model::hash::Hash;
use sync_model::id::{DeviceId, DocumentId, OfficerId, ShiftId};
use sync_model::time::Timestamp;
use sync_model::wire::feed::Acceptance;

use super::{StoreError, Tx, signed, unsigned};

/// The tables that [`Tx::count`] may name.
#[derive(Clone, Copy)]
pub(crate) enum Table {
    Device,
    Officer,
    Record,
    Fork,
    Quarantine,
    Blob,
    BlobWanted,
    Feed,
    Acceptance,
}

impl Tx<'_> {
    /// Keeps what HQ found about a record.
    pub(crate) fn insert_acceptance(
        &self,
        device: DeviceId,
        acceptance: &Acceptance,
        findings: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO acceptance (record, device, seq, accepted, findings, judged_at)
             VALUES (:record, :device, :seq, :accepted, :findings, :now)",
        )?;
        insert.execute(named_params! {
            ":record": acceptance.record.0,
            ":device": device.as_bytes(),
            ":seq": signed(acceptance.seq),
            ":accepted": acceptance.accepted,
            ":findings": findings,
            ":now": now.0,
        })?;
        Ok(())
    }

    /// Returns whether the record was accepted and the findings, or `None` if it was not judged.
    pub(crate) fn acceptance(&self, record: &Hash) -> Result<Option<(bool, Vec<u8>)>, StoreError> {
        use rusqlite::OptionalExtension as _;
        let mut query = self
            .0
            .prepare_cached("SELECT accepted, findings FROM acceptance WHERE record = :record")?;
        Ok(query
            .query_row(named_params! { ":record": record.0 }, |row| {
                Ok((row.get("accepted")?, row.get("findings")?))
            })
            .optional()?)
    }

    /// Notes that the officer unlocked the device.
    pub(crate) fn begin_presence(
        &self,
        officer: OfficerId,
        device: DeviceId,
        shift: ShiftId,
        from: Timestamp,
    ) -> Result<(), StoreError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO presence (officer, device, shift, from_at)
             VALUES (:officer, :device, :shift, :from)
             ON CONFLICT (officer, device, shift) DO NOTHING",
        )?;
        insert.execute(named_params! {
            ":officer": officer.as_bytes(),
            ":device": device.as_bytes(),
            ":shift": shift.as_bytes(),
            ":from": from.0,
        })?;
        Ok(())
    }

    /// Notes the end of a shift.
    pub(crate) fn end_presence(
        &self,
        device: DeviceId,
        shift: ShiftId,
        to: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update = self.0.prepare_cached(
            "UPDATE presence SET to_at = :to
             WHERE device = :device AND shift = :shift AND to_at IS NULL",
        )?;
        update.execute(named_params! {
            ":to": to.0,
            ":device": device.as_bytes(),
            ":shift": shift.as_bytes(),
        })?;
        Ok(())
    }

    /// Counts known presences of the officer on other devices that overlap `from..to`. One whose
    /// end has not arrived counts only if it began within.
    pub(crate) fn overlapping_presences(
        &self,
        officer: OfficerId,
        device: DeviceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT COUNT(*) AS count FROM presence
             WHERE officer = :officer AND device <> :device
             AND from_at < :to AND COALESCE(to_at, from_at + 1) > :from",
        )?;
        let count = query.query_row(
            named_params! {
                ":officer": officer.as_bytes(),
                ":device": device.as_bytes(),
                ":from": from.0,
                ":to": to.0,
            },
            |row| row.get("count"),
        )?;
        unsigned(count, "presence")
    }

    /// Returns the officers of a shift with the time from which each was present.
    pub(crate) fn shift_presences(
        &self,
        device: DeviceId,
        shift: ShiftId,
    ) -> Result<Vec<(OfficerId, Timestamp)>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT officer, from_at FROM presence WHERE device = :device AND shift = :shift",
        )?;
        let rows = query.query_map(
            named_params! { ":device": device.as_bytes(), ":shift": shift.as_bytes() },
            |row| {
                let officer = OfficerId(uuid::Uuid::from_bytes(row.get("officer")?));
                Ok((officer, Timestamp(row.get("from_at")?)))
            },
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes that the document carries the number; says whether another document does too.
    pub(crate) fn use_document_number(
        &self,
        number: &str,
        document: DocumentId,
        device: DeviceId,
    ) -> Result<bool, StoreError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO document_number (document_number, document, device)
             VALUES (:number, :document, :device)
             ON CONFLICT (document_number, document) DO NOTHING",
        )?;
        insert.execute(named_params! {
            ":number": number,
            ":document": document.as_bytes(),
            ":device": device.as_bytes(),
        })?;
        let mut query = self.0.prepare_cached(
            "SELECT 1 FROM document_number
             WHERE document_number = :number AND document <> :document",
        )?;
        Ok(query.exists(named_params! { ":number": number, ":document": document.as_bytes() })?)
    }

    /// Returns the number of rows in a table.
    pub(crate) fn count(&self, table: Table) -> Result<u64, StoreError> {
        let query = match table {
            Table::Device => "SELECT COUNT(*) AS count FROM device",
            Table::Officer => "SELECT COUNT(*) AS count FROM officer",
            Table::Record => "SELECT COUNT(*) AS count FROM record",
            Table::Fork => "SELECT COUNT(*) AS count FROM fork",
            Table::Quarantine => "SELECT COUNT(*) AS count FROM quarantine",
            Table::Blob => "SELECT COUNT(*) AS count FROM blob",
            Table::BlobWanted => "SELECT COUNT(*) AS count FROM blob_wanted",
            Table::Feed => "SELECT COUNT(*) AS count FROM feed",
            Table::Acceptance => "SELECT COUNT(*) AS count FROM acceptance",
        };
        let mut query = self.0.prepare_cached(query)?;
        unsigned(query.query_row([], |row| row.get("count"))?, "count")
    }
}
