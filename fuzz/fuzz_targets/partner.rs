//! Any bytes for `sim::decode::peers::partner`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::peers::partner(bytes));
