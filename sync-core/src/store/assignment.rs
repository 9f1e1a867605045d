//! Assignments as HQ sent them, with where the officers are with each.

use rusqlite::Row;
use serde::{Deserialize, Serialize};
use sync_model::id::AssignmentId;
use sync_model::wire::assignment::Assignment;

use super::sql::{Reader, content, named};
use crate::error::StoreError;

/// Where the officers are with an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignmentState {
    /// Not accepted yet.
    New,
    /// Accepted.
    Accepted,
    /// The inspection has begun.
    UnderWay,
    /// The inspection is concluded.
    Done,
}

/// One assignment.
#[derive(Clone, Debug)]
pub struct AssignmentRow {
    /// As HQ sent it.
    pub assignment: Assignment,
    /// Where the officers are with it.
    pub state: AssignmentState,
}

impl AssignmentRow {
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self { assignment: content(row, "content")?, state: named(row, "state")? })
    }
}

impl Reader<'_> {
    /// Returns the assignments, what is due first on top.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn assignments(&self) -> Result<Vec<AssignmentRow>, StoreError> {
        self.rows(
            "SELECT content, state FROM assignment ORDER BY state = 'done', due_at, rowid",
            [],
            AssignmentRow::from_row,
        )
    }

    /// Returns one assignment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn assignment(&self, id: AssignmentId) -> Result<Option<AssignmentRow>, StoreError> {
        self.first(
            "SELECT content, state FROM assignment WHERE assignment = :assignment",
            [id.as_bytes()],
            AssignmentRow::from_row,
        )
    }
}
