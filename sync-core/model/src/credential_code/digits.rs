//! Bytes as decimal digits: seven bytes become seventeen digits, least significant byte first.
//!
//! A scanner's numeric mode packs digits three to ten bits, which leaves the code two sizes smaller
//! than base64url, and digits are legal behind `#`. The coding is the one of FIDO's hybrid codes.

/// Bytes in a whole group.
const GROUP_BYTES: usize = 7;
/// Digits of a group by its number of bytes.
const GROUP_DIGITS: [usize; GROUP_BYTES + 1] = [0, 3, 5, 8, 10, 13, 15, 17];

pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes
        .chunks(GROUP_BYTES)
        .map(|group| {
            let value = group.iter().rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
            let width = GROUP_DIGITS.get(group.len()).copied().unwrap_or_default();
            format!("{value:0width$}")
        })
        .collect()
}

/// Returns at most `max` bytes; `None` for anything that [`encode`] does not make.
pub(crate) fn decode(digits: &str, max: usize) -> Option<Vec<u8>> {
    let whole = GROUP_DIGITS.last().copied()?;
    // Nothing is allocated for text that is too long.
    if digits.len() > max.div_ceil(GROUP_BYTES) * whole {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len().div_ceil(whole) * GROUP_BYTES);
    for group in digits.as_bytes().chunks(whole) {
        let count = GROUP_DIGITS.iter().position(|width| *width == group.len())?;
        let mut value = group.iter().try_fold(0_u64, |sum, digit| {
            digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0'))
        })?;
        for _ in 0..count {
            bytes.push(u8::try_from(value & 0xff).ok()?);
            value >>= 8;
        }
        if value != 0 {
            return None;
        }
    }
    (bytes.len() <= max).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_round_trips() {
        for length in 0..40_usize {
            for fill in [0_u8, 0x5a, 0xff] {
                let bytes = vec![fill; length];
                assert_eq!(decode(&encode(&bytes), 40), Some(bytes));
            }
        }
        assert_eq!(encode(&[1, 2, 3, 4, 5, 6, 7, 8]), "01976943448883713008");
    }

    #[test]
    fn what_encoding_never_makes_is_refused() {
        assert_eq!(decode("255", 40), Some(vec![255]));
        for digits in ["256", "1", "12", "1234", "25 ", "+25", "０12", "99999999999999999"] {
            assert_eq!(decode(digits, 40), None, "{digits}");
        }
        assert_eq!(decode(&encode(&[7; 41]), 40), None);
        assert_eq!(decode(&"0".repeat(1_000_000), 40), None);
    }
}
