//! A connection that is made anew when the cipher has given it up.
//!
//! A page that could not be read at one moment makes SQLCipher refuse that connection for ever,
//! though the next read of the same page would work. The officer must not have to start the program
//! again for that, so whoever takes the connection next gets a fresh one.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::open;
use crate::vault::DataKey;

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Read and write.
    Write,
    /// Read only.
    Read,
}

/// A connection and what is needed to make it again.
pub(super) struct Line {
    connection: Connection,
    path: PathBuf,
    key: DataKey,
    access: Access,
}

impl Line {
    /// Takes a connection that has passed its check.
    pub(super) fn new(
        connection: Connection,
        path: &Path,
        key: &DataKey,
        access: Access,
    ) -> Result<Self, rusqlite::Error> {
        prepare(&connection, access)?;
        Ok(Self { connection, path: path.to_owned(), key: key.clone(), access })
    }

    /// Connects again if the cipher has given this connection up.
    pub(super) fn revive(&mut self) {
        // Not cached: the answer is fixed when the statement is made.
        let status =
            self.connection.query_row("PRAGMA cipher_status", [], |row| row.get::<_, String>(0));
        if status.is_ok_and(|status| status == "1") {
            return;
        }
        let fresh = open::connect(&self.path, Some(&self.key))
            .and_then(|fresh| prepare(&fresh, self.access).map(|()| fresh));
        match fresh {
            Ok(fresh) => self.connection = fresh,
            // The old one says what is wrong at its next query.
            Err(error) => tracing::warn!(%error, "connection cannot be made again yet"),
        }
    }
}

fn prepare(connection: &Connection, access: Access) -> Result<(), rusqlite::Error> {
    if access == Access::Read {
        connection.pragma_update(None, "query_only", true)?;
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

impl Deref for Line {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Line {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
