//! Any bytes for `sim::decode::strict`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::strict(bytes));
