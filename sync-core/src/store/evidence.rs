//! Evidence as listed: what was captured and whether it may be cited.

use rusqlite::Row;
use sync_model::id::{EvidenceId, InspectionId};
use sync_model::record::evidence::{EvidenceCaptured, LeadRecorded};
use sync_model::time::Timestamp;

use super::sql::{Reader, content, unsigned};
use crate::error::StoreError;

/// One piece of evidence.
#[derive(Clone, Debug)]
pub struct EvidenceRow {
    /// As captured.
    pub captured: EvidenceCaptured,
    /// When, by the device's clock.
    pub captured_at: Timestamp,
    /// Its record's place in the chain.
    pub seq: u64,
    /// Why it is not cited; empty if it may be.
    pub excluded: String,
}

impl EvidenceRow {
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            captured: content(row, "content")?,
            captured_at: Timestamp(row.get("captured_at")?),
            seq: unsigned(row, "seq")?,
            excluded: row.get("excluded")?,
        })
    }
}

impl Reader<'_> {
    /// Returns a visit's evidence in order of capture.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn evidence_of(&self, inspection: InspectionId) -> Result<Vec<EvidenceRow>, StoreError> {
        self.rows(
            "SELECT content, captured_at, seq, excluded FROM evidence
             WHERE inspection = :inspection ORDER BY ordinal",
            [inspection.as_bytes()],
            EvidenceRow::from_row,
        )
    }

    /// Returns one piece of evidence.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn evidence(&self, id: EvidenceId) -> Result<Option<EvidenceRow>, StoreError> {
        self.first(
            "SELECT content, captured_at, seq, excluded FROM evidence WHERE evidence = :evidence",
            [id.as_bytes()],
            EvidenceRow::from_row,
        )
    }

    /// Returns the number the next piece of evidence of a visit gets.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn next_evidence_ordinal(&self, inspection: InspectionId) -> Result<u32, StoreError> {
        let sql = "SELECT COALESCE(MAX(ordinal), 0) + 1 FROM evidence WHERE inspection = :i";
        let next = self.count(sql, [inspection.as_bytes()])?;
        u32::try_from(next).map_err(|_| StoreError::BadStored("ordinal"))
    }

    /// Returns the leads recorded on this device.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn leads(&self) -> Result<Vec<LeadRecorded>, StoreError> {
        let sql = "SELECT content FROM lead_note ORDER BY seq DESC";
        self.rows(sql, [], |row| content(row, "content"))
    }
}
