//! Any bytes for `sim::decode::push`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::push(bytes));
