//! Personal names as the law protects them: any script, any plane, never folded.
//!
//! Compatibility ideographs, characters beyond the BMP and private-use characters from an identity
//! card's chip may be legal names. Only characters that hide or reorder text are refused.

use serde::{Deserialize, Serialize};

use crate::rule::Finding;

/// What findings rest on.
const BASIS: &str = "GB 18030-2022";
/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 60;

/// A name that may be recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonName {
    /// As typed, without spaces at the ends.
    pub raw: String,
    /// With every middle dot as U+00B7, for comparing and sorting only.
    pub matching: String,
    /// Whether a private-use character is in it, which needs its image beside it.
    pub needs_glyph_image: bool,
}

/// Checks a name.
///
/// # Errors
///
/// The finding that says what is wrong with it.
pub fn check(text: &str) -> Result<PersonName, Finding> {
    let raw = text.trim();
    let length = raw.chars().count();
    if length == 0 {
        return Err(wrong("姓名未填写，请录入姓名"));
    }
    if length > NAME_CHARS_MAX {
        return Err(wrong("姓名超过60个字，请核对是否录入了其他内容"));
    }
    if raw.chars().any(is_hidden) {
        return Err(wrong("姓名中含有看不见的控制字符，请删除后重新录入"));
    }
    if raw.contains('\u{FFFD}') || raw.contains('?') || raw.contains('*') {
        return Err(wrong(
            "姓名中的生僻字没有录入，请用生僻字输入或者附证件照片，不得用“?”“*”代替",
        ));
    }
    if !raw.chars().any(|c| c.is_alphabetic() || is_private(c)) {
        return Err(wrong("姓名中没有文字，请重新录入"));
    }
    let matching = raw.chars().map(|c| if is_dot(c) { '·' } else { c }).collect();
    let needs_glyph_image = raw.chars().any(is_private);
    Ok(PersonName { raw: raw.to_owned(), matching, needs_glyph_image })
}

/// The middle dot of ethnic names and what keyboards give for it.
fn is_dot(c: char) -> bool {
    matches!(c, '\u{B7}' | '\u{2022}' | '\u{30FB}' | '\u{FF0E}' | '\u{2027}' | '\u{FF65}')
}

/// Control, bidirectional, zero-width and line separator characters.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
        || u32::from(c) & 0xFFFE == 0xFFFE
}

fn is_private(c: char) -> bool {
    matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}')
}

fn wrong(message: &str) -> Finding {
    Finding::block("ID-NAME", BASIS, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GB 18030-2022 and field case 20.
    #[test]
    fn names_beyond_the_bmp_and_with_any_middle_dot_are_kept_as_typed() {
        for name in ["王伟", "𠮷田", "㐆𪜎", "\u{2EBF0}明", "欧阳", "John O'Neil", "邓\u{E000}"]
        {
            assert_eq!(check(name).unwrap().raw, name);
        }
        for dot in ['\u{B7}', '\u{2022}', '\u{30FB}', '\u{FF0E}'] {
            let name = format!("阿卜杜勒{dot}热合曼");
            let checked = check(&name).unwrap();
            assert_eq!(checked.raw, name);
            assert_eq!(checked.matching, "阿卜杜勒·热合曼");
        }
        assert!(check("邓\u{E000}").unwrap().needs_glyph_image);
        // A compatibility ideograph is not folded into its unified twin.
        assert_eq!(check("\u{F9E3}").unwrap().matching, "\u{F9E3}");
        assert!(check(&"字".repeat(60)).is_ok());
    }

    #[test]
    fn empty_hidden_and_substituted_characters_are_refused() {
        for name in [
            "",
            "  ",
            "王\u{0}伟",
            "王\u{202E}伟",
            "王\u{200B}伟",
            "王\u{FEFF}伟",
            "王\n伟",
            "王?",
            "王*",
            "··",
            "王\u{FFFD}",
            "王\u{2066}伟",
            "123",
        ] {
            assert!(check(name).is_err(), "{name:?}");
        }
        assert!(check(&"字".repeat(61)).is_err());
    }
}
