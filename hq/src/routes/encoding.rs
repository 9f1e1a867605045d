//! Forms of bodies: which one a device sent, which one it can read, which protocol both speak.
//!
//! HQ takes every form ever released and never refuses a push for its age.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};
use sync_model::canonical;
use sync_model::wire::encoding::{
    COMPRESS_FROM_BYTES, ENCODING_ZSTD, EncodingError, compress, decompress,
};
use sync_model::wire::pack::{self, MEDIA_PACKED, PackError};
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::PushRequest;
use sync_model::wire::{
    HEADER_PROTOCOL, MEDIA_CBOR, PROTOCOL_PACKED, PROTOCOL_PLAIN, PUSH_BYTES_MAX,
};

use crate::auth::Call;
use crate::error::{HqError, refuse};

/// Oldest protocol that HQ feeds.
const FEED_PROTOCOL_MIN: u16 = PROTOCOL_PLAIN;
/// Newest protocol that HQ speaks.
pub(super) const PROTOCOL: u16 = PROTOCOL_PACKED;

impl Call {
    /// Returns the body without its compression. Only for bodies whose sender was checked.
    pub(super) fn opened(&self, max: usize) -> Result<Cow<'_, [u8]>, HqError> {
        match self.encoding.as_deref() {
            None | Some("identity") => Ok(Cow::Borrowed(&self.body)),
            Some(ENCODING_ZSTD) => {
                decompress(&self.body, max).map(Cow::Owned).map_err(|error| match error {
                    EncodingError::TooLarge(_) => {
                        refuse(ProblemCode::TooLarge, "body is too large when opened")
                    }
                    EncodingError::UnknownDictionary(_) => {
                        refuse(ProblemCode::Unsupported, &error.to_string())
                    }
                    EncodingError::Broken(_) => refuse(ProblemCode::Malformed, &error.to_string()),
                })
            }
            Some(_) => Err(refuse(ProblemCode::Unsupported, "content-encoding is not known")),
        }
    }
}

/// Returns the push in the body, packed or plain.
pub(super) fn push(call: &Call) -> Result<PushRequest, HqError> {
    let bytes = call.opened(PUSH_BYTES_MAX)?;
    let malformed =
        |error: &dyn std::error::Error| refuse(ProblemCode::Malformed, &error.to_string());
    match call.media.as_deref() {
        Some(MEDIA_PACKED) => pack::unpack(&bytes).map_err(|error| match error {
            PackError::TooLarge => refuse(ProblemCode::TooLarge, "push is too large when opened"),
            other => malformed(&other),
        }),
        // The first devices named this type; anything unknown is tried as what they sent.
        None | Some(MEDIA_CBOR) => {
            canonical::from_bytes(&bytes, PUSH_BYTES_MAX).map_err(|error| malformed(&error))
        }
        Some(_) => Err(refuse(ProblemCode::Unsupported, "content-type is not known")),
    }
}

/// Refuses to feed a device that could not read what it would get. Its pushes are taken all the
/// same.
pub(super) fn refuse_too_old(headers: &HeaderMap) -> Result<(), HqError> {
    let Some(range) = headers.get(HEADER_PROTOCOL).and_then(|value| value.to_str().ok()) else {
        return Ok(());
    };
    let newest = range.rsplit('-').next().and_then(|text| text.trim().parse::<u16>().ok());
    let newest =
        newest.ok_or_else(|| refuse(ProblemCode::Malformed, "protocol is a range like 1-2"))?;
    if newest < FEED_PROTOCOL_MIN {
        return Err(refuse(ProblemCode::TooOld, "program is too old for this feed"));
    }
    Ok(())
}

/// Says whether whoever asks can read zstd.
pub(super) fn reads_zstd(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(',')).any(|one| {
        let (name, quality) = one.split_once(';').unwrap_or((one, ""));
        name.trim().eq_ignore_ascii_case(ENCODING_ZSTD) && quality.trim() != "q=0"
    })
}

/// Returns `body` compressed where that makes it smaller.
pub(super) fn smaller(media: &str, body: &[u8]) -> Option<Vec<u8>> {
    if media != MEDIA_CBOR || body.len() < COMPRESS_FROM_BYTES {
        return None;
    }
    match compress(body, 0, false) {
        Ok(made) => Some(made).filter(|made| made.len() < body.len()),
        Err(error) => {
            // It goes as it is.
            tracing::warn!(%error, "answer could not be compressed");
            None
        }
    }
}
