//! Two devices, one case; a lost device; a copied, a restored device; an HQ that lost records: real
//! stores on both sides, requests answered in process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "helpers of tests fail loudly"
)]

mod audit;
mod case;
mod chain;
mod copy;
mod world;
