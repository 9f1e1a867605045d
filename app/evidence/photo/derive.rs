//! Turns a decoded picture upright and makes the thumbnail and the watermarked copy from it.
//!
//! The two are encoded side by side, since a handheld has more than one core and the officer waits.

use ab_glyph::FontRef;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::resize::{Picture, fit, reduce};
use super::{Derivatives, THUMBNAIL_BYTES_MAX, THUMBNAIL_SIDE, both, watermark};

/// Good enough to read a label at 1920 pixels, at about 300 KB.
const WATERMARKED_QUALITY: u8 = 80;

/// Tried in turn until a thumbnail is light enough; the last fits even for noise.
const THUMBNAIL_STEPS: [(u32, u8); 6] = [
    (THUMBNAIL_SIDE, 75),
    (THUMBNAIL_SIDE, 60),
    (THUMBNAIL_SIDE, 45),
    (THUMBNAIL_SIDE, 30),
    (240, 25),
    (128, 20),
];

/// Makes both derivatives; nothing when the encoder refuses the size.
pub(super) fn derive(
    picture: Picture,
    orientation: u8,
    lines: &[String],
    font: &FontRef<'_>,
) -> Option<Derivatives> {
    let picture = upright(picture, orientation);
    let (thumbnail, watermarked) = both(
        || thumbnail(&picture),
        || {
            let marked = watermark::draw(picture.clone(), lines, font);
            encode(&marked, WATERMARKED_QUALITY)
        },
    );
    Some(Derivatives { thumbnail: thumbnail?, watermarked: watermarked? })
}

fn thumbnail(picture: &Picture) -> Option<Vec<u8>> {
    let mut encoded = None;
    let mut small: Option<Picture> = None;
    for (side, quality) in THUMBNAIL_STEPS {
        let (width, height) = fit(picture.width, picture.height, usize::try_from(side).ok()?);
        let reduced = match small.take() {
            Some(reduced) if (reduced.width, reduced.height) == (width, height) => reduced,
            _ => shrink(picture, width, height),
        };
        let bytes = encode(&reduced, quality)?;
        let light = bytes.len() <= THUMBNAIL_BYTES_MAX;
        encoded = Some(bytes);
        if light {
            break;
        }
        small = Some(reduced);
    }
    encoded
}

fn shrink(picture: &Picture, width: usize, height: usize) -> Picture {
    let stride = picture.width * 3;
    reduce((picture.width, picture.height), (width, height), |y, row| {
        row.copy_from_slice(picture.rgb.get(y * stride..(y + 1) * stride).unwrap_or_default());
    })
}

fn encode(picture: &Picture, quality: u8) -> Option<Vec<u8>> {
    let width = u16::try_from(picture.width).ok()?;
    let height = u16::try_from(picture.height).ok()?;
    let mut bytes = Vec::with_capacity(picture.rgb.len() / 8);
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    encoder.encode(&picture.rgb, width, height, ColorType::Rgb).ok()?;
    Some(bytes)
}

/// Applies an EXIF orientation, so that the top of the scene is at the top.
fn upright(picture: Picture, orientation: u8) -> Picture {
    if !(2..=8).contains(&orientation) {
        return picture;
    }
    let Picture { width, height, rgb } = picture;
    let turned = orientation >= 5;
    let (to_width, to_height) = if turned { (height, width) } else { (width, height) };
    let mut target = Vec::with_capacity(rgb.len());
    for y in 0..to_height {
        for x in 0..to_width {
            // Source coordinates of the target pixel (EXIF 2.3, table 6).
            let (from_x, from_y) = match orientation {
                2 => (width - 1 - x, y),
                3 => (width - 1 - x, height - 1 - y),
                4 => (x, height - 1 - y),
                5 => (y, x),
                6 => (y, height - 1 - x),
                7 => (width - 1 - y, height - 1 - x),
                _ => (width - 1 - y, x),
            };
            let at = (from_y * width + from_x) * 3;
            target.extend_from_slice(rgb.get(at..at + 3).unwrap_or(&[0; 3]));
        }
    }
    Picture { width: to_width, height: to_height, rgb: target }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels a…f in two rows of three, each a grey value.
    fn letters(rows: &[&str]) -> Picture {
        Picture {
            width: rows[0].len(),
            height: rows.len(),
            rgb: rows.concat().bytes().flat_map(|letter| [letter; 3]).collect(),
        }
    }

    #[test]
    fn each_orientation_brings_the_scene_upright() {
        // The scene is "abc" over "def"; these are the ways a camera may have stored it.
        let stored: [(u8, &[&str]); 8] = [
            (1, &["abc", "def"]),
            (2, &["cba", "fed"]),
            (3, &["fed", "cba"]),
            (4, &["def", "abc"]),
            (5, &["ad", "be", "cf"]),
            (6, &["cf", "be", "ad"]),
            (7, &["fc", "eb", "da"]),
            (8, &["da", "eb", "fc"]),
        ];
        for (orientation, rows) in stored {
            let scene = upright(letters(rows), orientation);
            assert_eq!(scene, letters(&["abc", "def"]), "orientation {orientation}");
        }
    }

    #[test]
    fn a_thumbnail_of_noise_is_still_light() {
        let mut seed = 1u32;
        let rgb = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed.to_be_bytes()[0]
        })
        .take(320 * 320 * 3)
        .collect();
        let thumbnail = thumbnail(&Picture { width: 320, height: 320, rgb }).unwrap();
        assert!(thumbnail.len() <= THUMBNAIL_BYTES_MAX, "{}", thumbnail.len());
    }
}
