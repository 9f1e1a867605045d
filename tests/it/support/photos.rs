//! Photographs made on the spot: real JPEG files, none committed.

use std::path::{Path, PathBuf};

use image::{ImageFormat, Rgb, RgbImage};

/// Writes `count` different photographs into `folder`.
pub fn generate(folder: &Path, count: u8) {
    std::fs::create_dir_all(folder).unwrap();
    for index in 0..count {
        picture(index)
            .save_with_format(folder.join(format!("{index:02}.jpg")), ImageFormat::Jpeg)
            .unwrap();
    }
}

/// Returns one photograph as JPEG bytes.
pub fn jpeg(index: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture(index).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

fn picture(index: u8) -> RgbImage {
    RgbImage::from_fn(320, 240, |x, y| Rgb([x as u8 ^ index, y as u8, index.wrapping_mul(40)]))
}

/// Returns the folder of real photographs, or `None` with a line that says it is absent.
pub fn real() -> Option<PathBuf> {
    let data = std::env::var_os("XUNZHENG_DATA_SAMPLES")
        .map(PathBuf::from)
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    let photos = data.join("photos");
    if photos.is_dir() {
        Some(photos)
    } else {
        println!("absent: {} (generated photographs are used instead)", photos.display());
        None
    }
}
