//! HQ over real HTTP: what devices may send and what they get back, also when things go wrong.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "helpers of tests fail loudly"
)]

mod support;

mod admission;
mod archive;
mod audit;
mod backup;
mod bucket;
mod check_page;
mod cli;
mod credential;
mod custody;
mod day;
mod desk;
mod enrollment;
mod feed;
mod files;
mod forms;
mod golden;
mod hostile;
mod log_files;
mod partner;
mod postgres;
mod provision;
mod server;
mod slip;
mod store;
mod tls;
mod witness;
