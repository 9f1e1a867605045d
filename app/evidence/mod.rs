//! 取证: photographs become evidence; the original is stored before anything else is made of it.

mod capture;
mod exclude;
pub mod photo;

pub use capture::{CaptureInput, Captured, capture};
pub use exclude::exclude;
