//! 文书: structured content, the pages people read, their hashes, and how they are handed over.

pub mod content;
mod deliver;
pub mod render;
mod store;

pub use deliver::{DeliverInput, deliver, printable};
pub use store::{Stored, load_pages, put};
