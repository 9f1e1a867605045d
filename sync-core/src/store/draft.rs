//! Drafts: every field as last typed, so that a pulled battery costs nothing.

use sync_model::time::Timestamp;

use super::sql::Reader;
use super::{Store, lock};
use crate::error::StoreError;

/// One field of something still being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftRow {
    /// Name of the field.
    pub field: String,
    /// What was typed.
    pub value: String,
    /// When.
    pub saved_at: Timestamp,
}

impl Reader<'_> {
    /// Returns the fields of a draft, oldest change first: the last one is where to resume.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn draft(&self, scope: &str) -> Result<Vec<DraftRow>, StoreError> {
        self.rows(
            "SELECT field, value, saved_at FROM draft WHERE scope = :scope ORDER BY rowid",
            [scope],
            |row| {
                Ok(DraftRow {
                    field: row.get("field")?,
                    value: row.get("value")?,
                    saved_at: Timestamp(row.get("saved_at")?),
                })
            },
        )
    }
}

impl Store {
    /// Saves one field of a draft; returns when.
    ///
    /// # Errors
    /// [`StoreError`]; the field keeps its last saved value then.
    pub fn save_draft(
        &self,
        scope: &str,
        field: &str,
        value: &str,
    ) -> Result<Timestamp, StoreError> {
        let now = self.clock.now().wall_at;
        let connection = lock(&self.writer);
        // Replaced, not updated: the row moves to the end, so that order does not hang on a clock.
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO draft (scope, field, value, saved_at)
                 VALUES (:scope, :field, :value, :saved_at)",
            )?
            .execute((scope, field, value, now.0))?;
        Ok(now)
    }

    /// Forgets a draft that has become a record or was given up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_draft(&self, scope: &str) -> Result<(), StoreError> {
        let connection = lock(&self.writer);
        connection.prepare_cached("DELETE FROM draft WHERE scope = :scope")?.execute([scope])?;
        Ok(())
    }
}
