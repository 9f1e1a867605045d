//! Strokes for rehearsals, tests and screenshots: a plausible hand, different each time.

use sync_core::random;
use sync_model::hash::Hash;
use sync_model::record::signature::{Ink, Point};

/// Width of the pad, in tenths of a pixel.
const PAD_WIDTH: i32 = 6_400;
/// Height of the pad, in tenths of a pixel.
const PAD_HEIGHT: i32 = 3_200;

/// Returns the strokes of a rehearsed signature on `page`: `strokes` waves side by side.
#[must_use]
pub fn signature_strokes(page: Hash, strokes: i32) -> Ink {
    let seed: [u8; 4] = random::bytes();
    let mut at_ms = 0_u32;
    let mut made = Vec::new();
    for stroke in 0..strokes {
        let left = 300 + stroke * 900;
        let mut points = Vec::new();
        for step in 0..24_i32 {
            let bend = i32::from(*seed.get(usize::from(step % 4 == 1)).unwrap_or(&0)) / 4;
            let wave = (step % 8 - 4).abs() * 180;
            points.push(Point(left + step * 34 + bend, 800 + wave + stroke * 60, at_ms, -1));
            at_ms += 12;
        }
        at_ms += 140;
        made.push(points);
    }
    Ink {
        page,
        nonce: random::bytes(),
        pad_width: PAD_WIDTH,
        pad_height: PAD_HEIGHT,
        tool: "rehearsal".to_owned(),
        strokes: made,
    }
}
