//! Rows of a document before they are put on pages: titles, fields, paragraphs, signature blocks.

use super::COLUMNS;
use super::width::{columns_of, printable};
use super::wrap::wrap;

/// What stands where nothing was filled in.
// 空白处划线: an empty field could be filled in after signing (`domain` D-07).
const STROKE: &str = "/";

/// Columns of an indented first line: two characters.
const INDENT: &str = "　　";

/// One line and what it must share a page with.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) text: String,
    /// The next row may not begin a new page.
    pub(super) keep_with_next: bool,
}

/// Collects rows from top to bottom.
pub(super) struct Sheet {
    rows: Vec<Row>,
}

impl Sheet {
    pub(super) fn new() -> Self {
        Self { rows: Vec::new() }
    }

    pub(super) fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    /// A line in the middle.
    pub(super) fn centered(&mut self, text: &str) {
        for line in wrap("", &printable(text), 0, COLUMNS) {
            let before = COLUMNS.saturating_sub(columns_of(&line)) / 2;
            self.push(format!("{}{line}", " ".repeat(before)), true);
        }
    }

    /// A line at the right edge, such as a document number or a date.
    pub(super) fn right(&mut self, text: &str) {
        for line in wrap("", &printable(text), 0, COLUMNS) {
            let before = COLUMNS.saturating_sub(columns_of(&line));
            self.push(format!("{}{line}", " ".repeat(before)), false);
        }
    }

    /// A line that belongs to what follows it.
    pub(super) fn heading(&mut self, text: &str) {
        for line in wrap("", &printable(text), 0, COLUMNS) {
            self.push(line, true);
        }
    }

    /// A field with its label; struck when empty.
    pub(super) fn field(&mut self, label: &str, value: &str) {
        self.hanging(&format!("{label}："), value);
    }

    /// A field that may be absent.
    pub(super) fn optional(&mut self, label: &str, value: Option<&str>) {
        self.field(label, value.unwrap_or_default());
    }

    /// Two short fields beside each other, or below each other when they are long.
    pub(super) fn pair(&mut self, left: (&str, Option<&str>), right: (&str, Option<&str>)) {
        let write = |(label, value): (&str, Option<&str>)| {
            format!("{label}：{}", printable(&struck(value.unwrap_or_default())))
        };
        let (first, second) = (write(left), write(right));
        let half = COLUMNS / 2;
        let typed_in_lines =
            [left.1, right.1].iter().flatten().any(|value| value.trim().contains('\n'));
        if typed_in_lines || columns_of(&first) + 2 > half || columns_of(&second) > half {
            self.optional(left.0, left.1);
            self.optional(right.0, right.1);
            return;
        }
        let gap = " ".repeat(half - columns_of(&first));
        self.push(format!("{first}{gap}{second}"), false);
    }

    /// Text with its first line indented; each line break typed begins a new paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        for part in struck(text).lines().filter(|part| !part.trim().is_empty()) {
            self.wrapped(INDENT, part.trim(), 0);
        }
    }

    /// Text after a lead such as `问：`, its further lines below the text.
    pub(super) fn hanging(&mut self, lead: &str, text: &str) {
        // A long label would leave no room below it.
        let hang = if columns_of(lead) > COLUMNS / 3 { 4 } else { columns_of(lead) };
        let text = struck(text);
        let mut parts = text.lines().filter(|part| !part.trim().is_empty());
        self.wrapped(lead, parts.next().unwrap_or(STROKE).trim(), hang);
        for part in parts {
            self.wrapped(&" ".repeat(hang), part.trim(), hang);
        }
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.push(String::new(), false);
    }

    /// Lines that stay on one page, such as a place to sign.
    pub(super) fn block(&mut self, lines: &[String]) {
        let rows: Vec<String> =
            lines.iter().flat_map(|line| wrap("", &printable(line), 4, COLUMNS)).collect();
        let last = rows.len().saturating_sub(1);
        for (index, row) in rows.into_iter().enumerate() {
            self.push(row, index < last);
        }
    }

    fn wrapped(&mut self, lead: &str, text: &str, hang: usize) {
        for line in wrap(lead, &printable(text), hang, COLUMNS) {
            self.push(line, false);
        }
    }

    fn push(&mut self, text: String, keep_with_next: bool) {
        self.rows.push(Row { text, keep_with_next });
    }
}

/// Returns the text, or a stroke in its place when there is none.
pub(super) fn struck(text: &str) -> String {
    if text.trim().is_empty() { STROKE.to_owned() } else { text.trim().to_owned() }
}
