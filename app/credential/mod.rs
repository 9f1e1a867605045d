//! 亮证: both officers' credentials in one code that moves with time, and the record of it.
//!
//! The code holds what HQ signed and a moment that the officer's own key signs; a photograph of it
//! is a dated proof, not a live one. No network is needed to show it.

#[cfg(feature = "window")]
pub mod adapter;
mod check;
mod display;
mod qr;

pub use check::check;
pub use display::{DisplayInput, display, live_code};
pub use qr::{QrModules, qr};
