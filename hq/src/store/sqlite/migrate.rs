//! Brings a database to the newest schema, forward only.
//!
//! Each step is one transaction, so that a power cut leaves either the schema before or the one
//! after.

use rusqlite::{Connection, TransactionBehavior};

use super::super::StoreError;
use super::super::steps::STEPS;

/// Applies the steps that `connection` lacks.
///
/// # Errors
/// [`StoreError::Newer`] for a database of a later program; it is left as it is.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    loop {
        // The version is read inside the transaction: a command may migrate beside a server.
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let Some(position) = usize::try_from(found).ok().filter(|found| *found <= STEPS.len())
        else {
            return Err(StoreError::Newer { found, known: STEPS.len() });
        };
        let Some(step) = STEPS.get(position) else { return Ok(()) };
        tx.execute_batch(step.sqlite)?;
        tx.pragma_update(None, "user_version", found.saturating_add(1))?;
        tx.commit()?;
    }
}
