//! Copies the database beside everything that goes on, by SQLite's online backup.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::super::StoreError;
use super::open;
use crate::durable;

/// Pages copied between two looks at whether it is done; all of them, so that one snapshot is
/// copied and no write starts it anew.
const PAGES: i32 = i32::MAX;

/// Copies what is committed in `source` to the file `to`, durably; `to` is replaced at the end.
pub(super) fn copy(source: &Connection, to: &Path) -> Result<(), StoreError> {
    let staged = to.with_extension("copying");
    match std::fs::remove_file(&staged) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(StoreError::File(error));
        }
        _ => {}
    }
    let mut target = open::private_file(&staged)?;
    Backup::new(source, &mut target)?.run_to_completion(PAGES, Duration::ZERO, None)?;
    // The copy stands alone: no second file has to be copied with it.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    target.close().map_err(|(_, error)| StoreError::from(error))?;
    let synced = std::fs::File::open(&staged).and_then(|file| file.sync_all());
    synced.and_then(|()| durable::rename(&staged, to)).map_err(StoreError::File)
}
