//! Writing a document to a file that a print service or a memory stick picks up.
//!
//! The file is durable before anybody is told where it is; an earlier print of the same document
//! is replaced by the same text or by one that also says what became of receipt. Beside it lies the
//! slip as a picture, for the party's copy.

use std::path::PathBuf;

use sync_core::disk::{Disk, RealDisk};
use sync_core::store::Store;
use sync_model::id::DocumentId;

use super::{printable, slip};
use crate::credential::{QrModules, qr};
use crate::error::AppError;
use crate::services::Services;

/// Pixels on a side of a printed module.
const PIXELS: u32 = 6;
/// Characters no file system likes in a name.
const UNFIT: [char; 9] = ['/', '\\', ':', '*', '?', '"', '<', '>', '|'];

/// Returns the folder that printed texts are written to.
#[must_use]
pub fn print_folder(store: &Store) -> PathBuf {
    store.folder().join("print")
}

/// Writes a document's printable text; returns where.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Store`], [`AppError::Io`].
pub fn print(services: &Services, document: DocumentId) -> Result<PathBuf, AppError> {
    let row = services.store.read(|r| r.document(document))?;
    let row = row.ok_or(AppError::NotFound("document"))?;
    let text = printable(services, document)?;
    let folder = print_folder(&services.store);
    std::fs::create_dir_all(&folder).map_err(AppError::io("make print folder"))?;
    let path = folder.join(file_name(&row.title, &row.number, &row.text.hex()));
    RealDisk.write(&path, text.as_bytes()).map_err(AppError::io("write printed text"))?;
    if let Ok(slip) = slip(services, document) {
        let (code, picture) = (png(&qr(&slip)?)?, path.with_extension("slip.png"));
        RealDisk.write(&picture, &code).map_err(AppError::io("write slip"))?;
    }
    Ok(path)
}

/// Returns a code as a picture that a printer can take.
fn png(code: &QrModules) -> Result<Vec<u8>, AppError> {
    let side = code.side * PIXELS;
    let level = |x: u32, y: u32| {
        let module = (y / PIXELS) * code.side + x / PIXELS;
        let dark = usize::try_from(module).ok().and_then(|at| code.dark.get(at));
        image::Luma([if dark == Some(&true) { 0 } else { u8::MAX }])
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::from_fn(side, side, level)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .map_err(|_| AppError::NotFound("picture of the slip"))?;
    Ok(bytes.into_inner())
}

/// Names the file by its number, or by title and hash where there is none.
fn file_name(title: &str, number: &str, hash: &str) -> String {
    let short: String = hash.chars().take(8).collect();
    let name = if number.is_empty() { format!("{title}-{short}") } else { number.to_owned() };
    let fit = name.chars().map(|c| if UNFIT.contains(&c) || c.is_control() { '_' } else { c });
    format!("{}.txt", fit.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_never_leaves_the_print_folder() {
        assert_eq!(
            file_name("决定", "西综执当罚字〔2026〕第0001号", "ab"),
            "西综执当罚字〔2026〕第0001号.txt"
        );
        assert_eq!(file_name("现场检查笔录", "", "0123456789"), "现场检查笔录-01234567.txt");
        assert_eq!(file_name("", "../a", ""), ".._a.txt");
    }
}
