//! 设置与自检: theme and text size, the device's own check, export, hand-over; the damaged page.

#[cfg(feature = "window")]
pub mod adapter;
