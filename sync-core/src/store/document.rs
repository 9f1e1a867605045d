//! Documents (文书), their numbers (文号) and the leases numbers come from.

use rusqlite::Row;
use serde::{Deserialize, Serialize};
use sync_model::hash::Hash;
use sync_model::id::{CaseId, DocumentId, InspectionId, LeaseId};
use sync_model::record::document::DocumentDelivered;
use sync_model::time::Timestamp;

use super::sql::{Reader, content_or_none, hash, id, id_or_none, named, unsigned};
use crate::error::StoreError;

/// Where a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentState {
    /// Finished and signed.
    Issued,
    /// Handed over, or refused and noted.
    Delivered,
}

/// One document.
#[derive(Clone, Debug)]
pub struct DocumentRow {
    /// The document.
    pub document: DocumentId,
    /// The visit.
    pub inspection: Option<InspectionId>,
    /// The case.
    pub case: Option<CaseId>,
    /// Title as printed.
    pub title: String,
    /// Number as printed; empty if it has none.
    pub number: String,
    /// SHA-256 of the text, in the blobs.
    pub text: Hash,
    /// When it was made.
    pub made_at: Timestamp,
    /// Where it is.
    pub state: DocumentState,
    /// How it was handed over.
    pub delivery: Option<DocumentDelivered>,
}

impl DocumentRow {
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            document: id(row, "document", DocumentId)?,
            inspection: id_or_none(row, "inspection", InspectionId)?,
            case: id_or_none(row, "case_id", CaseId)?,
            title: row.get("title")?,
            number: row.get("number")?,
            text: hash(row, "text")?,
            made_at: Timestamp(row.get("made_at")?),
            state: named(row, "state")?,
            delivery: content_or_none(row, "delivery")?,
        })
    }
}

/// A block of numbers and how far it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// The lease.
    pub lease: LeaseId,
    /// Words before 字.
    pub word: String,
    /// Year of the documents.
    pub year: i32,
    /// The next free number.
    pub next: u64,
    /// The last number of the block.
    pub last: u64,
}

/// A number taken and not used yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservedNumber {
    /// As printed.
    pub printed: String,
    /// The lease it came from.
    pub lease: LeaseId,
    /// The number within its year.
    pub ordinal: u64,
}

const COLUMNS: &str = "SELECT document, inspection, case_id, title, number, text, made_at, state,
                              delivery FROM document";

impl Reader<'_> {
    /// Returns one document.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn document(&self, id: DocumentId) -> Result<Option<DocumentRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE document = :document");
        self.first(&sql, [id.as_bytes()], DocumentRow::from_row)
    }

    /// Returns a visit's documents in the order made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn documents_of(&self, inspection: InspectionId) -> Result<Vec<DocumentRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE inspection = :inspection ORDER BY rowid");
        self.rows(&sql, [inspection.as_bytes()], DocumentRow::from_row)
    }

    /// Returns every document of this device, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn documents(&self) -> Result<Vec<DocumentRow>, StoreError> {
        let sql = format!("{COLUMNS} ORDER BY rowid DESC");
        self.rows(&sql, [], DocumentRow::from_row)
    }

    /// Returns the lease that the authority's next number of `year` comes from.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_lease(&self, authority: &str, year: i32) -> Result<Option<LeaseRow>, StoreError> {
        self.first(
            "SELECT lease, word, year, next, last FROM number_lease
             WHERE authority = :authority AND year = :year AND next <= last ORDER BY first LIMIT 1",
            (authority, year),
            |row| {
                Ok(LeaseRow {
                    lease: id(row, "lease", LeaseId)?,
                    word: row.get("word")?,
                    year: row.get("year")?,
                    next: unsigned(row, "next")?,
                    last: unsigned(row, "last")?,
                })
            },
        )
    }

    /// Returns the number reserved for a document that is not issued yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reserved_number(
        &self,
        document: DocumentId,
    ) -> Result<Option<ReservedNumber>, StoreError> {
        self.first(
            "SELECT number, lease, ordinal FROM document_number
             WHERE document = :document AND state = 'reserved'",
            [document.as_bytes()],
            |row| {
                Ok(ReservedNumber {
                    printed: row.get("number")?,
                    lease: id(row, "lease", LeaseId)?,
                    ordinal: unsigned(row, "ordinal")?,
                })
            },
        )
    }

    /// Returns how many numbers are still free over all leases.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn free_numbers(&self) -> Result<u64, StoreError> {
        self.count("SELECT COALESCE(SUM(MAX(last - next + 1, 0)), 0) FROM number_lease", [])
    }
}
