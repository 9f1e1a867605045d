//! HTTP: turns requests into calls of plain functions and their results into canonical CBOR.
//!
//! Nothing is decided here. Work that touches the disk runs on blocking threads.

mod blob;
mod check;
mod desk;
mod encoding;
mod intake;
mod log;
mod open;
mod operate;
mod pace;
mod partner;
mod rulebook;
mod sync;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sync_model::canonical;
use sync_model::wire::encoding::ENCODING_ZSTD;
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::{HEADER_PROTOCOL, HEADER_REQUEST, MEDIA_CBOR, PREFIX};
use tokio::time::Instant;

use crate::auth::Call;
use crate::error::{HqError, refuse};
use crate::hq::Hq;

pub(crate) use intake::Intake;
pub(crate) use operate::{Peer, operator_router};

/// When to come back, in seconds, if HQ's disk is full: somebody has to make room.
const FULL_AGAIN_S: u32 = 60;

/// Returns every route of HQ.
pub(crate) fn router(hq: Hq) -> Router {
    // No nesting: it would hide the first part of the path, which the device signed.
    let at = |path: &str| format!("{PREFIX}{path}");
    Router::new()
        .route("/", get(open::page))
        .merge(check::routes())
        .merge(desk::routes())
        .merge(log::routes())
        .merge(operate::routes())
        .route(&at("/health"), get(operate::health))
        .route(&at("/enroll"), post(sync::enroll))
        .route(&at("/activate"), post(sync::activate))
        .route(&at("/push"), post(sync::push))
        .route(&at("/feed"), get(sync::feed))
        .route(&at("/rulebook/{hash}"), get(rulebook::rulebook))
        .route(&at("/audit"), post(partner::audit))
        .route(&at("/partner"), post(partner::custody))
        .route(&at("/blobs/need"), post(blob::need))
        .route(&at("/blobs/{sha256}"), get(blob::give).head(blob::state).patch(blob::take))
        .route(&at("/log/checkpoint"), get(open::checkpoint))
        .route(&at("/log/consistency"), get(open::consistency))
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
        .layer(from_fn_with_state(hq.clone(), watch))
        .with_state(hq)
}

/// Counts and logs each request by its route's template: never paths, names or bodies.
async fn watch(State(hq): State<Hq>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PATCH") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let stated = request.headers().get(header::CONTENT_LENGTH);
    let bytes_in = stated.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0_u64);
    let mut response = next.run(request).await;
    response.headers_mut().insert(HEADER_PROTOCOL, HeaderValue::from(encoding::PROTOCOL));
    let (status, took) = (response.status().as_u16(), started.elapsed());
    let stated = axum::body::HttpBody::size_hint(response.body()).exact();
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(target: "hq::request", method, route, status, ms, bytes_in, bytes_out = stated);
    hq.0.metrics.answered(&route, status, took.as_secs_f64());
    response
}

async fn not_found() -> Response {
    problem(&Problem::new(ProblemCode::NotFound, "nothing at this path"))
}

/// An answer that is not a problem.
struct Answer {
    media: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn cbor<T: Serialize>(value: &T) -> Result<Self, HqError> {
        let body = canonical::to_bytes(value)?;
        Ok(Self { media: MEDIA_CBOR.to_owned(), headers: Vec::new(), body })
    }
}

/// Reads the request, runs `work` on a blocking thread and answers with what it returns.
async fn answer<F>(hq: State<Hq>, request: Request, body_max: usize, work: F) -> Response
where
    F: FnOnce(&Hq, &Call, &HeaderMap) -> Result<Answer, HqError> + Send + 'static,
{
    let State(hq) = hq;
    let (parts, body) = request.into_parts();
    let received = match intake::receive(&hq, &parts.headers, body, body_max).await {
        Ok(received) => received,
        Err(error) => return failed(&hq, &error),
    };
    let place = match hq.0.intake.place() {
        Ok(place) => place,
        Err(error) => return failed(&hq, &error),
    };
    let text = |name: &str| {
        parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let call = Call {
        method: parts.method.to_string(),
        path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        statement: text(HEADER_REQUEST),
        media: text(header::CONTENT_TYPE.as_str()),
        encoding: text(header::CONTENT_ENCODING.as_str()),
        body: received.bytes,
    };
    let reads_zstd = encoding::reads_zstd(&parts.headers);
    let (worker, under_way) = (hq.clone(), hq.0.metrics.under_way.clone());
    under_way.inc();
    let worked = tokio::task::spawn_blocking(move || {
        // Room and place are given back when the work is done, whoever went away meanwhile.
        let _held = (place, received.room);
        let answered = work(&worker, &call, &parts.headers)?;
        let smaller =
            reads_zstd.then(|| encoding::smaller(&answered.media, &answered.body)).flatten();
        Ok(match smaller {
            Some(body) => {
                let mut headers = answered.headers;
                headers.push((header::CONTENT_ENCODING.as_str(), ENCODING_ZSTD.to_owned()));
                Answer { body, headers, ..answered }
            }
            None => answered,
        })
    })
    .await;
    under_way.dec();
    match worked {
        Ok(Ok(answer)) => succeeded(answer),
        Ok(Err(error)) => failed(&hq, &error),
        // A panic ends one request and no other.
        Err(error) => {
            tracing::error!(%error, "request panicked");
            problem(&Problem::new(ProblemCode::Internal, "see HQ's log"))
        }
    }
}

/// Returns the body as the wanted type.
fn body<T: DeserializeOwned>(call: &Call, max: usize) -> Result<T, HqError> {
    canonical::from_bytes(&call.opened(max)?, max)
        .map_err(|error| refuse(ProblemCode::Malformed, &error.to_string()))
}

fn succeeded(answer: Answer) -> Response {
    let mut response = Response::builder().header(header::CONTENT_TYPE, answer.media);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap_or_else(|_| broken())
}

fn failed(hq: &Hq, error: &HqError) -> Response {
    let mut told = error.problem();
    told.retry_after_s = told.retry_after_s.or(match told.code {
        ProblemCode::Busy => Some(hq.0.intake.come_back_s()),
        ProblemCode::Full => Some(FULL_AGAIN_S),
        _ => None,
    });
    hq.0.metrics.refused(told.code);
    match error {
        HqError::Problem(problem) => tracing::debug!(code = ?problem.code, "request refused"),
        other => tracing::error!(error = %other, "request failed"),
    }
    problem(&told)
}

fn problem(problem: &Problem) -> Response {
    let body = canonical::to_bytes(problem).unwrap_or_default();
    let mut response =
        Response::builder().status(problem.status()).header(header::CONTENT_TYPE, MEDIA_CBOR);
    if let Some(seconds) = problem.retry_after_s {
        response = response.header(header::RETRY_AFTER, seconds);
    }
    response.body(Body::from(body)).unwrap_or_else(|_| broken())
}

/// An answer for a response that could not be built, for example for a media type that is no
/// header value.
fn broken() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
