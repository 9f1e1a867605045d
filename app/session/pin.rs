//! PINs: which ones are too easy, and how long to wait after wrong ones (pure).

/// Fewest digits of a PIN.
const PIN_DIGITS_MIN: usize = 6;
/// Most digits of a PIN.
const PIN_DIGITS_MAX: usize = 12;

/// Wait after this many wrong PINs in a row, in milliseconds; the last one holds until HQ helps.
const DELAYS_MS: &[(u32, u64)] =
    &[(5, 30_000), (6, 60_000), (7, 300_000), (8, 900_000), (9, 3_600_000), (10, u64::MAX)];

/// Returns how long to wait after `failures` wrong PINs in a row.
#[must_use]
pub fn delay_ms(failures: u32) -> u64 {
    DELAYS_MS.iter().rev().find(|(from, _)| failures >= *from).map_or(0, |(_, delay)| *delay)
}

/// Says whether a new PIN is long enough and not a pattern.
#[must_use]
pub fn check_new_pin(pin: &str, certificate_number: &str) -> bool {
    let digits: Vec<u32> = pin.chars().filter_map(|c| c.to_digit(10)).collect();
    let all_digits = digits.len() == pin.chars().count();
    let length = (PIN_DIGITS_MIN..=PIN_DIGITS_MAX).contains(&digits.len());
    let step = |wanted: i64| {
        digits
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if i64::from(*b) - i64::from(*a) == wanted))
    };
    let pattern = step(0) || step(1) || step(-1);
    let halves = digits.len().is_multiple_of(2)
        && digits.get(..digits.len() / 2) == digits.get(digits.len() / 2..);
    all_digits && length && !pattern && !halves && !certificate_number.contains(pin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wrong_pins_lock_with_a_growing_delay() {
        assert_eq!(delay_ms(4), 0);
        let delays: Vec<u64> = (5..=11).map(delay_ms).collect();
        assert_eq!(delays.first(), Some(&30_000));
        assert!(delays.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(delays.last(), Some(&u64::MAX));
    }

    #[test]
    fn easy_pins_are_refused() {
        for easy in ["", "12345", "111111", "123456", "654321", "135135", "12345a", "3301060001"] {
            assert!(!check_new_pin(easy, "33010600012345"), "{easy}");
        }
        assert!(check_new_pin("275910", "33010600012345"));
    }
}
