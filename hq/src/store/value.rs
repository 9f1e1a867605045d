//! What goes into a statement and what comes out of a row, the same for every database.

use sync_model::cose::PublicKey;
use sync_model::hash::Hash;
use sync_model::id::{
    AssignmentId, BootId, CaseId, DeviceId, DocumentId, EvidenceId, InspectionId, LeaseId,
    OfficerId, RecordId, ShiftId, TranscriptId,
};
use sync_model::time::Timestamp;

use super::StoreError;

/// A value in a statement or in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    Int(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
}

/// The named values of a statement.
pub(crate) type Params<'a> = [(&'static str, Value<'a>)];

/// Names the values of a statement: `params! { ":device": &device, ":now": now }`. Ids, keys,
/// hashes, text and bytes are given by reference, numbers and times by value.
macro_rules! params {
    ($($name:literal : $value:expr),* $(,)?) => {
        [$(($name, $crate::store::Value::from($value))),*]
    };
}
pub(crate) use params;

/// A row of a result, columns by name.
pub(crate) struct Row<'r>(&'r dyn Columns);

/// The columns of a row as a database gives them.
pub(super) trait Columns {
    /// Returns the value of the column.
    fn column(&self, name: &str) -> Result<Value<'_>, StoreError>;
}

impl<'r> Row<'r> {
    pub(super) fn new(columns: &'r dyn Columns) -> Self {
        Self(columns)
    }

    /// Returns the column as the wanted type.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it holds what this program never writes there.
    pub(crate) fn get<T: FromValue>(&self, name: &'static str) -> Result<T, StoreError> {
        T::from_value(self.0.column(name)?).ok_or(StoreError::Damaged(name))
    }
}

/// What can be read from a column.
pub(crate) trait FromValue: Sized {
    /// Returns the value, or `None` if it is none of this type.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        if value == Value::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
}

impl FromValue for i64 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Int(value) = value { Some(value) } else { None }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Bytes(value) = value { Some(value.to_vec()) } else { None }
    }
}

impl FromValue for String {
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Text(value) = value { Some(value.to_owned()) } else { None }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Bytes(value) = value { value.try_into().ok() } else { None }
    }
}

impl FromValue for bool {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl FromValue for Timestamp {
    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value).map(Self)
    }
}

macro_rules! counts {
    ($($number:ty),*) => {$(
        impl FromValue for $number {
            fn from_value(value: Value<'_>) -> Option<Self> {
                i64::from_value(value).and_then(|value| value.try_into().ok())
            }
        }
    )*};
}
counts!(u64, u32, i32);

macro_rules! keys {
    ($($name:ident),*) => {$(
        impl FromValue for $name {
            fn from_value(value: Value<'_>) -> Option<Self> {
                FromValue::from_value(value).map($name)
            }
        }
        impl<'a> From<&'a $name> for Value<'a> {
            fn from(value: &'a $name) -> Self {
                Self::Bytes(&value.0)
            }
        }
    )*};
}
keys!(Hash, PublicKey);

macro_rules! ids {
    ($($name:ident),*) => {$(
        impl FromValue for $name {
            fn from_value(value: Value<'_>) -> Option<Self> {
                <[u8; 16]>::from_value(value).map(|bytes| Self(uuid::Uuid::from_bytes(bytes)))
            }
        }
        impl<'a> From<&'a $name> for Value<'a> {
            fn from(value: &'a $name) -> Self {
                Self::Bytes(value.as_bytes())
            }
        }
    )*};
}
ids!(
    AssignmentId,
    BootId,
    CaseId,
    DeviceId,
    DocumentId,
    EvidenceId,
    InspectionId,
    LeaseId,
    OfficerId,
    RecordId,
    ShiftId,
    TranscriptId
);

impl<'a, T> From<Option<T>> for Value<'a>
where
    Value<'a>: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<i32> for Value<'_> {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<u64> for Value<'_> {
    /// No count that this program makes is larger than a database can store.
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.0)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}
