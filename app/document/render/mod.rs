//! Turns a document's content into the pages people read and sign.
//!
//! Pure: the same content gives the same characters on every device, because a signature is bound
//! to the hash of the page it stands on. Nothing typed is dropped or shortened; what is absent is
//! struck with a stroke, and what cannot be printed shows as a box.

mod decision;
mod page;
mod receipt;
mod sheet;
mod transcript;
mod width;
mod wrap;

#[cfg(test)]
mod tests;

use sync_model::hash::Hash;

use super::content::Content;
use sheet::Sheet;

/// Columns of a line: 34 full-width characters of two columns each.
pub const COLUMNS: usize = 68;

/// Lines of a page, header and signature area included.
pub const LINES: usize = 36;

/// A document laid out in pages; there is always at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Title as printed.
    pub title: String,
    /// Pages in order.
    pub pages: Vec<Page>,
}

/// One page of at most [`LINES`] lines of at most [`COLUMNS`] columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Lines without trailing space.
    pub lines: Vec<String>,
}

impl Page {
    /// Returns the text a person reads and a signature is bound to.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Returns the hash a signature on this page is bound to.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(self.text().as_bytes())
    }
}

impl Document {
    /// Returns the text of the page at `index`, counted from 0.
    #[must_use]
    pub fn page_text(&self, index: usize) -> Option<String> {
        self.pages.get(index).map(Page::text)
    }

    /// Returns the text of each page.
    #[must_use]
    pub fn page_texts(&self) -> Vec<String> {
        self.pages.iter().map(Page::text).collect()
    }
}

/// Lays out a document.
#[must_use]
pub fn render(content: &Content) -> Document {
    let mut sheet = Sheet::new();
    let title = content.title();
    let frame = match content {
        Content::Scene(body) => transcript::scene(&mut sheet, body),
        Content::Interview(body) => transcript::interview(&mut sheet, body),
        Content::Notice(body) => decision::notice(&mut sheet, body),
        Content::OnSpotDecision(body) => decision::on_spot(&mut sheet, body),
        Content::CorrectionOrder(body) => decision::correction(&mut sheet, body),
        Content::DeliveryReceipt(body) => receipt::delivery(&mut sheet, body),
    };
    Document { title: title.to_owned(), pages: page::paginate(title, &frame, sheet.into_rows()) }
}
