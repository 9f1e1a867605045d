//! What handheld and HQ must agree on, byte for byte. No I/O, no clock, no SQL.
//!
//! Reading order: ids and times → canonical bytes → signatures → records and their chain →
//! the log that receipts point into → the law as pure functions → wire types.
#![forbid(unsafe_code)]

pub mod canonical;
pub mod chain;
pub mod cose;
pub mod credential;
pub mod credential_code;
pub mod fold;
pub mod hash;
pub mod id;
pub mod identifier;
pub mod log;
pub mod money;
pub mod record;
pub mod rule;
pub mod rulebook;
pub mod schema;
pub mod slip;
pub mod status;
pub mod time;
pub mod wire;
