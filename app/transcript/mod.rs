//! 笔录: typed as a draft, made into pages, read back, signed page by page or refused, locked.
//!
//! ```text
//! draft → prepare → read back → party's pages → officers → lock
//!            ▲          any change makes a new revision; signatures on the old one are void
//! ```

#[cfg(feature = "window")]
pub mod adapter;
pub(crate) mod compose;
mod correct;
mod draft;
pub mod entries;
pub(crate) mod lock;
#[cfg(feature = "window")]
mod pad_adapter;
mod prepare;
mod read_back;
mod sign;
#[cfg(feature = "window")]
mod sign_adapter;
#[cfg(feature = "window")]
mod sign_form;
#[cfg(feature = "window")]
mod sign_shown_adapter;
pub mod signing;
pub mod typed;
pub mod view;

pub use compose::{InterviewInput, SceneInput, compose_interview, compose_scene};
pub use correct::correct;
pub use draft::{Draft, load_draft, save_field};
pub use lock::{LockInput, lock};
pub use prepare::prepare;
pub use read_back::read_back;
pub use sign::{RefusalInput, SignInput, refuse, sign_page};
