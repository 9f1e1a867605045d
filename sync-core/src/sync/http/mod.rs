//! Signed requests to HQ and what its answers mean.

mod network;
mod transport;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sync_model::canonical;
use sync_model::cose::{self, Context, Signer};
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::wire::problem::Problem;
use sync_model::wire::request::RequestStatement;
use sync_model::wire::{FEED_BYTES_MAX, HEADER_REQUEST, MEDIA_CBOR, PREFIX};

use crate::error::SyncError;
use crate::random;

use network::Network;
pub use transport::{Exchange, Method, Reply, Transport};

/// How long to wait for a connection, and for each read of a reply.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest problem reply.
const PROBLEM_BYTES_MAX: usize = 64 * 1024;

/// Talks to one HQ.
pub struct HqClient {
    base: String,
    transport: Box<dyn Transport>,
}

/// One request before it is signed.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: &'a [u8],
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, path: impl Into<String>, body: &'a [u8]) -> Self {
        Self { method, path: path.into(), headers: vec![], body }
    }
}

impl HqClient {
    /// Returns a client for HQ at `base`, for example `https://hq.example:8443`.
    ///
    /// # Errors
    /// [`SyncError::Unreachable`] if the system gives no TLS or socket support.
    pub fn new(base: &str) -> Result<Self, SyncError> {
        Self::with_patience(base, PATIENCE)
    }

    /// Returns a client that waits no longer than `patience` for each step.
    ///
    /// # Errors
    /// [`SyncError::Unreachable`].
    pub fn with_patience(base: &str, patience: Duration) -> Result<Self, SyncError> {
        let base = base.trim_end_matches('/');
        Ok(Self::over(base, Box::new(Network::new(base, patience)?)))
    }

    /// Returns a client whose requests go over `transport`; `base` is only the name of HQ.
    #[must_use]
    pub fn over(base: &str, transport: Box<dyn Transport>) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), transport }
    }

    /// Returns HQ's address.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends a canonical body and returns the canonical reply.
    pub(super) fn exchange<Q: Serialize, R: DeserializeOwned>(
        &self,
        device: Option<DeviceId>,
        key: &dyn Signer,
        path: &str,
        request: &Q,
    ) -> Result<R, SyncError> {
        let body = canonical::to_bytes(request)
            .map_err(|error| SyncError::Garbage(format!("own request: {error}")))?;
        let call = Call::new(Method::Post, path, &body);
        decode(&self.send(device, key, call)?)
    }

    /// Sends a signed request; problems come back as errors.
    pub(super) fn send(
        &self,
        device: Option<DeviceId>,
        key: &dyn Signer,
        call: Call<'_>,
    ) -> Result<Reply, SyncError> {
        let path = format!("{PREFIX}{}", call.path);
        let statement = RequestStatement {
            device,
            method: call.method.name().to_owned(),
            path: path.clone(),
            body: Hash::of(call.body),
            nonce: random::bytes(),
        };
        let signed = canonical::to_bytes(&statement)
            .map_err(cose::CoseError::from)
            .and_then(|payload| cose::sign(Context::Request, &payload, key))
            .map_err(|error| SyncError::Garbage(format!("own request: {error}")))?;
        let mut headers = call.headers;
        headers.push((HEADER_REQUEST, STANDARD.encode(signed)));
        headers.push(("content-type", MEDIA_CBOR.to_owned()));
        let reply = self.transport.call(Exchange {
            method: call.method,
            path,
            headers,
            body: call.body.to_vec(),
            reply_max: FEED_BYTES_MAX,
        })?;
        if reply.is_success() { Ok(reply) } else { Err(problem(&reply)) }
    }
}

/// Returns the canonical value in `reply`.
pub(super) fn decode<R: DeserializeOwned>(reply: &Reply) -> Result<R, SyncError> {
    canonical::from_bytes(&reply.body, FEED_BYTES_MAX)
        .map_err(|error| SyncError::Garbage(error.to_string()))
}

fn problem(reply: &Reply) -> SyncError {
    let status = reply.status;
    match canonical::from_bytes::<Problem>(&reply.body, PROBLEM_BYTES_MAX) {
        Ok(problem) => {
            let retry_after_s = problem.retry_after_s.or(retry_after_s(reply));
            SyncError::Problem(Problem { retry_after_s, ..problem })
        }
        // A proxy's or a broken server's error page is no answer of HQ.
        Err(_) if status >= 500 => SyncError::Unreachable(format!("status {status}")),
        Err(_) => SyncError::Garbage(format!("status {status}")),
    }
}

/// Reads `Retry-After` in seconds (RFC 9110, 10.2.3); its form with a date needs a right clock.
fn retry_after_s(reply: &Reply) -> Option<u32> {
    reply.header("retry-after")?.trim().parse().ok()
}
