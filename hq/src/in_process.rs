//! HQ as a function: one request in, one answer out, without a socket. For simulators and for
//! tests in which the network is not the matter.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use sync_model::wire::FEED_BYTES_MAX;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::error::HqError;
use crate::hq::Hq;
use crate::routes;

/// Every route of one HQ, answered on the caller's thread.
pub struct InProcess {
    router: Router,
    runtime: Runtime,
}

/// What HQ answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl InProcess {
    /// Returns `hq` as a function. Keeping it keeps HQ open, but takes no lock on its folder.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn new(hq: &Hq) -> Result<Self, HqError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(HqError::io("start runtime"))?;
        Ok(Self { router: routes::router(hq.clone()), runtime })
    }

    /// Answers one request exactly as the server does. Must not be called from async code.
    ///
    /// # Errors
    /// If the request has no HTTP form, or the answer is over [`FEED_BYTES_MAX`].
    pub fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Result<Answered, HqError> {
        let invalid = |error: &dyn std::error::Error| {
            HqError::io("call in process")(std::io::Error::other(error.to_string()))
        };
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(body)).map_err(|error| invalid(&error))?;
        self.runtime.block_on(async {
            let Ok(response) = self.router.clone().oneshot(request).await;
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, FEED_BYTES_MAX).await.map_err(|error| invalid(&error))?;
            let headers = parts
                .headers
                .iter()
                .filter_map(|(name, value)| {
                    Some((name.to_string(), value.to_str().ok()?.to_owned()))
                })
                .collect();
            Ok(Answered { status: parts.status.as_u16(), headers, body: body.into() })
        })
    }
}
