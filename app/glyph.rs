//! Characters that the embedded font lacks: shown by their code point, never as a blank.
//!
//! Records, documents and signatures keep the character itself; only what a screen draws is
//! changed. `𠮷` becomes `𠮷` where the font has it, `［U+20BB7］` where it does not.

use std::fmt::Write;

use ab_glyph::{Font, FontRef};

use crate::services::FONT;

/// Returns `text` with every character that the embedded font cannot draw replaced by its code
/// point.
#[must_use]
pub fn shown(text: &str) -> String {
    // The embedded bytes are a font, or nothing at all would be drawn.
    let Ok(font) = FontRef::try_from_slice(FONT) else { return text.to_owned() };
    if text.chars().all(|c| is_drawn(&font, c)) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if is_drawn(&font, c) {
            shown.push(c);
        } else {
            // Writing to a String cannot fail.
            write!(shown, "［U+{:X}］", u32::from(c)).ok();
        }
        shown
    })
}

fn is_drawn(font: &FontRef<'_>, c: char) -> bool {
    c.is_ascii() || c.is_whitespace() || c.is_control() || font.glyph_id(c).0 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_without_a_glyph_is_named_and_the_rest_stays() {
        assert_eq!(shown("李龘"), "李龘");
        assert_eq!(shown("李𠮷\n店"), "李［U+20BB7］\n店");
    }
}
