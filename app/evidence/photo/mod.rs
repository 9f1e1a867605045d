//! Takes in one photograph: its hash, what its EXIF says, a thumbnail and a watermarked copy.
//!
//! The bytes are hashed as they came and never changed; thumbnail and watermarked copy are
//! derivatives. A file that begins as a JPEG or PNG is kept whatever is wrong with it further in:
//! faults become [`PhotoProblem`]s, and only a file that cannot be a photograph is refused.
//! Nothing here reads a clock, opens a file or trusts a length the file declares.

mod decode;
mod derive;
mod exif;
mod format;
mod resize;
mod watermark;

#[cfg(test)]
mod tests;

use ab_glyph::FontRef;
use sync_model::hash::Hash;

pub use exif::{ExifFacts, GpsPosition};
pub use watermark::missing_glyphs;

use decode::Decoded;
use format::PictureFormat;

/// A picture of more pixels is kept but not previewed.
pub const PREVIEW_PIXELS_MAX: u64 = 64_000_000;

/// A picture that would need more memory to decode is kept but not previewed.
pub const DECODE_BYTES_MAX: u64 = 300_000_000;

/// Longest side of the watermarked copy.
pub const WATERMARKED_SIDE: u32 = 1920;

/// Longest side of the thumbnail.
pub const THUMBNAIL_SIDE: u32 = 320;

/// A thumbnail never weighs more: lists hold hundreds of them.
pub const THUMBNAIL_BYTES_MAX: usize = 12 * 1024;

/// One photograph and what to write on its copy.
pub struct PhotoInput<'a> {
    /// The file as the camera wrote it.
    pub bytes: &'a [u8],
    /// Lines of text for the copy: time, place, officers, evidence number.
    pub watermark: Vec<String>,
    /// A font with the characters of the watermark.
    pub font: &'a FontRef<'a>,
}

/// What became of the photograph.
#[derive(Debug)]
pub struct Ingested {
    /// SHA-256 of the untouched bytes.
    pub sha256: Hash,
    /// `image/jpeg` or `image/png`.
    pub media: String,
    /// Pixels as stored; 0 when the file ends before it says.
    pub width: u32,
    /// Pixels as stored; 0 when the file ends before it says.
    pub height: u32,
    /// EXIF orientation, 1 to 8; 1 when absent or out of range.
    pub orientation: u8,
    /// What the camera wrote about the picture.
    pub exif: ExifFacts,
    /// Pictures made from it; none when nothing could be decoded.
    pub derivatives: Option<Derivatives>,
    /// What is wrong with the file.
    pub findings: Vec<PhotoProblem>,
}

/// Pictures made from the original, both upright.
#[derive(Debug)]
pub struct Derivatives {
    /// JPEG for lists, without text.
    pub thumbnail: Vec<u8>,
    /// JPEG with the watermark.
    pub watermarked: Vec<u8>,
}

/// A fault of a photograph that was kept all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhotoProblem {
    /// The file ends early; derivatives show the part that is there.
    Truncated,
    /// No picture can be read from the file.
    Undecodable,
    /// Too many pixels to decode on the handheld.
    TooLargeToPreview,
    /// EXIF is damaged or contradicts itself; details stand in [`ExifFacts::problems`].
    BrokenExif,
    /// The font lacks these characters of the watermark; boxes were drawn in their place.
    MissingGlyphs(Vec<char>),
}

/// Why a file is no photograph at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// Zero bytes.
    #[error("ingest photo: file is empty")]
    Empty,
    /// Neither JPEG nor PNG.
    #[error("ingest photo: neither jpeg nor png, looks like {}", looks_like.unwrap_or("nothing known"))]
    NotAnImage {
        /// Name of another format it begins like, for example `heic`.
        looks_like: Option<&'static str>,
    },
}

/// Hashes a photograph, reads its EXIF and makes its derivatives.
///
/// # Errors
/// [`PhotoError`] when the file is empty or neither a JPEG nor a PNG.
pub fn ingest(input: PhotoInput<'_>) -> Result<Ingested, PhotoError> {
    let bytes = input.bytes;
    let format = PictureFormat::of(bytes)?;
    let survey = format::survey(bytes, format);
    // The hash and EXIF need the file, not the picture: they run while the picture is decoded.
    let ((sha256, exif), decoded) = both(
        || (Hash::of(bytes), exif::read(bytes, survey.complete)),
        || decode::decode(bytes, format, &survey),
    );

    let mut findings = Vec::new();
    if !survey.complete {
        findings.push(PhotoProblem::Truncated);
    }
    let picture = match decoded {
        Decoded::Whole(picture) => Some(picture),
        Decoded::Part(picture) => {
            if survey.complete {
                findings.push(PhotoProblem::Truncated);
            }
            Some(picture)
        }
        Decoded::TooLarge => {
            findings.push(PhotoProblem::TooLargeToPreview);
            None
        }
        Decoded::Nothing => {
            findings.push(PhotoProblem::Undecodable);
            None
        }
    };
    if !exif.problems.is_empty() {
        findings.push(PhotoProblem::BrokenExif);
    }
    let missing = missing_glyphs(input.font, &input.watermark.concat());
    if !missing.is_empty() {
        findings.push(PhotoProblem::MissingGlyphs(missing));
    }

    let orientation = exif.orientation;
    let derivatives = picture
        .and_then(|picture| derive::derive(picture, orientation, &input.watermark, input.font));
    Ok(Ingested {
        sha256,
        media: format.media().to_owned(),
        width: survey.width,
        height: survey.height,
        orientation,
        exif,
        derivatives,
        findings,
    })
}

/// Runs `aside` on a second thread while `here` runs on this one.
fn both<A: Send, B>(aside: impl Fn() -> A + Sync, here: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let handle = std::thread::Builder::new().spawn_scoped(scope, &aside);
        let here = here();
        let aside = match handle {
            Ok(handle) => handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // A handheld short of memory may refuse a thread; the work is then done in turn.
            Err(_) => aside(),
        };
        (aside, here)
    })
}
