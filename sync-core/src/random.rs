//! The system's random numbers. Without them nothing may be signed, so their absence is fatal.

/// Returns `N` random bytes from the operating system.
///
/// # Panics
/// If the operating system has no random source: no key, nonce or id could be trusted.
#[must_use]
#[expect(clippy::expect_used, reason = "no key or nonce may be made without randomness")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("operating system gives random bytes");
    bytes
}
