//! Any bytes for `sim::decode::proof`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::proof(bytes));
