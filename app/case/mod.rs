//! 案件: a small penalty decided at the scene (当场处罚), step by step as the law orders it.
//!
//! ```text
//! file → prior notice → statement or waiver → number → decision (one act) → hand over
//! ```
//! The number is reserved in an act of its own; the decision, its signatures and the sealing of
//! the evidence manifest are one act. A crash leaves a reserved number that is used on resuming,
//! never a half-issued decision.

#[cfg(feature = "window")]
pub mod adapter;
mod decide_on_spot;
mod facts;
mod file;
mod hear;
pub mod intent;
mod notice;
mod number;
pub mod partner;
#[cfg(feature = "window")]
mod shown_adapter;
pub mod typed;
pub mod view;

pub use decide_on_spot::{DecideInput, decide_on_spot};
pub use facts::{PartyDetails, preview};
pub use file::{FileInput, file_case};
pub use hear::{HearInput, hear_defense};
pub use notice::{NoticeInput, give_prior_notice, prior_notice_text};
pub use number::{reserve_number, void_number};
