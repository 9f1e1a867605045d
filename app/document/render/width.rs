//! How many columns a character takes, and which characters stay together.
//!
//! Punctuation that Unicode calls ambiguous counts as wide, because Chinese fonts draw it so.
//! A line is therefore never wider on paper than counted here.

/// Returns 0 for marks that sit on the character before, 2 for full width, 1 for the rest.
pub(super) fn columns(c: char) -> usize {
    match u32::from(c) {
        // Combining marks, joiners and variation selectors; rare names carry the last.
        0x0300..=0x036F
        | 0x200B..=0x200D
        | 0x20D0..=0x20FF
        | 0xFE00..=0xFE0F
        | 0xE0100..=0xE01EF => 0,
        0x1100..=0x115F
        | 0x2010..=0x2027
        | 0x2030..=0x203E
        | 0x2100..=0x27BF
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xE000..=0xFAFF
        | 0xFE10..=0xFE6F
        | 0xFF01..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0xFFFD
        | 0x1F000..=0x1FAFF
        | 0x20000..=0x3FFFD
        | 0xF0000..=0x10FFFD => 2,
        _ => 1,
    }
}

/// Returns the columns of a text.
pub(super) fn columns_of(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Returns typed text as it can be printed: one line, nothing invisible.
///
/// Controls and marks that turn the reading direction show as a box, so that a page never reads
/// differently from the characters that are signed.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\u{a0}' | '\u{2028}' | '\u{2029}' => ' ',
            '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => '□',
            c if c.is_control() => '□',
            c => c,
        })
        .collect()
}
