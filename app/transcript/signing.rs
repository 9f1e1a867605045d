//! The pages being read and the strokes being made: what the signing page holds between two acts.
//!
//! Points are kept as the panel gave them. Time on a page is added up from what was seen each
//! second, so that a page that was left open behind another one does not count as read.

use sync_core::random;
use sync_model::hash::Hash;
use sync_model::id::{DocumentId, TranscriptId};
use sync_model::record::signature::{Ink, Point, SignerRole};
use sync_model::record::transcript::PageReading;

use crate::error::{AppError, Input};

/// Longest time between two looks that counts as reading.
const LOOK_MS: u64 = 2_000;

/// Units of the path across the pad.
const PATH_UNITS: f64 = 1000.0;

/// What is being signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A revision of a transcript.
    Transcript(TranscriptId, u32),
    /// The receipt of a document, by this recipient.
    Receipt {
        /// The document.
        document: DocumentId,
        /// Who receives it.
        recipient: String,
    },
}

/// Who holds the pen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pen {
    /// A signer of the transcript.
    Signer(SignerRole),
    /// The witness of a refusal.
    Witness,
    /// The recipient of a document.
    Recipient,
}

/// A signature being made, bound to its page from the first stroke.
#[derive(Clone, Debug)]
pub struct Pad {
    /// Who signs.
    pub pen: Pen,
    /// Page number, from 1.
    pub page: u32,
    /// Hash of that page as read.
    pub page_hash: Hash,
    strokes: Vec<Vec<Point>>,
    live: Vec<Point>,
    first_mono_ms: Option<u64>,
    size: (f32, f32),
    tool: &'static str,
}

impl Pad {
    /// Returns an empty pad for a page.
    #[must_use]
    pub fn new(pen: Pen, page: u32, page_hash: Hash) -> Self {
        Self {
            pen,
            page,
            page_hash,
            strokes: Vec::new(),
            live: Vec::new(),
            first_mono_ms: None,
            size: (0.0, 0.0),
            tool: "mouse",
        }
    }

    /// The pen goes down on a pad of this size in pixels.
    pub fn begin(&mut self, at: (f32, f32), size: (f32, f32), finger: bool, now_mono_ms: u64) {
        self.end();
        self.size = size;
        if finger {
            self.tool = "finger";
        }
        self.put(at, now_mono_ms);
    }

    /// The pen moves.
    pub fn draw(&mut self, at: (f32, f32), now_mono_ms: u64) {
        if !self.live.is_empty() {
            self.put(at, now_mono_ms);
        }
    }

    fn put(&mut self, at: (f32, f32), now_mono_ms: u64) {
        let first = *self.first_mono_ms.get_or_insert(now_mono_ms);
        let at_ms = u32::try_from(now_mono_ms.saturating_sub(first)).unwrap_or(u32::MAX);
        // The panel tells no pressure.
        self.live.push(Point(tenths(at.0), tenths(at.1), at_ms, -1));
    }

    /// The pen goes up.
    pub fn end(&mut self) {
        if !self.live.is_empty() {
            self.strokes.push(std::mem::take(&mut self.live));
        }
    }

    /// Takes the last stroke back.
    pub fn undo(&mut self) {
        self.live.clear();
        self.strokes.pop();
        if self.strokes.is_empty() {
            self.first_mono_ms = None;
        }
    }

    /// Takes all strokes back.
    pub fn clear(&mut self) {
        self.strokes.clear();
        self.live.clear();
        self.first_mono_ms = None;
    }

    /// Returns the number of finished strokes.
    #[must_use]
    pub fn stroke_count(&self) -> usize {
        self.strokes.len()
    }

