//! 检查: one visit, from arriving to leaving. Every act is a record; the order is held by rules.

#[cfg(feature = "window")]
pub mod adapter;
mod begin;
mod checklist;
mod conclude;
mod guard;
mod notice;
mod steps;
mod view;
mod walk;

pub use begin::{BeginInput, begin, foresee};
pub use checklist::{answer, merged};
pub use conclude::{ConcludeInput, conclude, missing};
pub use guard::{open_visit as require_open, order_time, require_display};
pub use notice::{NoticeInput, TOLD, give_notice};
pub use steps::{StepState, StepView, VisitStep, next_step, steps};
pub use view::{
    MatterView, NoticeView, conclude_field, conclude_input, matters, notice_view, reason_of,
    save_conclude_field,
};
pub use walk::{
    EntryView, GroupView, claim_photos, draft_scope, expect_photos, find, record_pending, walk,
};
