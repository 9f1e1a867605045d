//! When to try again (pure): full jitter, doubling, no maximum count.

/// First wait after a failure, in milliseconds.
const BASE_MS: u64 = 2_000;
/// Longest wait, in milliseconds.
const CAP_MS: u64 = 15 * 60 * 1000;

/// Returns how long to wait after `failures` failed rounds in a row; `random` spreads devices out.
#[must_use]
pub fn retry_after_ms(failures: u32, random: u64) -> u64 {
    let doubled = BASE_MS.checked_shl(failures.min(20)).unwrap_or(CAP_MS);
    let ceiling = doubled.min(CAP_MS);
    random % ceiling.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_cap_and_never_stop() {
        assert!(retry_after_ms(0, u64::MAX) < BASE_MS);
        for failures in 0..1000 {
            assert!(retry_after_ms(failures, u64::MAX) < CAP_MS);
        }
        assert!(retry_after_ms(1000, CAP_MS - 1) == CAP_MS - 1);
    }
}
