//! Writes the time, place, officers and number on the copy of a photograph.
//!
//! White text on a dark band, legible on snow and at night. The band lies over the bottom of the
//! picture while it takes at most a third of it; otherwise it is added below, so that a small
//! picture is never hidden by its own label.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};

use super::resize::Picture;

/// A picture narrower than this gets its text on a wider band.
const BAND_WIDTH_MIN: usize = 320;

/// How much of the picture shows through the band, of 256: white behind it still reads 7 : 1.
const BAND_TRANSPARENCY: u32 = 84;

/// Returns the characters of `text` that `font` cannot draw, each once.
#[must_use]
pub fn missing_glyphs(font: &FontRef<'_>, text: &str) -> Vec<char> {
    let mut missing: Vec<char> = text
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace() && font.glyph_id(*c).0 == 0)
        .collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

/// Returns the picture with `lines` written at its bottom.
pub(super) fn draw(picture: Picture, lines: &[String], font: &FontRef<'_>) -> Picture {
    if lines.iter().all(|line| line.trim().is_empty()) {
        return picture;
    }
    let width = picture.width.max(BAND_WIDTH_MIN);
    // The height of a line of type: characters themselves are about two thirds of it.
    let text_px = (picture.width.min(picture.height) / 26).clamp(20, 44);
    let margin = text_px / 2;
    let lines = wrap(lines, width - 2 * margin, text_px, font);
    let line_px = text_px + text_px / 8;
    let band_px = lines.len() * line_px + margin;
    let mut canvas = extend(picture, width, band_px);
    let band_top = canvas.height.saturating_sub(band_px);
    let stride = canvas.width * 3;
    for value in canvas.rgb.iter_mut().skip(band_top * stride) {
        *value = ((u32::from(*value) * BAND_TRANSPARENCY) >> 8).min(255) as u8;
    }
    for (index, line) in lines.iter().enumerate() {
        let top = band_top + margin / 2 + index * line_px;
        write_line(&mut canvas, line, (margin, top), text_px, font);
    }
    canvas
}

/// Adds room below and to the right where the band would not fit over the picture.
fn extend(picture: Picture, width: usize, band_px: usize) -> Picture {
    let below = if band_px * 3 > picture.height { band_px } else { 0 };
    if below == 0 && width == picture.width {
        return picture;
    }
    let height = picture.height + below;
    let mut rgb = Vec::with_capacity(width * height * 3);
    for row in picture.rgb.chunks_exact(picture.width * 3) {
        rgb.extend_from_slice(row);
        rgb.resize(rgb.len() + (width - picture.width) * 3, 0);
    }
    rgb.resize(width * height * 3, 0);
    Picture { width, height, rgb }
}

/// Breaks lines that are wider than the band, between any two characters as Chinese allows.
fn wrap(lines: &[String], width: usize, text_px: usize, font: &FontRef<'_>) -> Vec<String> {
    let scaled = font.as_scaled(PxScale::from(text_px as f32));
    let mut wrapped = Vec::new();
    for line in lines {
        let mut current = String::new();
        let mut used = 0.0;
        for c in line.chars().filter(|c| !c.is_control()) {
            let advance = scaled.h_advance(font.glyph_id(c));
            if used + advance > width as f32 && !current.is_empty() {
                wrapped.push(std::mem::take(&mut current));
                used = 0.0;
            }
            current.push(c);
            used += advance;
        }
        wrapped.push(current);
    }
    wrapped
}

fn write_line(
    canvas: &mut Picture,
    line: &str,
    (left, top): (usize, usize),
    text_px: usize,
    font: &FontRef<'_>,
) {
    let scale = PxScale::from(text_px as f32);
    let scaled = font.as_scaled(scale);
    let baseline = top as f32 + scaled.ascent();
    let mut x = left as f32;
    for c in line.chars() {
        let id = font.glyph_id(c);
        let glyph = id.with_scale_and_position(scale, point(x, baseline));
        x += scaled.h_advance(id);
        let Some(outline) = font.outline_glyph(glyph) else { continue };
        let corner = outline.px_bounds().min;
        outline.draw(|dx, dy, coverage| {
            let at = pixel(corner.x, dx).zip(pixel(corner.y, dy));
            if let Some((x, y)) = at.filter(|(x, y)| *x < canvas.width && *y < canvas.height) {
                let start = (y * canvas.width + x) * 3;
                let target = canvas.rgb.get_mut(start..start + 3).unwrap_or_default();
                for value in target {
                    *value = blend(*value, coverage);
                }
            }
        });
    }
}

/// Returns the pixel `offset` right of or below a whole-numbered corner, if it is on the canvas.
fn pixel(corner: f32, offset: u32) -> Option<usize> {
    #[expect(clippy::cast_possible_truncation, reason = "px_bounds are whole and far below 2^31")]
    let corner = corner as i64;
    usize::try_from(corner + i64::from(offset)).ok()
}

/// Returns `value` moved towards white by the part of the pixel that the glyph covers.
fn blend(value: u8, coverage: f32) -> u8 {
    let lighter = f32::from(value) + f32::from(255 - value) * coverage.clamp(0.0, 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between value and 255 by construction"
    )]
    let lighter = lighter.round() as u8;
    lighter
}
