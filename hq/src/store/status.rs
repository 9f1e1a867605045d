//! Status lists as they were signed, and who stands on the next one.

use sync_model::credential::CertificateStatus;
use sync_model::id::OfficerId;
use sync_model::time::Timestamp;

use super::officer::{Officer, officer_from_row, status_from_name};
use super::{StoreError, Tx, params};

/// A signed list.
pub(crate) struct ListRow {
    pub(crate) number: u64,
    pub(crate) issued_at: Timestamp,
    pub(crate) bytes: Vec<u8>,
}

impl Tx<'_> {
    /// Returns the newest list, or `None` before the first.
    pub(crate) fn newest_status_list(&self) -> Result<Option<ListRow>, StoreError> {
        self.first(
            "SELECT number, issued_at, bytes FROM status_list ORDER BY number DESC LIMIT 1",
            &params! {},
            |row| {
                Ok(ListRow {
                    number: row.get("number")?,
                    issued_at: row.get("issued_at")?,
                    bytes: row.get("bytes")?,
                })
            },
        )
    }

    /// Keeps a list.
    pub(crate) fn insert_status_list(&self, list: &ListRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO status_list (number, issued_at, bytes)
             VALUES (:number, :issued_at, :bytes)",
            &params! {
                ":number": list.number,
                ":issued_at": list.issued_at,
                ":bytes": &list.bytes,
            },
        )
    }

    /// Returns whose certificates are not in force.
    pub(crate) fn withdrawn(&self) -> Result<Vec<(OfficerId, CertificateStatus)>, StoreError> {
        self.rows(
            "SELECT officer, status FROM officer WHERE status <> 'active' ORDER BY officer",
            &params! {},
            |row| {
                let status: String = row.get("status")?;
                Ok((row.get("officer")?, status_from_name(&status)))
            },
        )
    }

    /// Returns every officer by certificate number.
    pub(crate) fn officers(&self) -> Result<Vec<Officer>, StoreError> {
        self.rows(
            "SELECT officer, name, kind, certificate_number, authority, authority_name,
                 valid_from_at, valid_to_at, status
             FROM officer ORDER BY certificate_number",
            &params! {},
            officer_from_row,
        )
    }
}
