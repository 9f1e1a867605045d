//! Any bytes for `sim::decode::rulebook`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::rulebook(bytes));
