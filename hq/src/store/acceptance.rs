//! Results of admission, the projections it needs, and counts for people.

use std::borrow::Cow;

use sync_model::hash::Hash;
use sync_model::id::{DeviceId, DocumentId, OfficerId, ShiftId};
use sync_model::time::Timestamp;
use sync_model::wire::feed::Acceptance;

use super::{StoreError, Tx, params};

/// Longest document number that is kept as it is.
const NUMBER_BYTES_MAX: usize = 500;

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
        self.run(
            "INSERT INTO acceptance (record, device, seq, accepted, findings, judged_at)
             VALUES (:record, :device, :seq, :accepted, :findings, :now)",
            &params! {
                ":record": &acceptance.record,
                ":device": &device,
                ":seq": acceptance.seq,
                ":accepted": acceptance.accepted,
                ":findings": findings,
                ":now": now,
            },
        )
    }

    /// Returns whether the record was accepted and the findings, or `None` if it was not judged.
    pub(crate) fn acceptance(&self, record: &Hash) -> Result<Option<(bool, Vec<u8>)>, StoreError> {
        self.first(
            "SELECT accepted, findings FROM acceptance WHERE record = :record",
            &params! { ":record": record },
            |row| Ok((row.get("accepted")?, row.get("findings")?)),
        )
    }

    /// Notes that the officer unlocked the device.
    pub(crate) fn begin_presence(
        &self,
        officer: OfficerId,
        device: DeviceId,
        shift: ShiftId,
        from: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO presence (officer, device, shift, from_at)
             VALUES (:officer, :device, :shift, :from)
             ON CONFLICT (officer, device, shift) DO NOTHING",
            &params! { ":officer": &officer, ":device": &device, ":shift": &shift, ":from": from },
        )
    }

    /// Notes the end of a shift.
    pub(crate) fn end_presence(
        &self,
        device: DeviceId,
        shift: ShiftId,
        to: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "UPDATE presence SET to_at = :to
             WHERE device = :device AND shift = :shift AND to_at IS NULL",
            &params! { ":to": to, ":device": &device, ":shift": &shift },
        )
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
        self.one(
            "SELECT COUNT(*) AS count FROM presence
             WHERE officer = :officer AND device <> :device
             AND from_at < :to AND COALESCE(to_at, from_at + 1) > :from",
            &params! { ":officer": &officer, ":device": &device, ":from": from, ":to": to },
            |row| row.get("count"),
        )
    }

    /// Returns the officers of a shift with the time from which each was present.
    pub(crate) fn shift_presences(
        &self,
        device: DeviceId,
        shift: ShiftId,
    ) -> Result<Vec<(OfficerId, Timestamp)>, StoreError> {
        self.rows(
            "SELECT officer, from_at FROM presence WHERE device = :device AND shift = :shift",
            &params! { ":device": &device, ":shift": &shift },
            |row| Ok((row.get("officer")?, row.get("from_at")?)),
        )
    }

    /// Notes that the document carries the number; says whether another document does too.
    pub(crate) fn use_document_number(
        &self,
        number: &str,
        document: DocumentId,
        device: DeviceId,
    ) -> Result<bool, StoreError> {
        let number: &str = &number_key(number);
        self.run(
            "INSERT INTO document_number (document_number, document, device)
             VALUES (:number, :document, :device)
             ON CONFLICT (document_number, document) DO NOTHING",
            &params! { ":number": number, ":document": &document, ":device": &device },
        )?;
        self.exists(
            "SELECT 1 FROM document_number
             WHERE document_number = :number AND document <> :document",
            &params! { ":number": number, ":document": &document },
        )
    }

    /// Returns the number of rows in a table.
    pub(crate) fn count(&self, table: Table) -> Result<u64, StoreError> {
        let query = match table {
            Table::Device => "SELECT COUNT(*) AS count FROM device",
            Table::Officer => "SELECT COUNT(*) AS count FROM officer",
            // Places have no gaps: the last one tells, however many there are.
            Table::Record => "SELECT COALESCE(MAX(log_index) + 1, 0) AS count FROM record",
            Table::Fork => "SELECT COUNT(*) AS count FROM fork",
            Table::Quarantine => "SELECT COUNT(*) AS count FROM quarantine",
            Table::Blob => "SELECT COUNT(*) AS count FROM blob",
            Table::BlobWanted => "SELECT COUNT(*) AS count FROM blob_wanted",
            Table::Feed => "SELECT COUNT(*) AS count FROM feed",
            Table::Acceptance => "SELECT COUNT(*) AS count FROM acceptance",
        };
        self.one(query, &params! {}, |row| row.get("count"))
    }
}

/// Returns what stands for the number in the table: itself, or its hash where it is longer than
/// any real one and than an index takes.
fn number_key(number: &str) -> Cow<'_, str> {
    if number.len() <= NUMBER_BYTES_MAX {
        return Cow::Borrowed(number);
    }
    Cow::Owned(format!("sha256:{}", Hash::of(number.as_bytes()).hex()))
}
