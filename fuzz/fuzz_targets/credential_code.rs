//! Any bytes for `sim::decode::credential_code`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::decode::credential_code(bytes));
