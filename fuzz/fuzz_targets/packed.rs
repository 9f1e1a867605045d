//! Any bytes for `sim::decode::packed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::packed(bytes));
