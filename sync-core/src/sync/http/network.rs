//! The transport of the field: HTTP over the network. The only code that mentions the HTTP client.

use std::io::Read;
use std::time::Duration;

use reqwest::blocking::{Client, Response};

use super::PROBLEM_BYTES_MAX;
use super::tls::is_untrusted;
use super::transport::{Exchange, Method, Reply, Transport};
use crate::error::SyncError;

/// HTTP to one address.
pub(super) struct Network {
    base: String,
    client: Client,
}

impl Network {
    /// Returns the transport to `base`, which waits no longer than `patience` for each step.
    pub(super) fn new(
        base: &str,
        patience: Duration,
        tls: Option<rustls::ClientConfig>,
    ) -> Result<Self, SyncError> {
        let client = match tls {
            Some(tls) => Client::builder().tls_backend_preconfigured(tls).https_only(true),
            None => Client::builder(),
        };
        let client = client
            .connect_timeout(patience)
            .timeout(patience)
            // HQ is named in the device's own settings; a proxy in between would see bodies.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self { base: base.to_owned(), client })
    }
}

impl Transport for Network {
    fn call(&self, exchange: Exchange) -> Result<Reply, SyncError> {
        let method = match exchange.method {
            Method::Get => reqwest::Method::GET,
            Method::Head => reqwest::Method::HEAD,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
        };
        let mut request = self
            .client
            .request(method, format!("{}{}", self.base, exchange.path))
            .body(exchange.body);
        for (name, value) in exchange.headers {
            request = request.header(name, value);
        }
        let response = request.send().map_err(|error| failed(&error))?;
        let status = response.status();
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let max = if status.is_success() { exchange.reply_max } else { PROBLEM_BYTES_MAX };
        let body = match exchange.method {
            // States the length of what it does not send.
            Method::Head => Vec::new(),
            _ => read_bounded(response, max)?,
        };
        Ok(Reply { status: status.as_u16(), headers, body })
    }
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

fn failed(error: &reqwest::Error) -> SyncError {
    let text = describe(error);
    if is_untrusted(error) { SyncError::Untrusted(text) } else { SyncError::Unreachable(text) }
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
