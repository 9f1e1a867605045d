//! Telephone numbers: never required for a decision, so the check only sorts and warns of nonsense.

use serde::{Deserialize, Serialize};

use crate::rule::Finding;

/// Longest number kept, in characters.
const PHONE_CHARS_MAX: usize = 32;

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneKind {
    /// `1[3-9]` and nine digits.
    Mobile,
    /// Area code, number, perhaps an extension.
    Landline,
    /// Foreign or special, kept as text.
    Other,
}

/// A number worth keeping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// Without spaces, full-width folded.
    pub text: String,
    /// Its kind.
    pub kind: PhoneKind,
}

/// Checks a number.
///
/// # Errors
///
/// The finding that says what is wrong with it.
pub fn check(text: &str) -> Result<Phone, Finding> {
    let text = super::fold_code(text);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '(' | ')'));
    if !plain || digits < 3 || text.len() > PHONE_CHARS_MAX {
        let message = "电话号码只能由数字和“+”“-”组成，请核对；不愿提供的可以不填";
        return Err(Finding::block("ID-PHONE", "《行政处罚法》第五十二条", message));
    }
    let kind = if is_mobile(&text) {
        PhoneKind::Mobile
    } else if is_landline(&text) {
        PhoneKind::Landline
    } else {
        PhoneKind::Other
    };
    Ok(Phone { text, kind })
}

fn is_mobile(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() == 11
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && bytes.next() == Some(b'1')
        && bytes.next().is_some_and(|byte| byte >= b'3')
}

/// `^0\d{2,3}-?\d{7,8}(-\d{1,6})?$`
fn is_landline(text: &str) -> bool {
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    if !text.starts_with('0') || !parts.iter().all(|part| all_digits(part)) {
        return false;
    }
    match parts.as_slice() {
        [whole] => (10..=12).contains(&whole.len()),
        [area, number] if area.len() <= 4 => {
            (3..=4).contains(&area.len()) && (7..=8).contains(&number.len())
        }
        [whole, extension] => (10..=12).contains(&whole.len()) && extension.len() <= 6,
        [area, number, extension] => {
            (3..=4).contains(&area.len()) && (7..=8).contains(&number.len()) && extension.len() <= 6
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_by_kind() {
        for (text, kind) in [
            ("13800138000", PhoneKind::Mobile),
            ("１３８ ００１３ ８０００", PhoneKind::Mobile),
            ("12345678901", PhoneKind::Other),
            ("0571-87654321", PhoneKind::Landline),
            ("057187654321-802", PhoneKind::Landline),
            ("010-8765432-1", PhoneKind::Landline),
            ("+81-3-1234-5678", PhoneKind::Other),
            ("12345", PhoneKind::Other),
        ] {
            assert_eq!(check(text).unwrap().kind, kind, "{text}");
        }
    }

    #[test]
    fn words_are_no_numbers() {
        for text in ["", "无", "12", "138001380OO", "见名片"] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
