//! For whoever runs HQ: does the process live, can it take work, what has it counted.
//!
//! `/metrics` is answered to this machine alone, or on the address of `--metrics-listen`.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use axum::routing::get;
use sync_model::wire::problem::{Problem, ProblemCode};

use super::open::text;
use super::{answer, not_found, problem};
use crate::error::{HqError, refuse};
use crate::hq::Hq;

/// Written and written again to see whether files can be.
const PROBE: &str = "health/ready";
const PLAIN: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whom a connection comes from; the server puts it beside each request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

pub(super) fn routes() -> Router<Hq> {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(near_metrics))
}

/// Returns what is answered on the address of `--metrics-listen`.
pub(crate) fn operator_router(hq: Hq) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .fallback(not_found)
        .with_state(hq)
}

/// Answers without asking anything else: a full disk is no reason to restart the process.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

async fn ready(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, _, _| {
        hq.ready()?;
        Ok(text(PLAIN, "ready\n"))
    })
    .await
}

async fn near_metrics(hq: State<Hq>, request: Request) -> Response {
    let near = request
        .extensions()
        .get::<Peer>()
        .is_some_and(|Peer(peer)| peer.ip().to_canonical().is_loopback());
    // A gateway on this machine comes from loopback too, for somebody else.
    let passed_on = [header::FORWARDED.as_str(), "x-forwarded-for", "x-real-ip", "via"];
    if !near || passed_on.iter().any(|name| request.headers().contains_key(*name)) {
        return not_found().await;
    }
    metrics(hq).await
}

async fn metrics(State(hq): State<Hq>) -> Response {
    let Ok(body) = hq.0.metrics.text() else {
        return problem(&Problem::new(ProblemCode::Internal, "see HQ's log"));
    };
    let mut response = Response::new(body.into());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(OPEN_METRICS));
    response
}

impl Hq {
    /// Checks that records and files can be taken: the store commits, the file folder is writable.
    ///
    /// # Errors
    /// [`ProblemCode::Busy`] or [`ProblemCode::Full`] with the part that does not work.
    pub(crate) fn ready(&self) -> Result<(), HqError> {
        let not = |part: &str, error: &HqError| {
            tracing::warn!(part, %error, "not ready");
            let code = error.problem().code;
            let code = if code == ProblemCode::Full { code } else { ProblemCode::Busy };
            refuse(code, &format!("{part} does not work"))
        };
        // An empty write waits in the same line as a push and commits like one.
        self.0.store.write::<_, HqError, _>(|_| Ok(())).map_err(|error| not("store", &error))?;
        self.0.objects.put(PROBE, b"ready".to_vec()).map_err(|error| not("files", &error))
    }
}
