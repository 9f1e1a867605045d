//! What the scenarios share.

pub mod check;
pub mod device;
#[cfg(feature = "window")]
pub mod hands;
pub mod papers;
pub mod people;
pub mod photos;
pub mod proxy;
pub mod world;
