//! A database of version 0.1 lies in plain SQLite; it is encrypted once, before it is used.
//!
//! The encrypted copy is made aside, checked, synced and renamed over the plain one: a power cut
//! leaves one or the other, whole. Does not promise that the flash forgets the old blocks at once.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use rusqlite::Connection;

use super::open;
use crate::disk;
use crate::error::StoreError;
use crate::vault::DataKey;

/// How a plain SQLite database begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
const ASIDE: &str = "xunzheng.db.sealing";

/// What lies where the database should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing yet.
    Absent,
    /// Plain SQLite.
    Plain,
    /// Something else: encrypted, or no database at all.
    Encrypted,
}

pub(super) fn state(database: &Path) -> Result<State, StoreError> {
    let doing = "look at the database";
    let mut beginning = Vec::new();
    match File::open(database) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(State::Absent),
        opened => {
            let file = opened.map_err(StoreError::io(doing))?;
            file.take(16).read_to_end(&mut beginning).map_err(StoreError::io(doing))?;
        }
    }
    Ok(match beginning.as_slice() {
        [] => State::Absent,
        MAGIC => State::Plain,
        _ => State::Encrypted,
    })
}

/// Encrypts the database in `folder` if it is plain.
pub(super) fn encrypt(folder: &Path, database: &Path, key: &DataKey) -> Result<(), StoreError> {
    let aside = folder.join(ASIDE);
    for suffix in ["", "-journal", "-wal", "-shm"] {
        // Half a copy that a power cut left; the plain database is whole.
        match fs::remove_file(folder.join(format!("{ASIDE}{suffix}"))) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::io("encrypt the database")(error));
            }
            _ => {}
        }
    }
    if state(database)? != State::Plain {
        return Ok(());
    }
    let plain = open::checked(folder, database, None)?;
    // Takes the WAL into the database and away: it must not be found beside an encrypted one.
    plain.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    let rows = export(&plain, &aside, key)?;
    drop(plain);
    let copied = open::checked(folder, &aside, Some(key))?;
    if total(&copied)? != rows {
        return Err(StoreError::BadStored("encrypted copy of the database"));
    }
    copied.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    drop(copied);
    let doing = "encrypt the database";
    File::open(&aside).and_then(|file| file.sync_all()).map_err(StoreError::io(doing))?;
    // If the power fails here, the plain database is there and all of it begins anew.
    fs::rename(&aside, database)
        .and_then(|()| disk::sync_folder(folder))
        .map_err(StoreError::io(doing))
}

/// Copies everything into an encrypted database at `aside`; returns how much there is.
fn export(plain: &Connection, aside: &Path, key: &DataKey) -> Result<Vec<i64>, StoreError> {
    let pragma = key.database_pragma();
    let secret = pragma.split('"').nth(1).unwrap_or_default();
    plain
        .prepare("ATTACH DATABASE ?1 AS encrypted KEY ?2")?
        .execute((aside.to_string_lossy(), secret))?;
    plain.query_row("SELECT sqlcipher_export('encrypted')", [], |_| Ok(()))?;
    let version: u32 = plain.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    plain.pragma_update(Some("encrypted"), "user_version", version)?;
    plain.execute_batch("DETACH DATABASE encrypted")?;
    total(plain)
}

/// Returns what tells two copies apart: tables, records, rows to send, files.
fn total(connection: &Connection) -> Result<Vec<i64>, StoreError> {
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == 0 {
        // The power failed at the very first start; there are no tables yet.
        return Ok(Vec::new());
    }
    let counted = connection.query_row(
        "SELECT (SELECT COUNT(*) FROM sqlite_schema), (SELECT COUNT(*) FROM journal),
                (SELECT COUNT(*) FROM outbox), (SELECT COUNT(*) FROM blob)",
        [],
        |row| (0..4).map(|column| row.get(column)).collect::<Result<_, _>>(),
    )?;
    Ok(counted)
}
