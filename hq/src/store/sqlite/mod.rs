//! The embedded store: one SQLite file in the data folder.

mod backup;
mod connection;
mod migrate;
mod open;

use std::path::{Path, PathBuf};

use super::StoreError;
use super::tx::Connection;
use connection::SqliteConnection;

/// Name of the database in the data folder.
pub(super) const FILE_NAME: &str = "hq.sqlite";

/// The file.
pub(super) struct Sqlite {
    path: PathBuf,
}

impl Sqlite {
    /// Makes the file in `folder` if it is not there, and migrates it.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a later program's database.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        migrate::migrate(&mut open::writer(&path)?)?;
        Ok(Self { path })
    }
}

impl super::Connect for Sqlite {
    fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        backup::copy(&open::reader(&self.path)?, &folder.join(FILE_NAME))
    }

    fn writer(&self) -> Result<Box<dyn Connection>, StoreError> {
        Ok(Box::new(SqliteConnection(open::writer(&self.path)?)))
    }

    fn reader(&self) -> Result<Box<dyn Connection>, StoreError> {
        Ok(Box::new(SqliteConnection(open::reader(&self.path)?)))
    }
}
