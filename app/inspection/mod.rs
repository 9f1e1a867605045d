//! 检查: one visit, from arriving to leaving. Every act is a record; the order is held by rules.

mod begin;
mod checklist;
mod conclude;
mod guard;
mod notice;

pub use begin::{BeginInput, begin};
pub use checklist::{answer, merged};
pub use conclude::{ConcludeInput, conclude, missing};
pub use guard::{open_visit as require_open, order_time, require_display};
pub use notice::{NoticeInput, TOLD, give_notice};
