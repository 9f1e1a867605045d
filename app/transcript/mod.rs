//! 笔录: typed as a draft, made into pages, read back, signed page by page or refused, locked.
//!
//! ```text
//! draft → prepare → read back → party's pages → officers → lock
//!            ▲          any change makes a new revision; signatures on the old one are void
//! ```

pub(crate) mod compose;
mod draft;
pub(crate) mod lock;
mod prepare;
mod read_back;
mod sign;

pub use compose::{InterviewInput, SceneInput, compose_interview, compose_scene};
pub use draft::{Draft, load_draft, save_field};
pub use lock::{LockInput, lock};
pub use prepare::prepare;
pub use read_back::read_back;
pub use sign::{RefusalInput, SignInput, refuse, sign_page};
