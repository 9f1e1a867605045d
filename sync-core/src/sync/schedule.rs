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

/// Longest wait that HQ can ask for, in milliseconds.
const ASKED_CAP_MS: u64 = 60 * 60 * 1000;

/// Returns how long to wait after `failures` failed rounds in a row where HQ may have `asked` for a
/// time of its own: not before that (an hour at most), and not all at once after it.
#[must_use]
pub fn next_try_ms(failures: u32, asked: Option<u64>, random: u64) -> u64 {
    let own_ms = retry_after_ms(failures, random);
    asked.map_or(own_ms, |asked_ms| asked_ms.min(ASKED_CAP_MS).saturating_add(own_ms))
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

    #[test]
    fn hqs_wish_is_honoured_for_an_hour_and_spread() {
        for failures in 0..40 {
            for random in [0, 1, 999_999, u64::MAX] {
                let wait_ms = next_try_ms(failures, Some(5_000), random);
                assert!((5_000..5_000 + CAP_MS).contains(&wait_ms));
                let wait_ms = next_try_ms(failures, Some(u64::MAX), random);
                assert!((ASKED_CAP_MS..ASKED_CAP_MS + CAP_MS).contains(&wait_ms));
            }
        }
        assert_eq!(next_try_ms(3, None, 77), retry_after_ms(3, 77));
    }
}
