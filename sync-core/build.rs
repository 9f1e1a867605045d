//! Notes when this program was built: no clock that shows an earlier time is right.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let stated = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
    let seconds: u64 = stated.unwrap_or_else(now);
    println!("cargo::rustc-env=XUNZHENG_BUILT_AT_S={seconds}");
}

#[expect(clippy::disallowed_methods, reason = "the builder's clock is what is asked for")]
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
