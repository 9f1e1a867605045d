//! Any bytes for `sim::decode::checkpoint`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::checkpoint(bytes));
