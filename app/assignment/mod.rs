//! 任务: what HQ sends, what may be done about it, and taking it on.

mod accept;
mod view;

pub use accept::accept;
pub use view::{AssignmentView, list};
