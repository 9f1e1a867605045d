//! Deterministic CBOR (RFC 8949 §4.2.1): the bytes that are hashed, signed, stored and sent.
//!
//! Encoding sorts map keys; decoding runs a strict pass first, so that one value has exactly one
//! accepted form. No floats, no tags, no indefinite lengths, bounded depth.

use ciborium::Value;
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

/// Deepest nesting accepted anywhere.
pub const DEPTH_MAX: usize = 16;
/// Largest record, in bytes.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;

/// Why bytes are not in canonical form, or a value has none.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CanonicalError {
    /// The bytes end inside an item.
    #[error("cbor ends early")]
    Truncated,
    /// Bytes follow the item.
    #[error("cbor has trailing bytes")]
    Trailing,
    /// An integer or length is not in its shortest form.
    #[error("cbor integer is not in shortest form")]
    LongForm,
    /// Indefinite length, tag, float or unassigned simple value.
    #[error("cbor uses a form that is not allowed: {0}")]
    Forbidden(&'static str),
    /// Map keys are not strictly ascending.
    #[error("cbor map keys are not sorted and unique")]
    KeyOrder,
    /// Text is not UTF-8.
    #[error("cbor text is not utf-8")]
    Utf8,
    /// Nested deeper than [`DEPTH_MAX`].
    #[error("cbor is nested too deep")]
    TooDeep,
    /// More bytes than the caller allows.
    #[error("cbor is larger than {max} bytes")]
    TooLarge {
        /// The limit that was passed.
        max: usize,
    },
    /// The bytes are canonical but not of the wanted type.
    #[error("cbor is not of the wanted shape: {0}")]
    Shape(String),
}

/// Returns the canonical bytes of `value`.
///
/// # Errors
/// [`CanonicalError::Forbidden`] if the value holds a float or tag; `Shape` if it cannot be encoded.
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let value = Value::serialized(value).map_err(|e| CanonicalError::Shape(e.to_string()))?;
    let value = sorted(value)?;
    let mut bytes = Vec::new();
    ciborium::into_writer(&value, &mut bytes).map_err(|e| CanonicalError::Shape(e.to_string()))?;
    Ok(bytes)
}

/// Returns the value in `bytes` after the strict pass.
///
/// # Errors
/// Any [`CanonicalError`]; nothing is allocated for lengths that the bytes do not hold.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8], max: usize) -> Result<T, CanonicalError> {
    check(bytes, max)?;
    let mut rest = bytes;
    let value =
        ciborium::from_reader(&mut rest).map_err(|e| CanonicalError::Shape(e.to_string()))?;
    // A tuple stops reading after its last field, so an array with more of them leaves bytes over.
    if rest.is_empty() { Ok(value) } else { Err(CanonicalError::Shape("array is too long".into())) }
}

/// Checks that `bytes` are one canonical item of at most `max` bytes.
///
/// # Errors
/// The first deviation found.
pub fn check(bytes: &[u8], max: usize) -> Result<(), CanonicalError> {
    if bytes.len() > max {
        return Err(CanonicalError::TooLarge { max });
    }
    let mut cursor = Cursor { rest: bytes };
    cursor.item(0)?;
    if cursor.rest.is_empty() { Ok(()) } else { Err(CanonicalError::Trailing) }
}

