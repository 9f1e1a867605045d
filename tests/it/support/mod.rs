//! What the scenarios share.

pub mod photos;
