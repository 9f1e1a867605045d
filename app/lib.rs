//! The handheld's features, one folder per thing an officer does.
//!
//! Reading order: [`services`] (what a feature is given) → [`session`] → [`assignment`] →
//! [`inspection`] → [`credential`] → [`evidence`] → [`rehearse`] (the whole day without a screen).

pub mod assignment;
pub mod case;
pub mod credential;
pub mod device;
pub mod document;
pub mod error;
pub mod evidence;
pub mod glyph;
pub mod inspection;
pub mod partner_copy;
pub mod practice;
pub mod rehearse;
pub mod services;
pub mod session;
pub mod settings;
pub mod settings_page;
pub mod sync_status;
pub mod text;
pub mod transcript;

#[cfg(feature = "window")]
pub mod screenshots;
#[cfg(feature = "window")]
pub mod ui;
#[cfg(feature = "window")]
pub mod window;