/// Returns `value` with every map in canonical order; the form in which equal values compare equal.
///
/// # Errors
/// [`CanonicalError::Forbidden`] for floats and tags, [`CanonicalError::KeyOrder`] for a key twice.
pub(crate) fn sorted(value: Value) -> Result<Value, CanonicalError> {
    match value {
        Value::Map(entries) => {
            let mut keyed = Vec::with_capacity(entries.len());
            for (key, entry) in entries {
                let mut key_bytes = Vec::new();
                ciborium::into_writer(&key, &mut key_bytes)
                    .map_err(|e| CanonicalError::Shape(e.to_string()))?;
                keyed.push((key_bytes, key, sorted(entry)?));
            }
            keyed.sort_by(|a, b| a.0.cmp(&b.0));
            if keyed.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
                return Err(CanonicalError::KeyOrder);
            }
            Ok(Value::Map(keyed.into_iter().map(|(_, key, entry)| (key, entry)).collect()))
        }
        Value::Array(items) => {
            items.into_iter().map(sorted).collect::<Result<_, _>>().map(Value::Array)
        }
        Value::Float(_) => Err(CanonicalError::Forbidden("float")),
        Value::Tag(..) => Err(CanonicalError::Forbidden("tag")),
        other => Ok(other),
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], CanonicalError> {
        let (head, tail) = self.rest.split_at_checked(count).ok_or(CanonicalError::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    /// Reads an initial byte and its argument; refuses long and indefinite forms.
    fn head(&mut self) -> Result<(u8, u64), CanonicalError> {
        let first = *self.take(1)?.first().ok_or(CanonicalError::Truncated)?;
        let (major, info) = (first >> 5, first & 0x1f);
        let width = match info {
            0..=23 => return Ok((major, u64::from(info))),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            31 => return Err(CanonicalError::Forbidden("indefinite length")),
            _ => return Err(CanonicalError::Forbidden("reserved length")),
        };
        let argument =
            self.take(width)?.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        let least = match width {
            1 => 24,
            2 => 1 << 8,
            4 => 1 << 16,
            _ => 1 << 32,
        };
        // For major type 7 the argument is a simple value or float and is judged in `item`.
        if argument < least && major != 7 {
            return Err(CanonicalError::LongForm);
        }
        if major == 7 {
            return Err(CanonicalError::Forbidden("float or simple value"));
        }
        Ok((major, argument))
    }

    fn item(&mut self, depth: usize) -> Result<(), CanonicalError> {
        if depth > DEPTH_MAX {
            return Err(CanonicalError::TooDeep);
        }
        let (major, argument) = self.head()?;
        match major {
            0 | 1 => Ok(()),
            2 => self.take(length(argument)?).map(|_| ()),
            3 => {
                let text = self.take(length(argument)?)?;
                std::str::from_utf8(text).map(|_| ()).map_err(|_| CanonicalError::Utf8)
            }
            4 => (0..argument).try_for_each(|_| self.item(depth + 1)),
            5 => self.map(argument, depth),
            7 if (20..=22).contains(&argument) => Ok(()),
            7 => Err(CanonicalError::Forbidden("simple value")),
            _ => Err(CanonicalError::Forbidden("tag")),
        }
    }

    fn map(&mut self, entries: u64, depth: usize) -> Result<(), CanonicalError> {
        let mut previous: Option<&[u8]> = None;
        for _ in 0..entries {
            let start = self.rest;
            self.item(depth + 1)?;
            let key =
                start.get(..start.len() - self.rest.len()).ok_or(CanonicalError::Truncated)?;
            if previous.is_some_and(|previous| previous >= key) {
                return Err(CanonicalError::KeyOrder);
            }
            previous = Some(key);
            self.item(depth + 1)?;
        }
        Ok(())
    }
}

fn length(argument: u64) -> Result<usize, CanonicalError> {
    usize::try_from(argument).map_err(|_| CanonicalError::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Sample {
        zebra: u64,
        a: Option<String>,
        mid: Vec<i64>,
    }

    #[test]
    fn keys_are_sorted_by_encoded_bytes_and_values_round_trip() {
        let sample = Sample { zebra: 500, a: Some("蔬".into()), mid: vec![-1, 24, 256] };
        let bytes = to_bytes(&sample).unwrap();
        assert_eq!(bytes.first(), Some(&0xa3));
        assert_eq!(bytes.get(1..3), Some(&[0x61, b'a'][..]));
        assert_eq!(from_bytes::<Sample>(&bytes, 1000).unwrap(), sample);
    }

    #[test]
    fn a_tuple_takes_an_array_of_exactly_its_length() {
        assert_eq!(from_bytes::<(u8, u8)>(&[0x82, 1, 2], 10), Ok((1, 2)));
        assert!(from_bytes::<(u8, u8)>(&[0x81, 1], 10).is_err());
        assert!(from_bytes::<(u8, u8)>(&[0x83, 1, 2, 3], 10).is_err());
        assert!(from_bytes::<((u8, u8), u8)>(&[0x82, 0x83, 1, 2, 3, 4], 10).is_err());
    }

    #[test]
    fn every_lenient_form_is_refused() {
        let cases: &[(&[u8], CanonicalError)] = &[
            (&[0x18, 0x01], CanonicalError::LongForm),
            (&[0x1b, 0, 0, 0, 0, 0, 0, 0, 1], CanonicalError::LongForm),
            (&[0x01, 0x01], CanonicalError::Trailing),
            (&[0x9f, 0x01, 0xff], CanonicalError::Forbidden("indefinite length")),
            (&[0xa2, 0x61, b'a', 1, 0x61, b'a', 2], CanonicalError::KeyOrder),
            (&[0xa2, 0x61, b'b', 1, 0x61, b'a', 2], CanonicalError::KeyOrder),
            (&[0xfb, 0, 0, 0, 0, 0, 0, 0, 0], CanonicalError::Forbidden("float or simple value")),
            (&[0xc0, 0x60], CanonicalError::Forbidden("tag")),
            (&[0x61, 0xff], CanonicalError::Utf8),
            (&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], CanonicalError::Truncated),
            (&[0x5a, 0xff, 0xff, 0xff, 0xff], CanonicalError::Truncated),
            (&[], CanonicalError::Truncated),
        ];
        for (bytes, expected) in cases {
            assert_eq!(check(bytes, 1000).as_ref(), Err(expected), "{bytes:02x?}");
        }
        assert_eq!(check(&[0x81; 10_000], 20_000), Err(CanonicalError::TooDeep));
        assert_eq!(to_bytes(&1.5_f64), Err(CanonicalError::Forbidden("float")));
    }
}
