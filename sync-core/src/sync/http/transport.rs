//! What carries one request to HQ and its answer back: a network in the field, a function in a
//! simulator. Signing, problems and proofs stand above it and are the same over both.

use crate::error::SyncError;

/// The verbs of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Asks where HQ stands.
    Head,
    /// Sends.
    Post,
    /// Sends a part.
    Patch,
}

impl Method {
    /// Returns the name as it stands on the wire and in the signed statement.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Patch => "PATCH",
        }
    }
}

/// One request, signed and complete.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Verb.
    pub method: Method,
    /// Path with query, from the first `/`.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
    /// Most bytes of a body that answers with success.
    pub reply_max: usize,
}

/// One answer, whole.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Reply {
    /// Returns the first header of this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }

    /// Says whether HQ did what was asked.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Carries requests.
pub trait Transport: Send + Sync {
    /// Sends `exchange` and returns the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`SyncError::Unreachable`] if no whole answer came: HQ may or may not have acted on it.
    /// [`SyncError::Garbage`] if the answer is larger than allowed.
    fn call(&self, exchange: Exchange) -> Result<Reply, SyncError>;
}
