//! Bodies on the wire: zstd (RFC 8878), with a dictionary for pushes, opened within bounds.
//!
//! A dictionary is named by its id in the frame's own header. A released one never changes and is
//! known for ever; how it is made stands in `assets/README.md`.

use std::io::{self, Read, Write};
use std::sync::OnceLock;

use thiserror::Error;
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::stream::{read::Decoder, write::Encoder};

/// Value of `content-encoding` and `accept-encoding`.
pub const ENCODING_ZSTD: &str = "zstd";
/// Answers below this size go as they are.
pub const COMPRESS_FROM_BYTES: usize = 512;
/// What a handheld's processor does faster than its radio sends.
const LEVEL: i32 = 3;
/// Largest window a frame may ask memory for: 4 MiB, the largest push.
const WINDOW_LOG_MAX: u32 = 22;
/// Id of [`PUSH_1`], from the private range.
const PUSH_1_ID: u32 = 32_769;

static PUSH_1: &[u8] = include_bytes!("../../assets/push-1.dict");

/// Why a body cannot be opened.
#[derive(Debug, Error)]
pub enum EncodingError {
    /// Opened, it would be over the limit.
    #[error("body is larger than {0} bytes when opened")]
    TooLarge(usize),
    /// Of a later program.
    #[error("zstd dictionary {0} is not known")]
    UnknownDictionary(u32),
    /// Not a zstd frame, or one that asks for too much memory.
    #[error("body is no usable zstd frame: {0}")]
    Broken(#[from] io::Error),
}

fn encoder() -> &'static EncoderDictionary<'static> {
    static MADE: OnceLock<EncoderDictionary<'static>> = OnceLock::new();
    MADE.get_or_init(|| EncoderDictionary::copy(PUSH_1, LEVEL))
}

fn decoder() -> &'static DecoderDictionary<'static> {
    static MADE: OnceLock<DecoderDictionary<'static>> = OnceLock::new();
    MADE.get_or_init(|| DecoderDictionary::copy(PUSH_1))
}

/// Returns `bytes` compressed; `with_dictionary` only where the other end is known to know it.
/// A new block begins at `block_at`.
///
/// # Errors
/// If there is no memory for it.
pub fn compress(bytes: &[u8], block_at: usize, with_dictionary: bool) -> io::Result<Vec<u8>> {
    let out = Vec::with_capacity(bytes.len() / 2);
    let mut frame = if with_dictionary {
        Encoder::with_prepared_dictionary(out, encoder())?
    } else {
        Encoder::new(out, LEVEL)?
    };
    frame.set_pledged_src_size(u64::try_from(bytes.len()).ok())?;
    let (first, second) = bytes.split_at_checked(block_at).unwrap_or((bytes, &[]));
    frame.write_all(first)?;
    if !second.is_empty() {
        frame.flush()?;
        frame.write_all(second)?;
    }
    frame.finish()
}

/// Returns the bytes in `frames`; stops at `max`, whatever the frames promise.
///
/// # Errors
/// [`EncodingError`].
pub fn decompress(frames: &[u8], max: usize) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    match zstd::zstd_safe::get_dict_id_from_frame(frames).map(u32::from) {
        None => {
            let mut opened = Decoder::with_buffer(frames)?;
            opened.window_log_max(WINDOW_LOG_MAX)?;
            read(opened, max, &mut bytes)?;
        }
        Some(PUSH_1_ID) => {
            let mut opened = Decoder::with_prepared_dictionary(frames, decoder())?;
            opened.window_log_max(WINDOW_LOG_MAX)?;
            read(opened, max, &mut bytes)?;
        }
        Some(other) => return Err(EncodingError::UnknownDictionary(other)),
    }
    Ok(bytes)
}

fn read(from: impl Read, max: usize, to: &mut Vec<u8>) -> Result<(), EncodingError> {
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    from.take(limit).read_to_end(to)?;
    if to.len() > max { Err(EncodingError::TooLarge(max)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_with_and_without_the_dictionary() {
        let text = b"inspection_begun checklist_answered ".repeat(50);
        for with in [false, true] {
            for block_at in [0, 1, 700, text.len(), text.len() + 1] {
                let frame = compress(&text, block_at, with).unwrap();
                assert_eq!(decompress(&frame, text.len()).unwrap(), text);
                let cut = decompress(&frame, text.len() - 1);
                assert!(matches!(cut, Err(EncodingError::TooLarge(_))));
                let half = decompress(&frame[..frame.len() / 2], text.len());
                assert!(matches!(half, Err(EncodingError::Broken(_))), "{half:?}");
            }
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        // 64 MiB of zeros in a few KiB, and the same once more behind it.
        let bomb = compress(&vec![0; 1 << 26], 0, false).unwrap().repeat(2);
        assert!(bomb.len() < 50_000, "{}", bomb.len());
        assert!(matches!(decompress(&bomb, 4 << 20), Err(EncodingError::TooLarge(_))));
    }

    #[test]
    fn a_frame_cannot_ask_for_a_large_window() {
        let mut greedy = Encoder::new(Vec::new(), 3).unwrap();
        greedy.window_log(27).unwrap();
        greedy.write_all(b"small").unwrap();
        let greedy = greedy.finish().unwrap();
        assert!(matches!(decompress(&greedy, 1 << 20), Err(EncodingError::Broken(_))));
    }

    #[test]
    fn the_dictionary_is_the_released_one() {
        use crate::hash::Hash;
        assert!(PUSH_1.len() <= 64 * 1024);
        assert_eq!(PUSH_1[4..8], PUSH_1_ID.to_le_bytes());
        // Frames made with it lie in gateways and tests: it never changes.
        assert_eq!(
            Hash::of(PUSH_1).hex(),
            "4409eeabd59914fec73396b1af60ae9d2cdb9bcafebb0bd83bcb2bc42bf2f166"
        );
        let later = [&[0x28, 0xb5, 0x2f, 0xfd, 0x22][..], &[9, 200, 5, 0, 0, 0]].concat();
        assert!(matches!(decompress(&later, 10), Err(EncodingError::UnknownDictionary(_))));
    }
}
