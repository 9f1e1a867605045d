//! Sample pictures for scenes: a code to scan and stand-ins for photographs.
//!
//! They are drawn, not loaded, so that the command needs no files beside the program.

use qrcodegen::{QrCode, QrCodeEcc};
use slint::{Image, Rgb8Pixel, SharedPixelBuffer};

const WHITE: Rgb8Pixel = Rgb8Pixel { r: 255, g: 255, b: 255 };
const BLACK: Rgb8Pixel = Rgb8Pixel { r: 0, g: 0, b: 0 };

/// Returns `text` as a QR image, one pixel a module with a quiet zone; empty when it does not fit.
pub(super) fn code(text: &str) -> Image {
    let Ok(qr) = QrCode::encode_text(text, QrCodeEcc::Medium) else {
        return Image::default();
    };
    let side = qr.size() + 4;
    let mut buffer = SharedPixelBuffer::new(side.unsigned_abs(), side.unsigned_abs());
    let places = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
    for (pixel, (x, y)) in buffer.make_mut_slice().iter_mut().zip(places) {
        *pixel = if qr.get_module(x - 2, y - 2) { BLACK } else { WHITE };
    }
    Image::from_rgb8(buffer)
}

/// Returns a 4:3 stand-in for a photograph: shelves under a light, in a hue of its own.
pub(super) fn photograph(seed: u8) -> Image {
    const WIDTH: u32 = 320;
    const HEIGHT: u32 = 240;
    let mut buffer = SharedPixelBuffer::new(WIDTH, HEIGHT);
    let places = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
    for (pixel, (x, y)) in buffer.make_mut_slice().iter_mut().zip(places) {
        *pixel = shade(x, y, u32::from(seed));
    }
    Image::from_rgb8(buffer)
}

fn shade(x: u32, y: u32, seed: u32) -> Rgb8Pixel {
    let shelf = y % 60 > 52;
    let crate_edge = (x + seed * 37) % (48 + seed * 5) < 3;
    let light = 190 - (y / 3) - (x.abs_diff(160) / 4);
    let tint = (x / 48 * 23 + y / 60 * 31 + seed * 47) % 70;
    let level = if shelf || crate_edge { light / 3 } else { light };
    let channel = |shift: u32| u8::try_from((level + shift).min(255)).unwrap_or(u8::MAX);
    Rgb8Pixel { r: channel(tint / 2), g: channel(tint / 3), b: channel(60 - tint / 2) }
}
