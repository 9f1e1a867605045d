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
    remove(&staged)?;
    let mut target = open::private_file(&staged)?;
    Backup::new(source, &mut target)?.run_to_completion(PAGES, Duration::ZERO, None)?;
    // The copy stands alone: no second file has to be copied with it.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    target.close().map_err(|(_, error)| StoreError::from(error))?;
    std::fs::File::open(&staged).and_then(|file| file.sync_all()).map_err(StoreError::File)?;
    // What a killed run left beside an earlier copy would be read into this one.
    for companion in ["-wal", "-shm"] {
        let mut name = to.as_os_str().to_owned();
        name.push(companion);
        remove(Path::new(&name))?;
    }
    durable::rename(&staged, to).map_err(StoreError::File)
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::File(error)),
        _ => Ok(()),
    }
}
