//! What HQ answers when it cannot do what was asked.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use thiserror::Error;

/// The closed list of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// The body is not what the path takes; sending it again will not help.
    Malformed,
    /// Over a limit.
    TooLarge,
    /// The body's media type, encoding or dictionary is not known here; the plain form is. Told
    /// only to devices that sent another form than the plain one.
    Unsupported,
    /// The device's protocol is too old to be fed. Never said of a push.
    TooOld,
    /// The one-time code is unknown, used or expired.
    BadCode,
    /// The request's signature or device is not known.
    NotAuthentic,
    /// The device's authority to send was withdrawn.
    Revoked,
    /// Records are missing before these; send from `expected_seq`.
    Gap,
    /// Another record stands at this seq: the device was copied or restored.
    Fork,
    /// A record cannot be attributed: signature, chain or form.
    BadRecord,
    /// A chunk or blob does not match its hash.
    BadDigest,
    /// The chunk does not start where HQ stands; go on from `expected_offset`.
    BadOffset,
    /// No record cites such a file.
    UnknownBlob,
    /// Nothing at this path.
    NotFound,
    /// HQ cannot just now; ask again.
    Busy,
    /// HQ's disk is full; ask again later.
    Full,
    /// HQ failed; ask again.
    Internal,
}

/// A problem reply.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{code:?}: {message}")]
pub struct Problem {
    /// Which.
    pub code: ProblemCode,
    /// For the log; English.
    pub message: String,
    /// For [`ProblemCode::Gap`].
    pub expected_seq: Option<u64>,
    /// For [`ProblemCode::BadOffset`].
    pub expected_offset: Option<u64>,
    /// For [`ProblemCode::BadRecord`] and [`ProblemCode::Fork`]: which seq.
    pub seq: Option<u64>,
    /// For [`ProblemCode::Revoked`]: HQ's signed word for what it keeps all the same
    /// ([`crate::wire::custody::KeptApart`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<ByteBuf>,
    /// For problems that pass: seconds until it is worth asking again. Also the HTTP header of that
    /// name, which a gateway may set where HQ said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

impl Problem {
    /// Returns a problem without details.
    #[must_use]
    pub fn new(code: ProblemCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            expected_seq: None,
            expected_offset: None,
            seq: None,
            kept: None,
            retry_after_s: None,
        }
    }

    /// Returns the HTTP status that carries it.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.code {
            ProblemCode::Malformed | ProblemCode::BadRecord => 422,
            ProblemCode::TooLarge => 413,
            ProblemCode::Unsupported => 415,
            ProblemCode::TooOld => 426,
            ProblemCode::BadCode | ProblemCode::NotAuthentic => 401,
            ProblemCode::Revoked => 403,
            ProblemCode::Gap | ProblemCode::Fork | ProblemCode::BadOffset => 409,
            ProblemCode::BadDigest => 460,
            ProblemCode::UnknownBlob | ProblemCode::NotFound => 404,
            ProblemCode::Busy => 503,
            ProblemCode::Full => 507,
            ProblemCode::Internal => 500,
        }
    }

    /// Says whether asking again later can help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.code, ProblemCode::Busy | ProblemCode::Full | ProblemCode::Internal)
    }
}
