//! Breaks Chinese text into lines (避头尾): no closing mark begins a line, no opening mark ends one.
//!
//! Numbers and Latin words stay whole while they fit in a line. A break never separates a character
//! from its variation selector.

use super::width::columns;

/// Marks that may not begin a line.
const NOT_FIRST: &str = "，。、；：？！）】》」』〕〉〗”’…—·～％‰℃々,.;:?!)]}%";

/// Marks that may not end a line.
const NOT_LAST: &str = "（【《「『〔〈〖“‘([{¥￥";

/// A piece that is not broken unless it is wider than a whole line.
#[derive(Default)]
struct Piece {
    text: String,
    columns: usize,
}

impl Piece {
    fn push(&mut self, c: char) {
        self.text.push(c);
        self.columns += columns(c);
    }

    fn join(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.columns += other.columns;
    }
}

/// Returns `text`, which is one paragraph, in lines of at most `width` columns.
///
/// The first line begins with `lead` and is that much shorter; further ones are indented by `hang`.
pub(super) fn wrap(lead: &str, text: &str, hang: usize, width: usize) -> Vec<String> {
    let mut line = Piece::default();
    lead.chars().for_each(|c| line.push(c));
    let mut lines = Vec::new();
    // Nothing breakable yet: a piece that does not fit beside the lead must not loop.
    let mut begun = false;
    for piece in pieces(text) {
        if begun && line.columns + piece.columns > width {
            end_line(&mut lines, &mut line, hang);
            begun = false;
        }
        if !begun && !lines.is_empty() && piece.text == " " {
            continue;
        }
        begun = true;
        if line.columns + piece.columns <= width {
            line.join(&piece);
            continue;
        }
        for cluster in clusters(&piece.text) {
            if line.columns + cluster.columns > width {
                end_line(&mut lines, &mut line, hang);
            }
            line.join(&cluster);
        }
    }
    lines.push(line.text.trim_end().to_owned());
    lines
}

fn end_line(lines: &mut Vec<String>, line: &mut Piece, hang: usize) {
    lines.push(line.text.trim_end().to_owned());
    *line = Piece { text: " ".repeat(hang), columns: hang };
}

/// Cuts a paragraph into pieces between which a line may end.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    // Whether the next character belongs to the last piece whatever it is.
    let mut held = false;
    let mut in_word = false;
    for c in text.chars() {
        let word = c.is_ascii_alphanumeric() || (in_word && "-_/@#&+=".contains(c));
        let stays = held || columns(c) == 0 || NOT_FIRST.contains(c) || (word && in_word);
        match pieces.last_mut() {
            Some(last) if stays && last.text != " " => last.push(c),
            _ => {
                let mut piece = Piece::default();
                piece.push(c);
                pieces.push(piece);
            }
        }
        held = NOT_LAST.contains(c);
        // A point or comma inside a number, as in 1,234.56, goes on as part of the word.
        in_word = word || (in_word && ",.:".contains(c));
    }
    pieces
}

/// Cuts a piece that is wider than a line between characters, keeping marks with their character.
fn clusters(text: &str) -> Vec<Piece> {
    let mut clusters: Vec<Piece> = Vec::new();
    for c in text.chars() {
        match clusters.last_mut() {
            Some(last) if columns(c) == 0 => last.push(c),
            _ => {
                let mut cluster = Piece::default();
                cluster.push(c);
                clusters.push(cluster);
            }
        }
    }
    clusters
}

#[cfg(test)]
mod tests {
    use super::super::width::columns_of;
    use super::*;

    #[test]
    fn no_closing_mark_begins_a_line_and_no_opening_mark_ends_one() {
        let text = "经检查，该单位（杭州某某餐饮有限公司）未按《中华人民共和国食品安全法》第一百二十六条规定\
                    公示“食品经营许可证”，当事人称：“昨天刚取下来……”。";
        for width in 16..70 {
            let lines = wrap("", text, 0, width);
            assert_eq!(lines.concat(), text, "nothing is lost at {width}");
            for line in &lines {
                assert!(columns_of(line) <= width, "{width}: {line}");
                assert!(!NOT_LAST.contains(line.chars().last().unwrap()), "{width}: {line}");
            }
            for line in lines.iter().skip(1) {
                assert!(!NOT_FIRST.contains(line.chars().next().unwrap()), "{width}: {line}");
            }
        }
    }

    #[test]
    fn numbers_and_words_stay_whole() {
        let lines = wrap("", "罚款人民币1,234.56元整，代码91330100MA2AXXXX4N", 0, 20);
        assert_eq!(lines, ["罚款人民币1,234.56元", "整，代码", "91330100MA2AXXXX4N"]);
    }

    #[test]
    fn what_is_wider_than_a_line_is_cut_and_a_selector_stays_with_its_character() {
        let lines = wrap("", &"葛\u{e0100}".repeat(6), 0, 8);
        assert_eq!(lines, ["葛\u{e0100}".repeat(4), "葛\u{e0100}".repeat(2)]);
        let lines = wrap("", &"x".repeat(20), 0, 8);
        assert_eq!(lines, ["x".repeat(8), "x".repeat(8), "x".repeat(4)]);
        let lines = wrap("", &"！".repeat(9), 0, 8);
        assert_eq!(lines.concat(), "！".repeat(9));
        assert!(lines.iter().all(|line| columns_of(line) <= 8));
    }

    #[test]
    fn the_first_line_carries_its_lead_and_the_others_hang() {
        assert_eq!(wrap("答：", "是的是的是的", 4, 10), ["答：是的是", "    的是的"]);
        assert_eq!(wrap("　　", "", 0, 10), [""]);
    }
}
