//! 取证: photographs become evidence; the original is stored before anything else is made of it.

#[cfg(feature = "window")]
pub mod adapter;
mod capture;
pub mod detail;
mod exclude;
#[cfg(feature = "window")]
mod intake_adapter;
pub mod photo;
pub mod take;
pub mod view;

pub use capture::{CaptureInput, Captured, capture};
pub use exclude::exclude;
