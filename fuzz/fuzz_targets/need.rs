//! Any bytes for `sim::decode::need`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::need(bytes));
