//! 设置与自检: theme and text size, the device's own check, export, hand-over; the damaged page.

#[cfg(feature = "window")]
pub mod adapter;
mod check;
mod export;
mod look;

pub use check::{CheckState, CheckView, about, check_self, quick_checks};
pub use export::{Exported, export_bundle, export_quarantine};
pub use look::{Look, TEXT_FACTORS, load_look, save_text_size, save_theme};
