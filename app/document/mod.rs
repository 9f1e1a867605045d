//! 文书: structured content, the pages people read, their hashes, and how they are handed over.

#[cfg(feature = "window")]
pub mod adapter;
pub mod content;
mod deliver;
mod print;
pub mod render;
mod slip;
mod store;
pub mod view;

pub use deliver::{DeliverInput, deliver, printable};
pub use print::{print, print_folder};
pub use slip::slip;
pub use store::{Stored, load_pages, put};
