//! Any bytes for `sim::decode::feed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::feed(bytes));
