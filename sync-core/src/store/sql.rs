//! Reading values out of rows: ids, hashes and canonical content, with one error for all.

use rusqlite::{Connection, OptionalExtension, Params, Row};
use serde::de::DeserializeOwned;
use sync_model::canonical;
use sync_model::hash::Hash;
use uuid::Uuid;

use crate::error::StoreError;

/// Largest stored content: a rulebook.
const CONTENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A view of the store at one moment.
pub struct Reader<'a> {
    pub(super) connection: &'a Connection,
}

impl<'a> Reader<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection }
    }

    /// Returns the rows of a query, each made by `from_row`.
    pub(super) fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        from_row: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(from_row(row)?);
        }
        Ok(found)
    }

    /// Returns the first row of a query, if there is one.
    pub(super) fn first<T>(
        &self,
        sql: &str,
        params: impl Params,
        from_row: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(from_row).transpose()
    }

    /// Returns the one integer of a query.
    pub(super) fn count(&self, sql: &str, params: impl Params) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let count: i64 = statement.query_row(params, |row| row.get(0))?;
        u64::try_from(count).map_err(|_| StoreError::BadStored("count"))
    }

    pub(super) fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT value FROM meta WHERE key = :key";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([key], |row| row.get("value")).optional()?)
    }
}

pub(super) fn set_meta(connection: &Connection, key: &str, value: &[u8]) -> Result<(), StoreError> {
    let sql = "INSERT INTO meta (key, value) VALUES (:key, :value)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(sql)?.execute((key, value))?;
    Ok(())
}

pub(super) fn forget_meta(connection: &Connection, key: &str) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM meta WHERE key = :key")?.execute([key])?;
    Ok(())
}

/// Reads a 16-byte id.
pub(super) fn id<T>(
    row: &Row<'_>,
    column: &'static str,
    make: fn(Uuid) -> T,
) -> Result<T, StoreError> {
    let bytes: Vec<u8> = row.get(column)?;
    Uuid::from_slice(&bytes).map(make).map_err(|_| StoreError::BadStored(column))
}

/// Reads a 16-byte id that may be absent.
pub(super) fn id_or_none<T>(
    row: &Row<'_>,
    column: &'static str,
    make: fn(Uuid) -> T,
) -> Result<Option<T>, StoreError> {
    let bytes: Option<Vec<u8>> = row.get(column)?;
    bytes
        .map(|bytes| Uuid::from_slice(&bytes).map(make))
        .transpose()
        .map_err(|_| StoreError::BadStored(column))
}

/// Reads a hash.
pub(super) fn hash(row: &Row<'_>, column: &'static str) -> Result<Hash, StoreError> {
    let bytes: Vec<u8> = row.get(column)?;
    Hash::from_slice(&bytes).ok_or(StoreError::BadStored(column))
}

/// Reads canonical content.
pub(super) fn content<T: DeserializeOwned>(
    row: &Row<'_>,
    column: &'static str,
) -> Result<T, StoreError> {
    let bytes: Vec<u8> = row.get(column)?;
    from_content(&bytes, column)
}

/// Reads canonical content that may be absent.
pub(super) fn content_or_none<T: DeserializeOwned>(
    row: &Row<'_>,
    column: &'static str,
) -> Result<Option<T>, StoreError> {
    let bytes: Option<Vec<u8>> = row.get(column)?;
    bytes.map(|bytes| from_content(&bytes, column)).transpose()
}

pub(super) fn from_content<T: DeserializeOwned>(
    bytes: &[u8],
    what: &'static str,
) -> Result<T, StoreError> {
    canonical::from_bytes(bytes, CONTENT_BYTES_MAX).map_err(|_| StoreError::BadStored(what))
}

pub(super) fn to_content<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    canonical::to_bytes(value)
        .map_err(|error| StoreError::Record(sync_model::record::RecordError::Canonical(error)))
}

/// Reads a column that never holds a negative number.
pub(super) fn unsigned(row: &Row<'_>, column: &'static str) -> Result<u64, StoreError> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| StoreError::BadStored(column))
}

/// Returns the number for a column; everything we count fits.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Reads text that stands for an enum.
pub(super) fn named<T: DeserializeOwned>(
    row: &Row<'_>,
    column: &'static str,
) -> Result<T, StoreError> {
    let text: String = row.get(column)?;
    serde_json::from_value(serde_json::Value::String(text))
        .map_err(|_| StoreError::BadStored(column))
}

/// Returns the text that stands for an enum.
pub(super) fn name<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
