//! Unified social credit codes (统一社会信用代码, GB 32100-2015).
//!
//! The outer check character blocks; the inner one (GB 11714) only warns, because a few legacy
//! codes fail it. Corrections of misread letters are offered to the officer, never applied.

use serde::{Deserialize, Serialize};

use super::fold_code;
use crate::rule::Finding;

/// The standard, for findings.
const BASIS: &str = "GB 32100-2015《法人和其他组织统一社会信用代码编码规则》";
/// The 31 characters, without I, O, S, V, Z.
const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Weights of the first 17 characters.
const WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/// Weights of the organization code's eight characters.
const INNER_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
/// Letters the standard does not use, with what they are misread from.
const MISREAD: [(char, &[char]); 5] =
    [('I', &['1']), ('O', &['0']), ('Z', &['2']), ('S', &['5']), ('V', &['U', 'Y'])];
/// Characters of the standard that cameras and people confuse.
const CONFUSED: [(char, char); 7] =
    [('0', 'D'), ('0', 'Q'), ('8', 'B'), ('6', 'G'), ('U', 'Y'), ('5', '6'), ('1', '7')];

/// A code whose outer check holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditCode {
    text: String,
    inner_check_holds: bool,
}

impl CreditCode {
    /// Returns the 18 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the warning about the organization code inside, if its own check fails.
    #[must_use]
    pub fn warning(&self) -> Option<Finding> {
        let message =
            "统一社会信用代码中的组织机构代码校验位不符，请对照营业执照核对第9至17位并说明理由";
        (!self.inner_check_holds).then(|| Finding::warn("ID-CREDIT", BASIS, message))
    }

    /// Returns whether it is an individual business (92, 个体工商户).
    #[must_use]
    pub fn is_sole_proprietor(&self) -> bool {
        self.text.starts_with("92")
    }
}

/// Checks a code.
///
/// # Errors
///
/// The finding that says what is wrong with it.
pub fn parse(text: &str) -> Result<CreditCode, Finding> {
    let text = fold_code(text);
    if text.chars().count() != 18 {
        return Err(wrong(
            "统一社会信用代码应当是18位，请对照营业执照重新录入；没有代码的请选择“无代码”并说明",
        ));
    }
    if text.chars().any(|c| value(c).is_none()) {
        return Err(wrong("统一社会信用代码不使用字母I、O、Z、S、V，请对照营业执照核对"));
    }
    if outer_check(&text) != text.chars().last() {
        return Err(wrong("统一社会信用代码校验位不符，可能有一位录错，请对照营业执照核对"));
    }
    let inner_check_holds = inner_check(&text) == text.chars().nth(16);
    Ok(CreditCode { text, inner_check_holds })
}

/// Returns codes near `text` that pass both checks, to be offered; empty if `text` is valid.
#[must_use]
pub fn suggestions(text: &str) -> Vec<String> {
    let text = fold_code(text);
    if text.chars().count() != 18 || parse(&text).is_ok_and(|code| code.inner_check_holds) {
        return Vec::new();
    }
    let mut bases = vec![String::new()];
    for c in text.chars() {
        let readings = readings(c);
        bases = bases
            .iter()
            .flat_map(|base| readings.iter().map(move |reading| format!("{base}{reading}")))
            .take(64)
            .collect();
    }
    let mut found: Vec<String> = bases.iter().filter(|base| passes(base)).cloned().collect();
    if found.is_empty() {
        found =
            bases.iter().flat_map(|base| one_change(base)).filter(|code| passes(code)).collect();
    }
    found.sort();
    found.dedup();
    found.truncate(4);
    found
}

/// What an unused letter may have been; any other character stands for itself.
fn readings(c: char) -> Vec<char> {
    MISREAD.iter().find(|(letter, _)| *letter == c).map_or_else(|| vec![c], |(_, r)| r.to_vec())
}

/// Every text with one confusable character changed.
fn one_change(text: &str) -> Vec<String> {
    let mut changed = Vec::new();
    for (index, c) in text.chars().enumerate() {
        for (a, b) in CONFUSED {
            let other = if c == a { b } else { a };
            if c == a || c == b {
                let swap = |(i, old)| if i == index { other } else { old };
                changed.push(text.chars().enumerate().map(swap).collect());
            }
        }
    }
    changed
}

fn passes(text: &str) -> bool {
    parse(text).is_ok_and(|code| code.inner_check_holds)
}

fn value(c: char) -> Option<u32> {
    ALPHABET.chars().position(|symbol| symbol == c).and_then(|index| u32::try_from(index).ok())
}

fn outer_check(text: &str) -> Option<char> {
    let sum: u32 = text.chars().zip(WEIGHTS).map(|(c, w)| value(c).unwrap_or(0) * w).sum();
    let index = (31 - sum % 31) % 31;
    ALPHABET.chars().nth(usize::try_from(index).ok()?)
}

fn inner_check(text: &str) -> Option<char> {
    let code = text.chars().skip(8).zip(INNER_WEIGHTS);
    let sum: u32 = code.map(|(c, weight)| c.to_digit(36).unwrap_or(0) * weight).sum();
    match 11 - sum % 11 {
        10 => Some('X'),
        11 => Some('0'),
        digit => char::from_digit(digit, 10),
    }
}

fn wrong(message: &str) -> Finding {
    Finding::block("ID-CREDIT", BASIS, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: [&str; 6] = [
        "91350100M000100Y43",
        "91330100799655058B",
        "91110000802100433B",
        "91330106MAE000010T",
        "11330122MAE0000108",
        "92330127MAE0000105",
    ];

    /// GB 32100-2015.
    #[test]
    fn valid_codes_pass_and_any_changed_character_fails() {
        for text in VALID {
            let code = parse(text).unwrap();
            assert_eq!(code.as_str(), text);
            for index in 0..18 {
                for symbol in ALPHABET.chars() {
                    let mut chars: Vec<char> = text.chars().collect();
                    if chars[index] != symbol {
                        chars[index] = symbol;
                        let changed: String = chars.into_iter().collect();
                        assert!(parse(&changed).is_err(), "{changed}");
                    }
                }
            }
        }
    }

    #[test]
    fn lower_case_spaces_and_full_width_are_folded() {
        assert!(parse("9133 0100 7996 5505 8b").is_ok());
        assert!(parse("９１３３０１００７９９６５５０５８Ｂ").is_ok());
        assert!(parse("92330127MAE0000105").unwrap().is_sole_proprietor());
    }

    /// GB 11714: the inner check warns, because legacy codes may fail it.
    #[test]
    fn a_failing_inner_check_warns_and_a_holding_one_does_not() {
        assert_eq!(parse("91330100799655058B").unwrap().warning(), None);
        let mut body: String = "9133010079965505".to_owned();
        body.push('9');
        let text = format!("{body}{}", outer_check(&format!("{body}0")).unwrap());
        let warning = parse(&text).unwrap().warning().unwrap();
        assert_eq!(warning.weight, crate::rule::Weight::Warn);
    }

    #[test]
    fn misread_letters_are_offered_and_never_applied() {
        assert!(parse("9I330I00799655058B").is_err());
        assert_eq!(suggestions("9I330I00799655058B"), ["91330100799655058B"]);
        assert_eq!(suggestions("9133O1OO799655058B"), ["91330100799655058B"]);
        assert!(suggestions("913301007996550588").contains(&"91330100799655058B".to_owned()));
        assert_eq!(suggestions("91330100799655058B"), Vec::<String>::new());
        assert_eq!(suggestions("not a code"), Vec::<String>::new());
    }
}
