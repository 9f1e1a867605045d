//! The handheld's memory and its way to HQ: one SQLite store with one write path, evidence files
//! written durably, an outbox, and sync rounds that can be cut anywhere.
//!
//! Reading order: [`vault`] (what everything lies under) → [`store`] (open, act, read) → [`blobs`] → [`sync`] (one round) → [`bundle`].
#![forbid(unsafe_code)]

pub mod audit;
pub mod blobs;
pub mod bundle;
pub mod clock;
pub mod disk;
pub mod error;
pub mod key;
pub mod partner;
pub mod random;
pub mod store;
pub mod sync;
pub mod vault;

pub use error::{Outcome, StoreError, SyncError};
pub use store::Store;
