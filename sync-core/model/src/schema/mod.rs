//! The registry of record schemas: what acts of every released version look like, each under a hash.
//!
//! A schema describes one kind of act: the fields of its body and their types, with the envelope
//! around it. HQ takes records of every schema here, and of none: what no schema describes is kept
//! as the bytes it came in. Nothing stored is ever rewritten; a reader brings an older body to
//! today's shape in memory ([`upcast`]).

mod parse;
mod shape;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use ciborium::Value;
use thiserror::Error;

use crate::hash::Hash;
use crate::record::{Envelope, RawAct};

pub use shape::Shape;

/// Every released version with its text, oldest first.
const RELEASED: &[(u32, &str)] = &[(1, include_str!("../../schemas/v1.txt"))];

/// Why a schema text cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("schema line {line}: {what}")]
pub struct SchemaError {
    /// From 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

/// One kind of act in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The version in which it was released.
    pub version: u32,
    /// Kind of the act.
    pub kind: String,
    /// Names it: SHA-256 over the canonical description of envelope, kind and body.
    pub hash: Hash,
    /// The body.
    pub body: Shape,
}

/// All released schemas.
#[derive(Debug)]
pub struct Registry {
    schemas: Vec<Schema>,
}

impl Registry {
    /// Returns the registry of this program.
    ///
    /// # Panics
    /// Never: a test reads every released text.
    #[must_use]
    pub fn released() -> &'static Self {
        static REGISTRY: OnceLock<Registry> = OnceLock::new();
        // A text that cannot be read leaves its version out, which the tests would find.
        REGISTRY.get_or_init(|| Self {
            schemas: RELEASED
                .iter()
                .filter_map(|(version, text)| parse::schemas(*version, text).ok())
                .flatten()
                .collect(),
        })
    }

    /// Returns every schema, oldest first.
    #[must_use]
    pub fn schemas(&self) -> &[Schema] {
        &self.schemas
    }

    /// Returns the schema with this hash.
    #[must_use]
    pub fn by_hash(&self, hash: &Hash) -> Option<&Schema> {
        self.schemas.iter().find(|schema| schema.hash == *hash)
    }

    /// Returns the newest schema that describes the act exactly, or `None` for what a later or
    /// foreign program made.
    #[must_use]
    pub fn describe(&self, act: &RawAct) -> Option<&Schema> {
        let fits = |schema: &&Schema| schema.kind == act.kind && schema.body.fits(&act.body);
        self.schemas.iter().rev().find(fits)
    }
}

/// Returns the act of the envelope in today's shape and the schema that it was written in; bytes
/// and hashes stay what they are.
#[must_use]
pub fn upcast(envelope: &Envelope) -> (crate::record::Act, Option<&'static Schema>) {
    // Version 1 is today's shape; a later version adds its step here, from the older body's value.
    (envelope.act(), Registry::released().describe(&envelope.act))
}

/// Returns the hash of a schema with this canonical description.
fn hash(envelope: &str, kind: &str, body: &str) -> Hash {
    let parts = ["xunzheng/schema", envelope, kind, body].join("\n");
    Hash::of(parts.as_bytes())
}

/// Says whether the value is of the shape, for readers that hold a body only.
#[must_use]
pub fn fits(shape: &Shape, value: &Value) -> bool {
    shape.fits(value)
}
