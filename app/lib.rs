//! The handheld's features, one folder per thing an officer does.
//!
//! Reading order: [`services`] (what a feature is given) → [`session`] → [`assignment`] →
//! [`inspection`] → [`credential`] → [`evidence`] → [`rehearse`] (the whole day without a screen).

pub mod assignment;
pub mod credential;
pub mod device;
pub mod error;
pub mod evidence;
pub mod inspection;
pub mod services;
pub mod session;

#[cfg(feature = "window")]
pub mod screenshots;
#[cfg(feature = "window")]
pub mod ui;
