//! Signed requests to HQ and what its answers mean.

mod form;
mod network;
mod tls;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sync_model::canonical;
use sync_model::cose::{self, Context, Signer};
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::wire::encoding::{ENCODING_ZSTD, decompress};
use sync_model::wire::problem::Problem;
use sync_model::wire::push::{PushRequest, Receipt};
use sync_model::wire::request::RequestStatement;
use sync_model::wire::{FEED_BYTES_MAX, HEADER_PROTOCOL, HEADER_REQUEST, MEDIA_CBOR, PREFIX};

use crate::clock::SystemClock;
use crate::error::{StoreError, SyncError};
use crate::random;
use crate::store::{Store, TrustedTime};

use form::Forms;
use network::Network;
pub use transport::{Exchange, Method, Reply, Transport};

/// How long to wait for a connection, and for each read of a reply.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest problem reply.
const PROBLEM_BYTES_MAX: usize = 64 * 1024;
/// Protocol versions this program speaks.
const PROTOCOLS: &str = "1-2";
/// In the data folder: authorities for HQ's TLS certificate, put there before enrolment or to
/// replace one that HQ lost. PEM.
pub const AUTHORITY_FILE: &str = "hq-ca.pem";
/// Largest authority file.
const AUTHORITY_BYTES_MAX: u64 = 256 * 1024;

/// Talks to one HQ.
pub struct HqClient {
    base: String,
    transport: Box<dyn Transport>,
    forms: Forms,
}

/// One request before it is signed.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: &'a [u8],
    /// Media type of the body.
    media: &'static str,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, path: impl Into<String>, body: &'a [u8]) -> Self {
        Self { method, path: path.into(), headers: vec![], body, media: MEDIA_CBOR }
    }
}

impl HqClient {
    /// Returns a client for HQ at `base`, for example `https://hq.example:8443`, which trusts what
    /// the system trusts, by the time this program was built.
    ///
    /// # Errors
    /// [`SyncError::Unreachable`] if the system gives no TLS or socket support.
    pub fn new(base: &str) -> Result<Self, SyncError> {
        let time = TrustedTime::since_build(Arc::new(SystemClock::new()));
        Self::trusting(base, &[], time, PATIENCE)
    }

    /// Returns a client for HQ at `base` which trusts the authority that came with enrolment and
    /// those in [`AUTHORITY_FILE`], or the system's where there are none, by the time that HQ told
    /// this device.
    ///
    /// # Errors
    /// [`SyncError`].
    pub fn of(store: &Store, base: &str) -> Result<Self, SyncError> {
        Self::trusting(base, &authorities(store)?, store.trusted_time()?, PATIENCE)
    }

    /// Returns a client that trusts the `authorities` (PEM) alone, or the system's if there are
    /// none, and waits no longer than `patience` for each step.
    ///
    /// # Errors
    /// [`SyncError`].
    pub fn trusting(
        base: &str,
        authorities: &[String],
        time: TrustedTime,
        patience: Duration,
    ) -> Result<Self, SyncError> {
        let base = base.trim_end_matches('/');
        let tls = base.starts_with("https://").then(|| tls::config(authorities, time));
        let network = Network::new(base, patience, tls.transpose()?)?;
        Ok(Self::over(base, Box::new(network)))
    }

    /// Returns a client whose requests go over `transport`; `base` is only the name of HQ.
    #[must_use]
    pub fn over(base: &str, transport: Box<dyn Transport>) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { base, transport, forms: Forms::default() }
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

    /// Sends records in the newest form that HQ takes; returns the receipt as it came, and the hash
    /// of the request it answers.
    pub(super) fn push(
        &self,
        device: DeviceId,
        key: &dyn Signer,
        request: &PushRequest,
    ) -> Result<(Receipt, Hash), SyncError> {
        loop {
            let form = self.forms.current();
            let formed = form.of(request)?;
            let mut call = Call::new(Method::Post, "/push", &formed.body);
            call.media = formed.media;
            if let Some(encoding) = formed.encoding {
                call.headers.push(("content-encoding", encoding.to_owned()));
            }
            let (reply, asked) = self.call(Some(device), key, call)?;
            if reply.is_success() {
                return Ok((decode(&reply)?, asked));
            }
            if !self.forms.learn(form, &reply) {
                return Err(problem(&reply));
            }
        }
    }

    /// Sends a signed request; problems come back as errors.
    pub(super) fn send(
        &self,
        device: Option<DeviceId>,
        key: &dyn Signer,
        call: Call<'_>,
    ) -> Result<Reply, SyncError> {
        let (reply, _) = self.call(device, key, call)?;
        if reply.is_success() { Ok(reply) } else { Err(problem(&reply)) }
    }

    fn call(
        &self,
        device: Option<DeviceId>,
        key: &dyn Signer,
        call: Call<'_>,
    ) -> Result<(Reply, Hash), SyncError> {
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
        let asked = Hash::of(&signed);
        let mut headers = call.headers;
        headers.push((HEADER_REQUEST, STANDARD.encode(signed)));
        headers.push((HEADER_PROTOCOL, PROTOCOLS.to_owned()));
        headers.push(("accept-encoding", ENCODING_ZSTD.to_owned()));
        headers.push(("content-type", call.media.to_owned()));
        let reply = self.transport.call(Exchange {
            method: call.method,
            path,
            headers,
            body: call.body.to_vec(),
            reply_max: FEED_BYTES_MAX,
        })?;
        Ok((opened(reply)?, asked))
    }
}

/// Returns the authorities that this device takes HQ's certificate from.
fn authorities(store: &Store) -> Result<Vec<String>, SyncError> {
    use std::io::Read as _;
    let enrollment = store.read(|r| r.enrollment())?;
    let mut found: Vec<String> = enrollment.and_then(|one| one.trust.tls_ca).into_iter().collect();
    match std::fs::File::open(store.folder().join(AUTHORITY_FILE)) {
        Ok(file) => {
            let mut text = String::new();
            file.take(AUTHORITY_BYTES_MAX)
                .read_to_string(&mut text)
                .map_err(StoreError::io("read hq-ca.pem"))?;
            found.push(text);
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::io("open hq-ca.pem")(error).into()),
    }
    Ok(found)
}

/// Returns `reply` without its compression.
fn opened(mut reply: Reply) -> Result<Reply, SyncError> {
    match reply.header("content-encoding") {
        None | Some("identity") => Ok(reply),
        Some(ENCODING_ZSTD) => {
            let max = if reply.is_success() { FEED_BYTES_MAX } else { PROBLEM_BYTES_MAX };
            reply.body = decompress(&reply.body, max)
                .map_err(|error| SyncError::Garbage(error.to_string()))?;
            Ok(reply)
        }
        Some(_) => Err(SyncError::Garbage("reply in an encoding nobody asked for".to_owned())),
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
