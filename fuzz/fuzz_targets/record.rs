//! Any bytes for `sim::decode::record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::record(bytes));
