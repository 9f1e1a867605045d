//! Decodes a photograph straight to the size its derivatives need.
//!
//! JPEGs are scaled inside the decoder (1/2, 1/4, 1/8), so 50 megapixels cost no more memory than
//! the result. A file that ends early is padded with end markers: what was there is shown, what
//! is missing is grey. When the first decoder gives up, the second, more lenient one is asked.

use std::io::{self, Read};

use image::{ColorType, ImageDecoder, Limits, codecs::jpeg, codecs::png};

use super::format::{PictureFormat, Survey};
use super::resize::{Picture, fit, reduce};
use super::{DECODE_BYTES_MAX, PREVIEW_PIXELS_MAX, WATERMARKED_SIDE};

/// Cameras write at most a dozen scans; thousands of empty ones are an attack on the processor.
const SCANS_MAX: u32 = 64;

/// Halving 3264 pixels to 1632 is close enough to [`WATERMARKED_SIDE`]; decoding them all to shrink
/// them afterwards costs twice the time and four times the memory.
const SCALED_SIDE_MIN: usize = 1600;

/// Padding after a file's end, enough for any header or marker a decoder still waits for.
const PADDING_BYTES_MAX: usize = 1 << 20;

/// What could be read; pictures are at most [`WATERMARKED_SIDE`] long and not yet upright.
pub(super) enum Decoded {
    Whole(Picture),
    Part(Picture),
    TooLarge,
    Nothing,
}

/// Decodes `bytes` within the limits of the handheld.
pub(super) fn decode(bytes: &[u8], format: PictureFormat, survey: &Survey) -> Decoded {
    let pixels = u64::from(survey.width) * u64::from(survey.height);
    if pixels == 0 {
        return Decoded::Nothing;
    }
    if pixels > PREVIEW_PIXELS_MAX || survey.decode_bytes > DECODE_BYTES_MAX {
        return Decoded::TooLarge;
    }
    match format {
        PictureFormat::Jpeg if survey.scans > SCANS_MAX => Decoded::Nothing,
        PictureFormat::Jpeg => {
            match decode_jpeg_scaled(bytes).or_else(|| decode_jpeg_leniently(bytes)) {
                Some(picture) if survey.complete => Decoded::Whole(picture),
                Some(picture) => Decoded::Part(picture),
                None => Decoded::Nothing,
            }
        }
        PictureFormat::Png => decode_png(bytes).unwrap_or(Decoded::Nothing),
    }
}

fn side() -> usize {
    usize::try_from(WATERMARKED_SIDE).unwrap_or(usize::MAX)
}

fn decode_jpeg_scaled(bytes: &[u8]) -> Option<Picture> {
    use jpeg_decoder::{Decoder, PixelFormat};
    let mut decoder = Decoder::new(Padded { rest: bytes, padding: 0 });
    decoder.set_max_decoding_buffer_size(usize::try_from(DECODE_BYTES_MAX).unwrap_or(usize::MAX));
    decoder.read_info().ok()?;
    let info = decoder.info()?;
    let (width, height) = fit(usize::from(info.width), usize::from(info.height), SCALED_SIDE_MIN);
    let (width, height) =
        decoder.scale(u16::try_from(width).ok()?, u16::try_from(height).ok()?).ok()?;
    let data = decoder.decode().ok()?;
    let layout = match info.pixel_format {
        PixelFormat::L8 => Layout::GREY8,
        // The samples come in the byte order of the processor.
        PixelFormat::L16 => Layout { high_byte: native_high_byte(), ..Layout::GREY16 },
        PixelFormat::RGB24 => Layout::RGB8,
        PixelFormat::CMYK32 => Layout { ink: true, ..Layout::RGBA8 },
    };
    shrink(&data, usize::from(width), usize::from(height), layout)
}

fn decode_jpeg_leniently(bytes: &[u8]) -> Option<Picture> {
    let decoder = jpeg::JpegDecoder::new(io::Cursor::new(bytes)).ok()?;
    let (width, height) = decoder.dimensions();
    let (data, layout, whole) = read_all(decoder)?;
    let layout = layout.in_byte_order(whole);
    shrink(&data, usize::try_from(width).ok()?, usize::try_from(height).ok()?, layout)
}

fn decode_png(bytes: &[u8]) -> Option<Decoded> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODE_BYTES_MAX);
    let decoder = png::PngDecoder::with_limits(io::Cursor::new(bytes), limits).ok()?;
    let (width, height) = decoder.dimensions();
    let (data, layout, whole) = read_all(decoder)?;
    let layout = layout.in_byte_order(whole);
    let picture =
        shrink(&data, usize::try_from(width).ok()?, usize::try_from(height).ok()?, layout)?;
    Some(if whole { Decoded::Whole(picture) } else { Decoded::Part(picture) })
}

