//! The form in which a push goes up: the smallest that HQ is known to take.
//!
//! A device begins with the newest form. An HQ that does not know it says so or calls it malformed;
//! then the same records go in an older one, and this client keeps to it. The oldest is taken by
//! every HQ ever released, so nothing is ever refused for its form.

use std::sync::atomic::{AtomicU8, Ordering};

use sync_model::canonical::{self, CanonicalError};
use sync_model::wire::encoding::{ENCODING_ZSTD, compress};
use sync_model::wire::pack::{MEDIA_PACKED, pack};
use sync_model::wire::push::PushRequest;
use sync_model::wire::{HEADER_PROTOCOL, MEDIA_CBOR};

use super::transport::Reply;
use crate::error::SyncError;

/// From the newest to the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Packed, zstd with the dictionary.
    Dictionary,
    /// Packed, zstd.
    Packed,
    /// Canonical CBOR as it is.
    Plain,
}

/// What HQ is known not to take.
#[derive(Default)]
pub(super) struct Forms(AtomicU8);

impl Forms {
    pub(super) fn current(&self) -> Form {
        match self.0.load(Ordering::Relaxed) {
            0 => Form::Dictionary,
            1 => Form::Packed,
            _ => Form::Plain,
        }
    }

    /// Learns from an answer to a push in `form`; says whether to send it again in another.
    pub(super) fn learn(&self, form: Form, reply: &Reply) -> bool {
        let knows_forms = reply.header(HEADER_PROTOCOL).is_some();
        let next = match (form, reply.status) {
            (Form::Plain, _) => return false,
            (Form::Dictionary, 415) if knows_forms => 1,
            (_, 415) => 2,
            // Older than forms: what it cannot read is malformed to it.
            (_, 400 | 422) if !knows_forms => 2,
            _ => return false,
        };
        self.0.store(next, Ordering::Relaxed);
        true
    }
}

/// A body with what has to be said about it.
pub(super) struct Formed {
    pub(super) body: Vec<u8>,
    pub(super) media: &'static str,
    pub(super) encoding: Option<&'static str>,
}

impl Form {
    pub(super) fn of(self, request: &PushRequest) -> Result<Formed, SyncError> {
        let own = |error: &dyn std::error::Error| SyncError::Garbage(format!("own push: {error}"));
        let plain = || -> Result<Formed, CanonicalError> {
            Ok(Formed { body: canonical::to_bytes(request)?, media: MEDIA_CBOR, encoding: None })
        };
        if self == Self::Plain || request.records.is_empty() {
            return plain().map_err(|error| own(&error));
        }
        let packed = pack(request).map_err(|error| own(&error))?;
        let body = compress(&packed.bytes, packed.compressible, self == Self::Dictionary)
            .map_err(|error| own(&error))?;
        Ok(Formed { body, media: MEDIA_PACKED, encoding: Some(ENCODING_ZSTD) })
    }
}
