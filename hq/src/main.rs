//! The binary; see `command`.
fn main() {}
