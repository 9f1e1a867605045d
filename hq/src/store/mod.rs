//! HQ's store: everything that must outlive a restart, except the files themselves.
//!
//! The only code that mentions SQLite. Callers see [`Store::write`], [`Store::read`] and the
//! verbs of [`Tx`]; another database would stand behind the same verbs. One writer thread groups
//! waiting writes into one transaction and one fsync; readers see committed snapshots.

mod acceptance;
mod blob;
mod credential;
mod device;
mod feed;
mod log;
mod migrate;
mod officer;
mod open;
mod quarantine;
mod record;
mod rulebook;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use thiserror::Error;

pub(crate) use acceptance::Table;
pub(crate) use device::{Device, Enrollment, NewLease};
pub(crate) use log::LogNodes;
pub(crate) use officer::{Officer, OfficerKey};
pub(crate) use record::VerifyRow;

use writer::Writer;

/// Name of the database in the data folder.
pub(crate) const FILE_NAME: &str = "hq.sqlite";
/// Read connections that are kept open.
const READERS_KEPT: usize = 4;

/// Why the store cannot do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database was written by a later program.
    #[error("database has schema {found}, this program knows {known}")]
    Newer {
        /// In the file.
        found: i64,
        /// In this program.
        known: usize,
    },
    /// The disk is full.
    #[error("disk is full")]
    Full,
    /// Another process holds the database for too long.
    #[error("database is busy")]
    Busy,
    /// A stored value is not what this program once wrote.
    #[error("stored {0} is damaged")]
    Damaged(&'static str),
    /// The group that a write was part of could not be committed.
    #[error("commit: {0}")]
    Commit(String),
    /// The writer has stopped or the work panicked; nothing of it was kept.
    #[error("write was dropped")]
    Dropped,
    /// The database file cannot be made.
    #[error("database file: {0}")]
    File(#[source] std::io::Error),
    /// Any other error of the database.
    #[error("database: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                Self::Busy
            }
            _ => Self::Sqlite(error),
        }
    }
}

/// A transaction: the verbs are in the files of this folder, one file per noun.
pub(crate) struct Tx<'c>(&'c Connection);

/// The open store.
pub(crate) struct Store {
    path: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens or creates the store in `folder` and migrates it.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a later program's database.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        let mut connection = open::writer(&path)?;
        migrate::migrate(&mut connection)?;
        Ok(Self { writer: Writer::start(connection), path, readers: Mutex::new(Vec::new()) })
    }

    /// Runs `work` in a transaction and returns its result after the commit is on the disk.
    ///
    /// # Errors
    /// What `work` returns, then nothing of it is kept; or why it could not be committed.
    pub(crate) fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.writer.write(work)
    }

    /// Runs `work` on one snapshot of what is committed.
    ///
    /// # Errors
    /// What `work` returns, or why the database cannot be read.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => open::reader(&self.path)?,
        };
        let result = {
            let tx = connection.transaction().map_err(StoreError::from)?;
            work(&Tx(&tx))
        };
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_KEPT {
            readers.push(connection);
        }
        result
    }
}

/// Returns a stored integer as a count; a negative one was never written by this program.
fn unsigned(value: i64, what: &'static str) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Damaged(what))
}

/// Returns a count as the integer that SQLite stores.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
