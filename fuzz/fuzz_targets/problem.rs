//! Any bytes for `sim::decode::problem`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::problem(bytes));
