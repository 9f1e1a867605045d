//! Puts rows on pages, each with its header and, for transcripts, its place to sign.
//!
//! The page count is part of every page's text: a page cannot be taken out or slipped in without
//! the hashes of all others changing.

use super::sheet::Row;
use super::width::columns_of;
use super::{COLUMNS, LINES, Page};

/// Header line and rule.
const HEADER_LINES: usize = 2;

/// What stands around the rows of each page.
pub(super) struct Frame {
    /// 文号, if the document has one.
    pub(super) number: Option<String>,
    /// Signature area at the foot of every page; empty for documents signed at the end only.
    pub(super) footer: Vec<String>,
}

/// Lays rows out; the text ends with a mark, so that nothing can be written below it.
pub(super) fn paginate(title: &str, frame: &Frame, mut rows: Vec<Row>) -> Vec<Page> {
    if let Some(last) = rows.last_mut() {
        last.keep_with_next = true;
    }
    // 空白处注明: the rest of the last page is closed (`domain` D-07).
    let mark = "（以下空白）";
    let before = " ".repeat((COLUMNS - columns_of(mark)) / 2);
    rows.push(Row { text: format!("{before}{mark}"), keep_with_next: false });

    let foot = if frame.footer.is_empty() { 0 } else { frame.footer.len() + 1 };
    let room = LINES - HEADER_LINES - foot;
    let bodies = split(rows, room);
    let count = bodies.len();
    let mut pages = Vec::with_capacity(count);
    for (index, body) in bodies.into_iter().enumerate() {
        let mut lines = vec![header(title, frame, index + 1, count), rule()];
        lines.extend(body.into_iter().map(|row| row.text));
        if foot > 0 {
            lines.resize(LINES - foot, String::new());
            lines.push(rule());
            lines.extend(frame.footer.iter().cloned());
        }
        let lines = lines.into_iter().map(|line| line.trim_end().to_owned()).collect();
        pages.push(Page { lines });
    }
    pages
}

fn header(title: &str, frame: &Frame, page: usize, count: usize) -> String {
    let right = format!("第 {page} 页 共 {count} 页");
    let left = match &frame.number {
        Some(number) => format!("{title}　{number}"),
        None => title.to_owned(),
    };
    let gap = COLUMNS.saturating_sub(columns_of(&left) + columns_of(&right)).max(1);
    format!("{left}{}{right}", " ".repeat(gap))
}

fn rule() -> String {
    "─".repeat(COLUMNS / columns_of("─"))
}

/// Cuts rows into pages of at most `room` rows, not between rows that keep together.
fn split(rows: Vec<Row>, room: usize) -> Vec<Vec<Row>> {
    let mut pages = vec![Vec::new()];
    let mut group: Vec<Row> = Vec::new();
    for row in rows {
        let open = row.keep_with_next;
        group.push(row);
        // A group that would not fit on a page of its own is cut where the page ends.
        if open && group.len() < room {
            continue;
        }
        let fits = pages.last().is_some_and(|page: &Vec<Row>| page.len() + group.len() <= room);
        if !fits {
            pages.push(Vec::new());
        }
        if let Some(page) = pages.last_mut() {
            // A page does not begin with an empty line.
            let blank = page.is_empty() && group.first().is_some_and(|row| row.text.is_empty());
            page.extend(group.drain(..).skip(usize::from(blank)));
        }
    }
    pages
}
