//! The only code that mentions the HTTP client: signed requests, bounded replies, problems.

use std::io::Read;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::blocking::{Client, Response};
use reqwest::{Method, StatusCode};
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

/// How long to wait for a connection, and for each read of a reply.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest problem reply.
const PROBLEM_BYTES_MAX: usize = 64 * 1024;

/// Talks to one HQ.
pub struct HqClient {
    base: String,
    client: Client,
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
        let client = Client::builder()
            .connect_timeout(patience)
            .timeout(patience)
            // HQ is named in the device's own settings; a proxy in between would see bodies.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| SyncError::Unreachable(describe(&error)))?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), client })
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
        let call = Call::new(Method::POST, path, &body);
        decode(self.send(device, key, call)?)
    }

    /// Sends a signed request; problems come back as errors.
    pub(super) fn send(
        &self,
        device: Option<DeviceId>,
        key: &dyn Signer,
        call: Call<'_>,
    ) -> Result<Response, SyncError> {
        let path = format!("{PREFIX}{}", call.path);
        let statement = RequestStatement {
            device,
            method: call.method.as_str().to_owned(),
            path: path.clone(),
            body: Hash::of(call.body),
            nonce: random::bytes(),
        };
        let signed = canonical::to_bytes(&statement)
            .map_err(cose::CoseError::from)
            .and_then(|payload| cose::sign(Context::Request, &payload, key))
            .map_err(|error| SyncError::Garbage(format!("own request: {error}")))?;
        let mut request = self
            .client
            .request(call.method, format!("{}{path}", self.base))
            .header(HEADER_REQUEST, STANDARD.encode(signed))
            .header("content-type", MEDIA_CBOR)
            .body(call.body.to_vec());
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        let response = request.send().map_err(|error| SyncError::Unreachable(describe(&error)))?;
        let status = response.status();
        if status.is_success() { Ok(response) } else { Err(problem(status, response)) }
    }
}

/// Returns the canonical reply in `response`.
pub(super) fn decode<R: DeserializeOwned>(response: Response) -> Result<R, SyncError> {
    let bytes = read_bounded(response, FEED_BYTES_MAX)?;
    canonical::from_bytes(&bytes, FEED_BYTES_MAX)
        .map_err(|error| SyncError::Garbage(error.to_string()))
}

fn read_bounded(response: Response, max: usize) -> Result<Vec<u8>, SyncError> {
    let expected = response.content_length();
    let mut bytes = Vec::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    response
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| SyncError::Unreachable(format!("reply cut: {error}")))?;
    if bytes.len() > max {
        return Err(SyncError::Garbage(format!("reply over {max} bytes")));
    }
    let whole = expected.is_none_or(|expected| u64::try_from(bytes.len()) == Ok(expected));
    if whole { Ok(bytes) } else { Err(SyncError::Unreachable("reply cut".to_owned())) }
}

fn problem(status: StatusCode, response: Response) -> SyncError {
    let bytes = match read_bounded(response, PROBLEM_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) => return error,
    };
    match canonical::from_bytes::<Problem>(&bytes, PROBLEM_BYTES_MAX) {
        Ok(problem) => SyncError::Problem(problem),
        // A proxy's or a broken server's error page is no answer of HQ.
        Err(_) if status.is_server_error() => {
            SyncError::Unreachable(format!("status {}", status.as_u16()))
        }
        Err(_) => SyncError::Garbage(format!("status {}", status.as_u16())),
    }
}

/// Returns the chain of causes without the address, which may carry ids.
fn describe(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "no connection"
    } else {
        "connection broke"
    }
    .to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
