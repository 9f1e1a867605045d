//! The shape of a value: what a schema says, whether a value is so, and the canonical description.

use ciborium::Value;

/// A type of the schema language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// An integer from 0.
    Uint,
    /// An integer.
    Int,
    /// UTF-8.
    Text,
    /// A byte string.
    Bytes,
    /// A byte string of this length.
    Fixed(usize),
    /// Null or the type.
    Maybe(Box<Shape>),
    /// A list.
    List(Box<Shape>),
    /// A list of just these.
    Tuple(Vec<Shape>),
    /// A map of just these keys, sorted by name.
    Map(Vec<(String, Shape)>),
    /// One of these names, alone or with a value, sorted by name.
    OneOf(Vec<(String, Option<Shape>)>),
}

impl Shape {
    /// Says whether the value is of this shape.
    #[must_use]
    pub fn fits(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Bool, Value::Bool(_))
            | (Self::Int, Value::Integer(_))
            | (Self::Text, Value::Text(_))
            | (Self::Bytes, Value::Bytes(_))
            | (Self::Maybe(_), Value::Null) => true,
            (Self::Uint, Value::Integer(number)) => u64::try_from(*number).is_ok(),
            (Self::Fixed(length), Value::Bytes(bytes)) => bytes.len() == *length,
            (Self::Maybe(inner), value) => inner.fits(value),
            (Self::List(inner), Value::Array(items)) => items.iter().all(|item| inner.fits(item)),
            (Self::Tuple(shapes), Value::Array(items)) => {
                shapes.len() == items.len()
                    && shapes.iter().zip(items).all(|(shape, item)| shape.fits(item))
            }
            (Self::Map(fields), Value::Map(entries)) => {
                fields.len() == entries.len()
                    && fields.iter().all(|(name, shape)| {
                        entries.iter().any(|(key, value)| {
                            key.as_text() == Some(name.as_str()) && shape.fits(value)
                        })
                    })
            }
            (Self::OneOf(variants), Value::Text(name)) => {
                variants.iter().any(|(variant, inner)| variant == name && inner.is_none())
            }
            (Self::OneOf(variants), Value::Map(entries)) => match entries.as_slice() {
                [(Value::Text(name), value)] => variants.iter().any(|(variant, inner)| {
                    variant == name && inner.as_ref().is_some_and(|inner| inner.fits(value))
                }),
                _ => false,
            },
            _ => false,
        }
    }

    /// Returns the canonical description: all names resolved, sorted, no blanks.
    #[must_use]
    pub fn canonical(&self) -> String {
        let joined = |parts: Vec<String>| parts.join(",");
        match self {
            Self::Bool => "bool".to_owned(),
            Self::Uint => "uint".to_owned(),
            Self::Int => "int".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Bytes => "bytes".to_owned(),
            Self::Fixed(length) => format!("bytes{length}"),
            Self::Maybe(inner) => format!("?{}", inner.canonical()),
            Self::List(inner) => format!("[{}]", inner.canonical()),
            Self::Tuple(shapes) => {
                format!("({})", joined(shapes.iter().map(Self::canonical).collect()))
            }
            Self::Map(fields) => {
                let field =
                    |(name, shape): &(String, Self)| format!("{name}:{}", shape.canonical());
                format!("{{{}}}", joined(fields.iter().map(field).collect()))
            }
            Self::OneOf(variants) => {
                let variant = |(name, inner): &(String, Option<Self>)| match inner {
                    Some(inner) => format!("{name}:{}", inner.canonical()),
                    None => name.clone(),
                };
                format!("one_of({})", joined(variants.iter().map(variant).collect()))
            }
        }
    }
}
