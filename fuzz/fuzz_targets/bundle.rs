//! Any bytes for `sim::decode::bundle`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::bundle(bytes));
