//! Summary cases (简易程序) and where each stands.

use rusqlite::Row;
use serde::{Deserialize, Serialize};
use sync_model::id::{CaseId, DocumentId, InspectionId};
use sync_model::record::case::{CaseFiled, DefenseHeard, PriorNoticeGiven};
use sync_model::time::Timestamp;

use super::sql::{Reader, content, content_or_none, id_or_none, named};
use crate::error::StoreError;

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Opened.
    Filed,
    /// Facts, reasons, basis, intended penalty and rights told.
    Noticed,
    /// The party was heard or waived it.
    Heard,
    /// Decided.
    Decided,
}

/// One case.
#[derive(Clone, Debug)]
pub struct CaseRow {
    /// How it was opened.
    pub filed: CaseFiled,
    /// Where it stands.
    pub state: CaseState,
    /// When the prior notice was given.
    pub noticed_at: Option<Timestamp>,
    /// When the party was heard.
    pub heard_at: Option<Timestamp>,
    /// What was told.
    pub notice: Option<PriorNoticeGiven>,
    /// What the party said.
    pub defense: Option<DefenseHeard>,
    /// The document a number was reserved for.
    pub document: Option<DocumentId>,
}

impl CaseRow {
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        let time = |column| -> Result<Option<Timestamp>, StoreError> {
            Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
        };
        Ok(Self {
            filed: content(row, "filed")?,
            state: named(row, "state")?,
            noticed_at: time("noticed_at")?,
            heard_at: time("heard_at")?,
            notice: content_or_none(row, "notice")?,
            defense: content_or_none(row, "defense")?,
            document: id_or_none(row, "document", DocumentId)?,
        })
    }
}

const COLUMNS: &str =
    "SELECT filed, state, noticed_at, heard_at, notice, defense, document FROM case_file";

impl Reader<'_> {
    /// Returns one case.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn case(&self, id: CaseId) -> Result<Option<CaseRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE case_id = :case_id");
        self.first(&sql, [id.as_bytes()], CaseRow::from_row)
    }

    /// Returns a visit's cases in the order opened.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn cases_of(&self, inspection: InspectionId) -> Result<Vec<CaseRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE inspection = :inspection ORDER BY rowid");
        self.rows(&sql, [inspection.as_bytes()], CaseRow::from_row)
    }

    /// Returns every case of this device, for the look-up of an earlier fine.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn cases(&self) -> Result<Vec<CaseRow>, StoreError> {
        let sql = format!("{COLUMNS} ORDER BY rowid");
        self.rows(&sql, [], CaseRow::from_row)
    }
}
