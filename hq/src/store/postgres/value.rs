//! Values on their way to and from PostgreSQL: counts and times are `bigint`, bytes are `bytea`.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::super::StoreError;
use super::super::value::{Columns, Value};

/// A value that is kept until its statement is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owned {
    Null,
    Int(i64),
    Bytes(Vec<u8>),
    Text(String),
}

impl From<Value<'_>> for Owned {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Int(value) => Self::Int(value),
            Value::Bytes(value) => Self::Bytes(value.to_vec()),
            // PostgreSQL's text knows no NUL; a record that holds one must be taken all the same.
            Value::Text(value) => Self::Text(value.replace('\0', "\u{2400}")),
        }
    }
}

impl<'a> From<&'a Owned> for Value<'a> {
    fn from(owned: &'a Owned) -> Self {
        match owned {
            Owned::Null => Self::Null,
            Owned::Int(value) => Self::Int(*value),
            Owned::Bytes(value) => Self::Bytes(value),
            Owned::Text(value) => Self::Text(value),
        }
    }
}

impl ToSql for Owned {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Bytes(value) if *ty == Type::BYTEA => value.as_slice().to_sql(ty, out),
            Self::Text(value) if *ty == Type::TEXT => value.as_str().to_sql(ty, out),
            Self::Int(value) if *ty == Type::INT8 => value.to_sql(ty, out),
            Self::Int(value) if *ty == Type::INT4 => i32::try_from(*value)?.to_sql(ty, out),
            other => Err(format!("{other:?} cannot be sent as {ty}").into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::BYTEA | Type::TEXT | Type::INT8 | Type::INT4)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *ty {
            Type::BYTEA => Value::Bytes(raw),
            Type::TEXT => Value::Text(<&str>::from_sql(ty, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(ty, raw)?.into()),
            Type::BOOL => Value::Int(bool::from_sql(ty, raw)?.into()),
            _ => Value::Int(i64::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Value::Null)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::BYTEA | Type::TEXT | Type::INT8 | Type::INT4 | Type::BOOL)
    }
}

impl Columns for tokio_postgres::Row {
    fn column(&self, name: &str) -> Result<Value<'_>, StoreError> {
        self.try_get(name).map_err(|error| StoreError::Database(Box::new(error)))
    }
}
