//! Any bytes for `sim::decode::peers::tile`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::peers::tile(bytes));
