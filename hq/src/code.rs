//! One-time codes that people read out and type: ten characters without look-alikes.
//!
//! Only the hash of a code is stored. 31¹⁰ codes against a lifetime of days leave a guesser
//! nothing to hope for.

use sync_model::hash::Hash;

use crate::error::HqError;
use crate::keys::random;

/// No 0, O, 1, I, L.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// Characters of a code, apart from the hyphen in the middle.
const CHARS: usize = 10;

/// Returns a new code, for example `7KQ4M-XW2PD`.
pub(crate) fn new() -> Result<String, HqError> {
    let mut code = String::with_capacity(CHARS + 1);
    let mut count = 0;
    while count < CHARS {
        let [byte] = random::<1>()?;
        // 248 is the largest multiple of 31 in a byte: above it some characters would be likelier.
        let Some(letter) = (byte < 248).then(|| ALPHABET.get(usize::from(byte % 31))).flatten()
        else {
            continue;
        };
        if count == CHARS / 2 {
            code.push('-');
        }
        code.push(char::from(*letter));
        count += 1;
    }
    Ok(code)
}

/// Returns the hash under which a code is stored; case, hyphens and spaces do not matter.
pub(crate) fn hash(purpose: &str, code: &str) -> Hash {
    let plain: String =
        code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    Hash::of_parts(&[b"xunzheng/code/", purpose.as_bytes(), b"/", plain.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_typed_and_only_for_its_purpose() {
        let code = new().unwrap();
        assert_eq!(code.len(), 11);
        let typed = format!(" {} ", code.to_lowercase().replace('-', " "));
        assert_eq!(hash("device", &code), hash("device", &typed));
        assert_ne!(hash("device", &code), hash("officer", &code));
        assert_ne!(code, new().unwrap());
    }
}
