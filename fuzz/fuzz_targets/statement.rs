//! Any bytes for `sim::decode::statement`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::statement(bytes));
