//! Any bytes for `sim::decode::peers::audit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::peers::audit(bytes));
