//! Recognizes a picture file and measures it before anything is allocated for it.
//!
//! The survey walks the file's own structure: declared size, the memory a decoder would need, and
//! whether the end is there. Lengths are taken from the file only to skip, never to allocate.

use super::PhotoError;

/// The formats a photograph may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PictureFormat {
    Jpeg,
    Png,
}

/// What the structure of a file tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Survey {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes a decoder holds at its peak, estimated from above.
    pub(super) decode_bytes: u64,
    /// Scans of a JPEG; hostile files have thousands.
    pub(super) scans: u32,
    /// The end marker is where the structure says.
    pub(super) complete: bool,
}

impl PictureFormat {
    /// Returns the format `bytes` begin as.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, PhotoError> {
        if bytes.is_empty() {
            return Err(PhotoError::Empty);
        }
        if bytes.starts_with(&[0xFF, 0xD8]) {
            return Ok(Self::Jpeg);
        }
        // Four bytes identify a PNG that was cut inside its signature.
        if bytes.starts_with(b"\x89PNG") {
            return Ok(Self::Png);
        }
        Err(PhotoError::NotAnImage { looks_like: looks_like(bytes) })
    }

    /// Returns the media type.
    pub(super) fn media(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// Names a format we do not take, so that the officer learns what to set on the phone.
fn looks_like(bytes: &[u8]) -> Option<&'static str> {
    let after =
        |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(magic));
    if after(4, b"ftyp") {
        let picture = [b"heic", b"heix", b"mif1", b"msf1", b"hevc"];
        if picture.iter().any(|brand| after(8, *brand)) {
            return Some("heic");
        }
        return Some(if after(8, b"avif") { "avif" } else { "video" });
    }
    let known: [(usize, &[u8], &'static str); 7] = [
        (0, b"GIF8", "gif"),
        (8, b"WEBP", "webp"),
        (0, b"II*\0", "tiff"),
        (0, b"MM\0*", "tiff"),
        (0, b"BM", "bmp"),
        (0, b"%PDF", "pdf"),
        (0, b"PK\x03\x04", "zip"),
    ];
    known.iter().find(|(at, magic, _)| after(*at, magic)).map(|(_, _, name)| *name)
}

/// Walks the structure of a file.
pub(super) fn survey(bytes: &[u8], format: PictureFormat) -> Survey {
    match format {
        PictureFormat::Jpeg => survey_jpeg(bytes),
        PictureFormat::Png => survey_png(bytes),
    }
}

fn survey_jpeg(bytes: &[u8]) -> Survey {
    let mut survey = Survey::default();
    let mut frame = None;
    let mut at = 2;
    while let Some(marker) = next_marker(bytes, &mut at) {
        match marker {
            0x01 | 0xD0..=0xD8 => {}
            0xD9 => {
                survey.complete = true;
                break;
            }
            _ => {
                let Some(segment) = segment(bytes, at) else { break };
                at += segment.len() + 2;
                // SOF0 to SOF15; C4, C8 and CC are tables and extensions.
                if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
                    frame = frame.or_else(|| Frame::parse(marker, segment));
                }
                if marker == 0xDA {
                    survey.scans += 1;
                }
            }
        }
    }
    if let Some(frame) = frame {
        survey.width = frame.width;
        survey.height = frame.height;
        survey.decode_bytes = frame.decode_bytes(survey.scans);
    }
    survey
}

/// Moves `at` past the next marker and returns it; entropy-coded data in between is skipped.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        let rest = bytes.get(*at..)?;
        let offset = rest.iter().position(|byte| *byte == 0xFF)?;
        *at += offset + 1;
        let byte = *bytes.get(*at)?;
        // A zero is a stuffed data byte; 0xFF is a fill byte before the marker.
        if byte != 0xFF {
            *at += 1;
            if byte != 0 {
                return Some(byte);
            }
        }
    }
}

/// Returns the payload of the segment whose length field is at `at`.
fn segment(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let [high, low] = *bytes.get(at..at.checked_add(2)?)? else { return None };
    let length = usize::from(u16::from_be_bytes([high, low]));
    bytes.get(at + 2..at.checked_add(length)?)
}

/// The frame header of a JPEG.
struct Frame {
    width: u32,
    height: u32,
    progressive: bool,
    /// Samples of all components for one pixel, in quarters.
    samples_quarters: u64,
}

impl Frame {
    fn parse(marker: u8, segment: &[u8]) -> Option<Self> {
        let [_, y1, y2, x1, x2, count, components @ ..] = segment else { return None };
        let factors: Vec<(u64, u64)> = components
            .chunks_exact(3)
            .take(usize::from(*count))
            .filter_map(|component| component.get(1))
            .map(|hv| (u64::from(hv >> 4), u64::from(hv & 15)))
            .collect();
        let across = factors.iter().map(|(h, _)| *h).max().unwrap_or(1).max(1);
        let down = factors.iter().map(|(_, v)| *v).max().unwrap_or(1).max(1);
        let samples: u64 = factors.iter().map(|(h, v)| h * v).sum();
        Some(Self {
            width: u32::from(u16::from_be_bytes([*x1, *x2])),
            height: u32::from(u16::from_be_bytes([*y1, *y2])),
            progressive: marker != 0xC0 && marker != 0xC1,
            samples_quarters: (samples * 4).div_ceil(across * down),
        })
    }

    /// Baseline pictures are decoded at the scale they are needed in; a progressive or
    /// non-interleaved one holds every coefficient in two bytes until the last scan.
    fn decode_bytes(&self, scans: u32) -> u64 {
        let pixels = u64::from(self.width) * u64::from(self.height);
        let scaled = pixels / 4 * 7;
        if self.progressive || scans > 1 {
            pixels * self.samples_quarters / 2 + scaled
        } else {
            scaled
        }
    }
}

fn survey_png(bytes: &[u8]) -> Survey {
    let mut survey = Survey::default();
    let mut at = 8;
    while let Some((name, data)) = chunk(bytes, at) {
        at += data.len() + 12;
        match name {
            b"IHDR" => {
                let [w1, w2, w3, w4, h1, h2, h3, h4, depth, color, ..] = *data else { break };
                survey.width = u32::from_be_bytes([w1, w2, w3, w4]);
                survey.height = u32::from_be_bytes([h1, h2, h3, h4]);
                let channels: u64 = match color {
                    0 => 1,
                    4 => 2,
                    6 => 4,
                    // A palette is expanded to colors, perhaps with transparency.
                    3 => 4,
                    _ => 3,
                };
                let sample_bytes = if depth == 16 { 2 } else { 1 };
                survey.decode_bytes = u64::from(survey.width)
                    .saturating_mul(u64::from(survey.height))
                    .saturating_mul(channels * sample_bytes);
            }
            b"IEND" => {
                survey.complete = true;
                break;
            }
            _ => {}
        }
    }
    survey
}

/// Returns name and data of the PNG chunk at `at`, checksum included in the step but not here.
fn chunk(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    let [l1, l2, l3, l4] = *bytes.get(at..at.checked_add(4)?)? else { return None };
    let length = usize::try_from(u32::from_be_bytes([l1, l2, l3, l4])).ok()?;
    let name = bytes.get(at + 4..at + 8)?;
    let end = (at + 8).checked_add(length)?;
    bytes.get(end..end.checked_add(4)?)?;
    Some((name, bytes.get(at + 8..end)?))
}
