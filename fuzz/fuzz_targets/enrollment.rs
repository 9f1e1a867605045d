//! Any bytes for `sim::decode::enrollment`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::enrollment(bytes));