    /// Says whether there is enough to be a signature.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.strokes.iter().map(Vec::len).sum::<usize>() >= Ink::POINTS_MIN
    }

    /// Returns the finished strokes as path commands.
    #[must_use]
    pub fn done_path(&self) -> String {
        self.strokes.iter().map(|stroke| self.path(stroke)).collect()
    }

    /// Returns the stroke being made as path commands.
    #[must_use]
    pub fn live_path(&self) -> String {
        self.path(&self.live)
    }

    fn path(&self, stroke: &[Point]) -> String {
        let width = f64::from(self.size.0.max(1.0)) * 10.0;
        let scaled = |tenths: i32| f64::from(tenths) / width * PATH_UNITS;
        let mut text = String::new();
        for (index, Point(x, y, ..)) in stroke.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            text.push_str(&format!("{command}{:.1} {:.1} ", scaled(*x), scaled(*y)));
        }
        // A dot is a line of no length, or it would not be drawn.
        if let [Point(x, y, ..)] = stroke {
            text.push_str(&format!("L{:.1} {:.1} ", scaled(*x), scaled(*y)));
        }
        text
    }

    /// Returns the signature, bound to its page.
    ///
    /// # Errors
    /// [`AppError::Input`] if there are too few points.
    pub fn ink(&self) -> Result<Ink, AppError> {
        if !self.is_enough() {
            return Err(AppError::Input(Input::SignatureTooShort));
        }
        Ok(Ink {
            page: self.page_hash,
            nonce: random::bytes(),
            pad_width: tenths(self.size.0),
            pad_height: tenths(self.size.1),
            tool: self.tool.to_owned(),
            strokes: self.strokes.clone(),
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range just before")]
fn tenths(pixels: f32) -> i32 {
    (f64::from(pixels) * 10.0).round().clamp(-1_000_000.0, 1_000_000.0) as i32
}

/// What the signing page holds.
#[derive(Clone, Debug, Default)]
pub struct Signing {
    /// What is being signed.
    pub target: Option<Target>,
    /// The page that is shown, from 1.
    pub page: u32,
    /// The signature being made.
    pub pad: Option<Pad>,
    read_ms: Vec<u64>,
    looked_mono_ms: Option<u64>,
}

impl Signing {
    /// Opens what is to be signed; nothing changes if it is open already.
    pub fn open(&mut self, target: Target, page_count: usize) {
        if self.target.as_ref() != Some(&target) {
            *self = Self {
                target: Some(target),
                page: 1,
                read_ms: vec![0; page_count],
                ..Self::default()
            };
        }
    }

    /// Adds the time since the last look to the page that is shown.
    pub fn look(&mut self, now_mono_ms: u64) {
        let since = self.looked_mono_ms.map_or(0, |before| now_mono_ms.saturating_sub(before));
        self.looked_mono_ms = Some(now_mono_ms);
        let index = usize::try_from(self.page.saturating_sub(1)).unwrap_or(usize::MAX);
        if let Some(read_ms) = self.read_ms.get_mut(index) {
            *read_ms = read_ms.saturating_add(since.min(LOOK_MS));
        }
    }

    /// Returns how long each page was before the reader's eyes.
    #[must_use]
    pub fn readings(&self) -> Vec<PageReading> {
        (1_u32..)
            .zip(&self.read_ms)
            .map(|(page, dwell_ms)| PageReading { page, dwell_ms: *dwell_ms })
            .collect()
    }

    /// Returns the milliseconds on the page that is shown.
    #[must_use]
    pub fn read_ms(&self) -> u64 {
        self.readings().iter().find(|one| one.page == self.page).map_or(0, |one| one.dwell_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn() -> Pad {
        let mut pad = Pad::new(Pen::Recipient, 1, Hash::of(b"page"));
        pad.begin((10.0, 20.0), (640.0, 320.0), true, 5_000);
        for step in 1..6_u8 {
            pad.draw((10.0 + f32::from(step), 20.5), 5_000 + u64::from(step) * 10);
        }
        pad.end();
        pad
    }

    #[test]
    fn points_are_raw_tenths_of_a_pixel_and_milliseconds_since_the_first() {
        let ink = drawn().ink().unwrap();
        assert_eq!(ink.page, Hash::of(b"page"));
        assert_eq!((ink.pad_width, ink.pad_height), (6400, 3200));
        assert_eq!(ink.tool, "finger");
        assert_eq!(ink.strokes[0][0], Point(100, 200, 0, -1));
        assert_eq!(ink.strokes[0][5], Point(150, 205, 50, -1));
    }

    #[test]
    fn the_last_stroke_can_be_taken_back_and_too_little_is_no_signature() {
        let mut pad = drawn();
        assert!(pad.done_path().starts_with("M15.6 31.2 L"));
        pad.undo();
        assert_eq!(pad.done_path(), "");
        assert!(matches!(pad.ink(), Err(AppError::Input(Input::SignatureTooShort))));
    }

    #[test]
    fn a_page_left_open_unseen_does_not_count_as_read() {
        let mut signing = Signing::default();
        signing.open(Target::Transcript(TranscriptId(uuid::Uuid::nil()), 1), 2);
        signing.look(1_000);
        signing.look(2_000);
        signing.look(602_000);
        assert_eq!(signing.read_ms(), 3_000);
        signing.page = 2;
        assert_eq!(signing.read_ms(), 0);
    }
}
