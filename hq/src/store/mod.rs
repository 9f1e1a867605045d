//! HQ's store: everything that must outlive a restart, except the files themselves.
//!
//! Callers see [`Store::write`], [`Store::read`] and the verbs of [`Tx`]. The verbs keep their SQL
//! once; only the folders named after a database know which one stands behind them. One writer
//! thread groups waiting writes into one transaction; readers see committed snapshots.

mod acceptance;
mod account;
mod archive;
mod blob;
mod chain;
mod credential;
mod day;
mod device;
mod feed;
mod identity;
mod log;
mod officer;
mod part;
mod postgres;
mod quarantine;
mod readers;
mod record;
mod rulebook;
mod setting;
mod sharing;
mod sqlite;
mod status;
mod steps;
mod tx;
mod value;
mod witness;
mod writer;

use std::path::Path;
use std::sync::Arc;

use prometheus_client::metrics::histogram::Histogram;
use thiserror::Error;

pub(crate) use acceptance::Table;
pub(crate) use account::{AccountRow, LoginRow};
pub(crate) use archive::Pack;
pub(crate) use device::{Device, Enrollment, NewLease};
pub(crate) use feed::FeedRow;
pub(crate) use log::{LogNodes, Wanted};
pub(crate) use officer::{Officer, OfficerKey};
pub(crate) use part::{Part, Standing};
pub(crate) use record::{StoredRecord, VerifyRow};
pub(crate) use status::ListRow;
pub(crate) use tx::Tx;
pub(crate) use value::{Row, Value, params};
pub(crate) use witness::{WatchedLog, Witness};

use crate::metrics;

use postgres::Postgres;
use readers::Readers;
use sqlite::Sqlite;
use tx::Connection;
use writer::Writer;

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
    /// The database needs a newer schema than it has, and this role may not make it.
    #[error("database has schema {found}, this program needs {known}: run `xunzheng-hq migrate`")]
    Older {
        /// In the database.
        found: i64,
        /// In this program.
        known: usize,
    },
    /// The address of the database cannot be read.
    #[error("address of the database: {0}")]
    Address(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The disk is full.
    #[error("disk is full")]
    Full,
    /// Another process holds the database for too long, or it is away for a moment.
    #[error("database is busy or away")]
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
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What stands behind the verbs.
trait Connect: Send + Sync {
    /// Copies what is committed to a new embedded store in `folder`, in one snapshot.
    fn copy_to(&self, folder: &Path) -> Result<(), StoreError>;
    /// Opens a connection that can write.
    fn writer(&self) -> Result<Box<dyn Connection>, StoreError>;
    /// Opens a connection that only reads.
    fn reader(&self) -> Result<Box<dyn Connection>, StoreError>;
}

/// The open store.
pub(crate) struct Store {
    writer: Writer,
    readers: Readers,
    database: Arc<dyn Connect>,
    group_size: Histogram,
}

impl Store {
    /// Says whether `folder` holds an embedded store.
    pub(crate) fn is_in(folder: &Path) -> bool {
        folder.join(sqlite::FILE_NAME).exists()
    }

    /// Opens or creates the embedded store in `folder` and migrates it.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a later program's database.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::over(Arc::new(Sqlite::open(folder)?))
    }

    /// Opens the store on the PostgreSQL at `url` and migrates it if this role may.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a later program's schema, [`StoreError::Older`] if this role may
    /// not migrate, or why it cannot be reached.
    pub(crate) fn open_postgres(
        url: &str,
        partition_records: Option<u64>,
    ) -> Result<Self, StoreError> {
        let postgres = Postgres::at(url, partition_records)?;
        postgres.migrate(None)?;
        Self::over(Arc::new(postgres))
    }

    /// Migrates the PostgreSQL at `url`; gives `role` the rights that serving needs and no more.
    ///
    /// # Errors
    /// As [`Store::open_postgres`].
    pub(crate) fn migrate_postgres(url: &str, role: Option<&str>) -> Result<(), StoreError> {
        Postgres::at(url, None)?.migrate(role)
    }

    fn over(database: Arc<dyn Connect>) -> Result<Self, StoreError> {
        let group_size = metrics::counts();
        let writer = Writer::start(Arc::clone(&database), database.writer()?, group_size.clone());
        Ok(Self { writer, readers: Readers::new(Arc::clone(&database)), database, group_size })
    }

    /// Returns the counter of writes that shared one commit.
    pub(crate) fn group_size(&self) -> Histogram {
        self.group_size.clone()
    }

    /// Copies what is committed to a new embedded store in `folder`, beside everything that goes on.
    ///
    /// # Errors
    /// If the copy cannot be made; what stood there before still stands.
    pub(crate) fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        self.database.copy_to(folder)
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
        self.readers.read(work)
    }
}
