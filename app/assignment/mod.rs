//! 任务: what HQ sends, what may be done about it, and taking it on.

mod accept;
#[cfg(feature = "window")]
pub mod adapter;
mod detail;
mod lead;
mod typed;
mod view;

pub use accept::accept;
pub use detail::{DetailView, MatterLine, detail};
pub use lead::record_lead;
pub use typed::{begin_input, forget_reasons, missing_reasons, save_reason, typed_reason};
pub use view::{AssignmentView, list, matches, source_text, state_text};
