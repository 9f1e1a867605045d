//! Migrations: one ordered list; the version of a database is its position in it.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;

/// Released steps never change; `tests/tidy.rs` keeps their hashes.
const STEPS: &[&str] = &[
    include_str!("../../migrations/0001_init.sql"),
    include_str!("../../migrations/0002_add_day.sql"),
    include_str!("../../migrations/0003_add_partners.sql"),
    include_str!("../../migrations/0004_add_archive_and_urgency.sql"),
];

pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let known = u32::try_from(STEPS.len()).unwrap_or(u32::MAX);
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (version, step) in (1_u32..).zip(STEPS) {
        if version > found {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            tx.execute_batch(step)?;
            tx.pragma_update(None, "user_version", version)?;
            // If the power fails here, the step is undone whole and runs again at the next start.
            tx.commit()?;
        }
    }
    Ok(())
}
