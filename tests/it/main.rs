//! Whole-system tests: one binary, real SQLite, real HTTP, real files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::too_many_lines,
    unreachable_pub,
    reason = "tests stop at the first surprise and print what they counted"
)]

mod bad_input;
mod clock;
mod credential_code;
mod in_process;
mod kill;
mod nightly;
mod offline_day;
#[cfg(feature = "window")]
mod page_checklist;
#[cfg(feature = "window")]
mod page_copy;
#[cfg(feature = "window")]
mod page_decision;
#[cfg(feature = "window")]
mod page_evidence;
#[cfg(feature = "window")]
mod page_session;
#[cfg(feature = "window")]
mod page_sync;
#[cfg(feature = "window")]
mod page_transcript;
#[cfg(feature = "window")]
mod page_visit;
mod rehearsal;
mod support;
mod sync_faults;
mod tls;
mod two_devices;
