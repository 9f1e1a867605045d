//! A connection to SQLite.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use super::super::StoreError;
use super::super::tx;
use super::super::value::{Columns, Params, Row, Value};

/// An open connection. Statements are prepared once and kept.
pub(super) struct SqliteConnection(pub(super) Connection);

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                Self::Busy
            }
            _ => Self::Database(Box::new(error)),
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(value),
            Value::Bytes(value) => ValueRef::Blob(value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
        }))
    }
}

impl Columns for rusqlite::Row<'_> {
    fn column(&self, name: &str) -> Result<Value<'_>, StoreError> {
        Ok(match self.get_ref(name)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(value) => Value::Int(value),
            ValueRef::Blob(value) => Value::Bytes(value),
            ValueRef::Text(value) => {
                Value::Text(std::str::from_utf8(value).map_err(|_| StoreError::Damaged("text"))?)
            }
            ValueRef::Real(_) => return Err(StoreError::Damaged("number")),
        })
    }
}

impl SqliteConnection {
    fn bound<'c>(
        &'c self,
        sql: &str,
        params: &Params<'_>,
    ) -> Result<rusqlite::CachedStatement<'c>, StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        for (name, value) in params {
            let index = statement.parameter_index(name)?;
            let index = index.ok_or_else(|| rusqlite::Error::InvalidParameterName(sql.into()))?;
            statement.raw_bind_parameter(index, value)?;
        }
        Ok(statement)
    }

    fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.0.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

impl tx::Connection for SqliteConnection {
    fn begin_write(&self) -> Result<(), StoreError> {
        self.batch("BEGIN IMMEDIATE")
    }

    fn begin_read(&self) -> Result<(), StoreError> {
        self.batch("BEGIN")
    }

    fn commit(&self) -> Result<(), StoreError> {
        self.batch("COMMIT")
    }

    fn rollback(&self) -> Result<(), StoreError> {
        // A full disk ends the transaction by itself.
        if self.0.is_autocommit() { Ok(()) } else { self.batch("ROLLBACK") }
    }

    fn mark(&self) -> Result<(), StoreError> {
        self.batch("SAVEPOINT one_write")
    }

    fn keep(&self) -> Result<(), StoreError> {
        self.batch("RELEASE one_write")
    }

    fn undo(&self) -> Result<(), StoreError> {
        self.batch("ROLLBACK TO one_write")?;
        self.batch("RELEASE one_write")
    }

    fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn is_sound(&self) -> bool {
        self.0.is_autocommit()
    }

    fn room_for_bodies(&self, _end: u64) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn execute(&self, sql: &'static str, params: &Params<'_>) -> Result<u64, StoreError> {
        let changed = self.bound(sql, params)?.raw_execute()?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn run(&self, sql: &'static str, params: &Params<'_>) -> Result<(), StoreError> {
        self.execute(sql, params).map(drop)
    }

    fn run_many(&self, sql: &'static str, rows: &[Vec<Value<'_>>]) -> Result<(), StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        for row in rows {
            for (index, value) in (1_usize..).zip(row) {
                statement.raw_bind_parameter(index, value)?;
            }
            statement.raw_execute()?;
        }
        Ok(())
    }

    fn query(
        &self,
        sql: &'static str,
        params: &Params<'_>,
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.bound(sql, params)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if !each(&Row::new(row))? {
                break;
            }
        }
        Ok(())
    }
}
