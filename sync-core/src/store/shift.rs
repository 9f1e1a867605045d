//! Shifts (值班): who is on the device now.

use rusqlite::Row;
use sync_model::hash::Hash;
use sync_model::record::shift::ShiftBegun;
use sync_model::time::Timestamp;

use super::sql::{Reader, content, hash};
use crate::error::StoreError;

/// One shift.
#[derive(Clone, Debug)]
pub struct ShiftRow {
    /// Hash of the record that began it.
    pub begun_hash: Hash,
    /// When.
    pub begun_at: Timestamp,
    /// Who.
    pub begun: ShiftBegun,
}

impl ShiftRow {
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            begun_hash: hash(row, "begun_hash")?,
            begun_at: Timestamp(row.get("begun_at")?),
            begun: content(row, "content")?,
        })
    }
}

impl Reader<'_> {
    /// Returns the shift that has begun and not ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn current_shift(&self) -> Result<Option<ShiftRow>, StoreError> {
        self.first(
            "SELECT begun_hash, begun_at, content FROM shift
             WHERE ended_at IS NULL ORDER BY begun_at DESC, rowid DESC LIMIT 1",
            [],
            ShiftRow::from_row,
        )
    }
}
