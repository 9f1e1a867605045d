//! Identifiers as people give them: checked, never corrected behind the officer's back.
//!
//! No function here panics, whatever text it is given. Corrections are offered, never applied.

pub mod age;
pub mod citizen_id;
pub mod credit_code;
pub mod document_number;
pub mod person_name;
pub mod phone;

/// Returns `text` without spaces, with full-width letters and digits folded, in upper case.
///
/// For codes only: names are never folded (`domain` §7.5).
#[must_use]
pub fn fold_code(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '！'..='～' => char::from_u32(u32::from(c).wrapping_sub(0xFEE0)).unwrap_or(c),
            _ => c,
        })
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    /// Strings that have broken parsers before, and every prefix of valid ones.
    fn odd_texts() -> Vec<String> {
        let mut texts: Vec<String> = [
            "",
            " ",
            "\0",
            "\u{feff}",
            "\u{202e}91330100799655058B",
            "９１３３０１００７９９６５５０５８Ｂ",
            "🙂",
            "𠮷",
            "é",
            "e\u{301}",
            "〔〕",
            "字〔2026〕第号",
            "第88号",
            "-1",
            "1e9",
            "99999999999999999999999999",
            "\u{10ffff}",
            "ß",
            "İ",
            "ﬁ",
            "٣٣٠١٠٦",
            "11010519491231002x",
            "00000000000000000X",
            "〔2026〕",
        ]
        .iter()
        .map(|text| (*text).to_owned())
        .collect();
        for valid in [
            "91330100799655058B",
            "11010519491231002X",
            "0571-87654321",
            "杭西综执罚字〔2026〕第88号",
            "阿卜杜勒·热合曼",
        ] {
            let chars: Vec<char> = valid.chars().collect();
            for cut in 0..=chars.len() {
                texts.push(chars.iter().take(cut).collect());
                for odd in ['\0', '字', '𠮷', '〕', 'I', '\u{200b}'] {
                    let mut changed = chars.clone();
                    changed.insert(cut, odd);
                    texts.push(changed.iter().collect());
                    if let Some(slot) = changed.get_mut(cut.saturating_add(1)) {
                        *slot = odd;
                        texts.push(changed.iter().collect());
                    }
                }
            }
        }
        texts.push("9".repeat(10_000));
        texts.push("字".repeat(10_000));
        texts
    }

    /// Every parser returns for every text, and what it accepts it accepts again unchanged.
    #[test]
    fn no_text_breaks_a_parser() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        let mut accepted = 0;
        for text in odd_texts() {
            if let Ok(code) = credit_code::parse(&text) {
                assert_eq!(credit_code::parse(code.as_str()).as_ref(), Ok(&code));
                accepted += 1;
            }
            assert!(credit_code::suggestions(&text).len() <= 4);
            if let Ok(id) = citizen_id::parse(&text, today) {
                assert_eq!(citizen_id::parse(&id.number, today).as_ref(), Ok(&id));
                accepted += 1;
            }
            if let Some(number) = document_number::parse(&text) {
                assert_eq!(document_number::parse(&number.to_string()), Some(number));
                accepted += 1;
            }
            if let Ok(name) = person_name::check(&text) {
                assert_eq!(person_name::check(&name.raw).as_ref(), Ok(&name));
                accepted += 1;
            }
            if let Ok(phone) = phone::check(&text) {
                assert!(!phone.text.is_empty());
                accepted += 1;
            }
        }
        assert!(accepted > 20, "the valid seeds must get through");
    }
}
