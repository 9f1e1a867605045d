//! Any bytes for `sim::decode::receipt`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::receipt(bytes));
