//! Making a document durable: content and pages as files that the next record will cite.

use sync_core::blobs::Blobs;
use sync_model::canonical;
use sync_model::cose::CoseError;
use sync_model::hash::Hash;
use sync_model::record::{BlobRef, BlobRole};

use super::content::Content;
use super::render::{Document, render};
use crate::error::AppError;

/// Between pages in the text file.
const PAGE_BREAK: char = '\u{c}';

/// A document whose files are durable.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The structured content.
    pub content: BlobRef,
    /// The text of all pages.
    pub text: BlobRef,
    /// Hash of each page's text: what a signature is bound to.
    pub pages: Vec<Hash>,
    /// Text of each page.
    pub page_texts: Vec<String>,
}

/// Renders `content` and stores both.
///
/// # Errors
/// [`AppError::Store`] when the disk is full; no record cites anything then.
pub fn put(blobs: &Blobs, content: &Content) -> Result<Stored, AppError> {
    let document: Document = render(content);
    let page_texts = document.page_texts();
    let text = page_texts.join(&PAGE_BREAK.to_string());
    let bytes = canonical::to_bytes(content).map_err(CoseError::from)?;
    Ok(Stored {
        content: blobs.put(&bytes, "application/cbor", BlobRole::Content)?,
        text: blobs.put(text.as_bytes(), "text/plain; charset=utf-8", BlobRole::Text)?,
        pages: page_texts.iter().map(|page| Hash::of(page.as_bytes())).collect(),
        page_texts,
    })
}

/// Returns the pages of a stored text, checked against its hash.
///
/// # Errors
/// [`AppError::Store`] if the file is missing or changed.
pub fn load_pages(blobs: &Blobs, text: &Hash) -> Result<Vec<String>, AppError> {
    let bytes = blobs.read(text)?;
    let text = String::from_utf8(bytes).map_err(|_| AppError::NotFound("document text"))?;
    Ok(text.split(PAGE_BREAK).map(str::to_owned).collect())
}