/// Reads a whole picture; on a fault, what was filled in until then, and `false`.
fn read_all(decoder: impl ImageDecoder) -> Option<(Vec<u8>, Layout, bool)> {
    const UNTOUCHED: u8 = 0x80;
    let layout = Layout::of(decoder.color_type())?;
    if decoder.total_bytes() > DECODE_BYTES_MAX {
        return None;
    }
    let mut data = vec![UNTOUCHED; usize::try_from(decoder.total_bytes()).ok()?];
    let whole = decoder.read_image(&mut data).is_ok();
    if !whole && data.iter().all(|byte| *byte == UNTOUCHED) {
        return None;
    }
    Some((data, layout, whole))
}

fn shrink(data: &[u8], width: usize, height: usize, layout: Layout) -> Option<Picture> {
    let stride = width.checked_mul(layout.pixel_bytes)?;
    if stride == 0 || data.len() < stride.checked_mul(height)? {
        return None;
    }
    let to = fit(width, height, side());
    Some(reduce((width, height), to, |y, row| {
        layout.convert(data.get(y * stride..(y + 1) * stride).unwrap_or_default(), row);
    }))
}

/// How one pixel lies in the decoder's memory.
#[derive(Clone, Copy)]
struct Layout {
    pixel_bytes: usize,
    /// Bytes from one channel to the next.
    sample_bytes: usize,
    /// Which byte of a sample is the significant one.
    high_byte: usize,
    colored: bool,
    alpha: bool,
    /// The four channels are inverted cyan, magenta, yellow, black.
    ink: bool,
}

fn native_high_byte() -> usize {
    usize::from(cfg!(target_endian = "little"))
}

impl Layout {
    const GREY8: Self = Self {
        pixel_bytes: 1,
        sample_bytes: 1,
        high_byte: 0,
        colored: false,
        alpha: false,
        ink: false,
    };
    const GREY16: Self = Self { pixel_bytes: 2, sample_bytes: 2, ..Self::GREY8 };
    const RGB8: Self = Self { pixel_bytes: 3, colored: true, ..Self::GREY8 };
    const RGBA8: Self = Self { pixel_bytes: 4, alpha: true, ..Self::RGB8 };

    fn of(color: ColorType) -> Option<Self> {
        Some(match color {
            ColorType::L8 => Self::GREY8,
            ColorType::La8 => Self { pixel_bytes: 2, alpha: true, ..Self::GREY8 },
            ColorType::Rgb8 => Self::RGB8,
            ColorType::Rgba8 => Self::RGBA8,
            ColorType::L16 => Self::GREY16,
            ColorType::La16 => Self { pixel_bytes: 4, alpha: true, ..Self::GREY16 },
            ColorType::Rgb16 => Self { pixel_bytes: 6, colored: true, ..Self::GREY16 },
            ColorType::Rgba16 => {
                Self { pixel_bytes: 8, colored: true, alpha: true, ..Self::GREY16 }
            }
            _ => return None,
        })
    }

    /// Sixteen-bit samples are turned to the processor's order only when the picture is whole.
    fn in_byte_order(self, whole: bool) -> Self {
        if self.sample_bytes == 2 && whole {
            Self { high_byte: native_high_byte(), ..self }
        } else {
            self
        }
    }

    fn convert(&self, source: &[u8], target: &mut [u8]) {
        if self.pixel_bytes == 3 {
            target.copy_from_slice(source);
            return;
        }
        let pixels = source.chunks_exact(self.pixel_bytes);
        for (pixel, rgb) in pixels.zip(target.chunks_exact_mut(3)) {
            let sample =
                |channel: usize| pixel.get(channel * self.sample_bytes + self.high_byte).copied();
            let last = sample(if self.colored { 3 } else { 1 }).unwrap_or(255);
            for (channel, value) in rgb.iter_mut().enumerate() {
                let color = sample(if self.colored { channel } else { 0 }).unwrap_or_default();
                *value = if self.ink {
                    scaled(color, last)
                } else if self.alpha {
                    // Transparent parts are shown on white, as a viewer would.
                    scaled(color, last).saturating_add(255 - last)
                } else {
                    color
                };
            }
        }
    }
}

/// Returns `value` × `part` / 255, rounded.
fn scaled(value: u8, part: u8) -> u8 {
    let product = u16::from(value) * u16::from(part);
    u8::try_from((product + 127) / 255).unwrap_or(255)
}

/// A file followed by end markers, so that a decoder finishes what it has begun.
struct Padded<'a> {
    rest: &'a [u8],
    padding: usize,
}

impl Read for Padded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.rest.is_empty() {
            return self.rest.read(buffer);
        }
        if self.padding > PADDING_BYTES_MAX {
            return Ok(0);
        }
        for byte in &mut *buffer {
            *byte = if self.padding.is_multiple_of(2) { 0xFF } else { 0xD9 };
            self.padding += 1;
        }
        Ok(buffer.len())
    }

    #[inline]
    fn read_exact(&mut self, mut buffer: &mut [u8]) -> io::Result<()> {
        // The decoder asks byte by byte: the usual case must be a plain copy.
        if buffer.len() <= self.rest.len() {
            return self.rest.read_exact(buffer);
        }
        while !buffer.is_empty() {
            let read = self.read(buffer)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer = buffer.get_mut(read..).unwrap_or_default();
        }
        Ok(())
    }
}
