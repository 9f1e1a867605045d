//! Opens connections with the pragmas that the house rules ask for.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::super::StoreError;

/// How long a write waits for a command that writes beside the server.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// Prepared statements kept per connection; more than there are different statements.
const STATEMENTS_KEPT: usize = 96;

/// Pages of log that are written before they are moved into the database: 32 MB, so that a page of
/// an index over hashes is moved once for many records.
const LOG_PAGES: u32 = 8000;
/// Memory for pages of the writer, in KiB: the upper pages of every index of a province's day.
const WRITER_CACHE_KIB: i32 = 16 * 1024;
/// Memory for pages of one reader, in KiB: there are several, and what they read lies in the
/// system's own cache.
const READER_CACHE_KIB: i32 = 512;

/// Opens the connection that writes.
pub(super) fn writer(path: &Path) -> Result<Connection, StoreError> {
    private(path)?;
    let connection = Connection::open(path)?;
    // Where writing is refused for whatever reason, SQLite falls back to reading, without a word.
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        return Err(StoreError::File(std::io::ErrorKind::ReadOnlyFilesystem.into()));
    }
    connection.busy_timeout(BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Readers go on while a push commits.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A receipt promises that a power cut does not lose the record.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    keep_plans(&connection)?;
    Ok(connection)
}

/// Lets a prepared statement stay prepared. Without this SQLite looks at the bound values when it
/// plans and therefore parses and plans anew whenever one changes, which for statements this small
/// costs more than running them.
fn keep_plans(connection: &Connection) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Makes the file, if it is not there, readable by its owner alone; SQLite gives its companions the
/// same mode.
fn private(path: &Path) -> Result<(), StoreError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(StoreError::File)
}

/// Opens a new file that only its owner can read.
pub(super) fn private_file(path: &Path) -> Result<Connection, StoreError> {
    private(path)?;
    Ok(Connection::open(path)?)
}

/// Opens a connection that can only read.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", "ON")?;
    keep_plans(&connection)?;
    Ok(connection)
}
