//! Pictures the tests make for themselves, and the folder of real ones.

use std::path::PathBuf;
use std::sync::OnceLock;

use ab_glyph::FontRef;

use super::super::{Ingested, PhotoError, PhotoInput, ingest};

pub(super) fn font() -> &'static FontRef<'static> {
    static FONT: OnceLock<FontRef<'static>> = OnceLock::new();
    FONT.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/fonts/NotoSansSC-Regular.ttf");
        FontRef::try_from_slice(std::fs::read(path).unwrap().leak()).unwrap()
    })
}

/// Ingests with the watermark of an ordinary visit.
pub(super) fn ingest_plain(bytes: &[u8]) -> Result<Ingested, PhotoError> {
    let watermark = [
        "2026年3月2日 14:05（设备时间，已校准）",
        "杭州市滨江区长河街道江南大道100号",
        "执法人员 王秀英、李建国",
        "证据 ZJ-0001-03　sha256 ba7816bf",
    ];
    ingest(PhotoInput { bytes, watermark: watermark.map(str::to_owned).to_vec(), font: font() })
}

/// A scene without symmetry: two gradients and a bright block at the upper left.
pub(super) fn scene(width: u32, height: u32) -> image::RgbImage {
    image::RgbImage::from_fn(width, height, |x, y| {
        let block = x < width / 4 && y < height / 3;
        let shade = |at: u32, whole: u32| u8::try_from(at * 200 / whole).unwrap();
        image::Rgb([shade(x, width), shade(y, height), if block { 255 } else { 40 }])
    })
}

/// Returns `scene` as a camera held in `orientation` would have stored it.
pub(super) fn stored(scene: &image::RgbImage, orientation: u8) -> image::RgbImage {
    use image::imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
    match orientation {
        2 => flip_horizontal(scene),
        3 => rotate180(scene),
        4 => flip_vertical(scene),
        5 => flip_horizontal(&rotate90(scene)),
        6 => rotate270(scene),
        7 => flip_horizontal(&rotate270(scene)),
        8 => rotate90(scene),
        _ => scene.clone(),
    }
}

pub(super) fn encode(rgb: &[u8], width: u16, height: u16, exif: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 85);
    if let Some(exif) = exif {
        encoder.add_app_segment(1, [b"Exif\0\0".as_slice(), exif].concat()).unwrap();
    }
    encoder.encode(rgb, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

pub(super) fn jpeg_of(picture: &image::RgbImage, orientation: u8) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let block = exif_block(orientation);
    encode(picture, width.try_into().unwrap(), height.try_into().unwrap(), Some(&block))
}

pub(super) fn jpeg(width: u16, height: u16) -> Vec<u8> {
    encode(&scene(width.into(), height.into()), width, height, None)
}

pub(super) fn jpeg_with_exif(width: u16, height: u16, block: &[u8]) -> Vec<u8> {
    encode(&scene(width.into(), height.into()), width, height, Some(block))
}

pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    scene(width, height).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A TIFF block with an orientation and nothing else.
pub(super) fn exif_block(orientation: u8) -> Vec<u8> {
    let mut block = b"II*\0\x08\0\0\0\x01\0".to_vec();
    block.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    block.extend([0; 4]);
    block
}

/// The folder of real files; says so when it is absent.
pub(super) fn data_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("XUNZHENG_DATA_SAMPLES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    println!("no folder {}: real files not tested, generated ones are", folder.display());
    None
}

pub(super) fn bytes_of_photo(name: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(data_folder()?.join("photos").join(name)).unwrap())
}
