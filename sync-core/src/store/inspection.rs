//! Inspections and their checklist answers, as the pages show them.

use rusqlite::Row;
use sync_model::id::{AssignmentId, InspectionId};
use sync_model::record::inspection::{EntryAnswer, InspectionBegun};
use sync_model::time::Timestamp;

use super::sql::{Reader, content};
use crate::error::StoreError;

/// One inspection.
#[derive(Clone, Debug)]
pub struct InspectionRow {
    /// How it began.
    pub begun: InspectionBegun,
    /// When it began.
    pub begun_at: Timestamp,
    /// When credentials were last shown.
    pub displayed_at: Option<Timestamp>,
    /// When rights were told.
    pub noticed_at: Option<Timestamp>,
    /// When the officers left.
    pub concluded_at: Option<Timestamp>,
}

impl InspectionRow {
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        let time = |column| -> Result<Option<Timestamp>, StoreError> {
            Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
        };
        Ok(Self {
            begun: content(row, "content")?,
            begun_at: Timestamp(row.get("begun_at")?),
            displayed_at: time("displayed_at")?,
            noticed_at: time("noticed_at")?,
            concluded_at: time("concluded_at")?,
        })
    }
}

const COLUMNS: &str =
    "SELECT content, begun_at, displayed_at, noticed_at, concluded_at FROM inspection";

impl Reader<'_> {
    /// Returns one inspection.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn inspection(&self, id: InspectionId) -> Result<Option<InspectionRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE inspection = :inspection");
        self.first(&sql, [id.as_bytes()], InspectionRow::from_row)
    }

    /// Returns all inspections, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn inspections(&self) -> Result<Vec<InspectionRow>, StoreError> {
        let sql = format!("{COLUMNS} ORDER BY begun_at DESC, rowid DESC");
        self.rows(&sql, [], InspectionRow::from_row)
    }

    /// Returns the inspection of an assignment that is still open.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_inspection_of(
        &self,
        assignment: AssignmentId,
    ) -> Result<Option<InspectionRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE assignment = :assignment AND state = 'begun'");
        self.first(&sql, [assignment.as_bytes()], InspectionRow::from_row)
    }

    /// Returns the answers given so far, in the order first answered.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn answers(&self, inspection: InspectionId) -> Result<Vec<EntryAnswer>, StoreError> {
        self.rows(
            "SELECT content FROM answer WHERE inspection = :inspection ORDER BY rowid",
            [inspection.as_bytes()],
            |row| content(row, "content"),
        )
    }
}
