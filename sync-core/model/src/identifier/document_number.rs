//! Document numbers (文号): `{机关代字}{文种}字〔2026〕第88号`.
//!
//! Made from a leased number, never typed. 《行政处罚法》第五十二条: 预定格式、编有号码.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest 机关代字 or 文种, in characters.
const WORD_CHARS_MAX: usize = 12;

/// A number, apart from where its words divide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentNumber {
    /// 机关代字 and 文种 together, e.g. `杭西综执` + `当罚`.
    pub words: String,
    /// Year of the document's date in Asia/Shanghai.
    pub year: u16,
    /// From the lease.
    pub number: u32,
}

impl DocumentNumber {
    /// Returns the 文种 if the number was made with this 机关代字.
    #[must_use]
    pub fn kind_word(&self, authority_word: &str) -> Option<&str> {
        self.words.strip_prefix(authority_word).filter(|kind| !kind.is_empty())
    }
}

/// Returns the number, or `None` if a word, the year or the number could not be read back.
#[must_use]
pub fn make(
    authority_word: &str,
    kind_word: &str,
    year: u16,
    number: u32,
) -> Option<DocumentNumber> {
    let words = format!("{authority_word}{kind_word}");
    let fits = is_word(authority_word) && is_word(kind_word) && number > 0;
    (fits && (1949..=9999).contains(&year)).then_some(DocumentNumber { words, year, number })
}

/// Reads a number as printed; leading zeros and square brackets are accepted.
#[must_use]
pub fn parse(text: &str) -> Option<DocumentNumber> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let open = |c| matches!(c, '〔' | '[' | '［' | '【' | '(' | '（');
    let close = |c| matches!(c, '〕' | ']' | '］' | '】' | ')' | '）');
    let (words, rest) = text.split_once(open)?;
    let (year, rest) = rest.split_once(close)?;
    let words = words.strip_suffix('字')?;
    let digits = rest.strip_prefix('第')?.strip_suffix('号')?;
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let chars = words.chars().count();
    let fits = year.len() == 4 && plain(year) && plain(digits);
    let words_fit = chars <= 2 * WORD_CHARS_MAX && words.chars().all(is_word_char) && chars > 0;
    if !fits || !words_fit {
        return None;
    }
    let year: u16 = year.parse().ok().filter(|year| *year >= 1949)?;
    let number: u32 = digits.parse().ok().filter(|number| *number > 0)?;
    Some(DocumentNumber { words: words.to_owned(), year, number })
}

impl fmt::Display for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}字〔{:04}〕第{}号", self.words, self.year, self.number)
    }
}

fn is_word(word: &str) -> bool {
    let chars = word.chars().count();
    (1..=WORD_CHARS_MAX).contains(&chars) && word.chars().all(is_word_char)
}

/// A Chinese character that is not part of the frame.
fn is_word_char(c: char) -> bool {
    c.is_alphabetic() && !c.is_ascii() && !matches!(c, '字' | '第' | '号')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 《行政处罚法》第五十二条.
    #[test]
    fn a_made_number_reads_back() {
        let number = make("杭西综执", "当罚", 2026, 88).unwrap();
        assert_eq!(number.to_string(), "杭西综执当罚字〔2026〕第88号");
        assert_eq!(parse(&number.to_string()), Some(number.clone()));
        assert_eq!(number.kind_word("杭西综执"), Some("当罚"));
        assert_eq!(number.kind_word("杭西市监"), None);
        assert_eq!(parse("杭西综执当罚字[2026]第0088号"), Some(number));
    }

    #[test]
    fn frames_with_gaps_or_foreign_words_are_refused() {
        for text in [
            "杭西字〔〕第号",
            "杭西字〔26〕第1号",
            "杭西字〔2026〕第0号",
            "字〔2026〕第1号",
            "杭西〔2026〕1号",
            "杭西字〔2026〕第4294967296号",
            "杭西字〔2026〕第1号附件",
            "杭西 12字〔2026〕第１号",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(make("杭西", "罚", 2026, 0), None);
        assert_eq!(make("", "罚", 2026, 1), None);
        assert_eq!(make("杭字", "罚", 2026, 1), None);
        assert_eq!(make("ABC", "罚", 2026, 1), None);
    }
}
