//! HTTP: turns requests into calls of plain functions and their results into canonical CBOR.
//!
//! Nothing is decided here. Work that touches the disk runs on blocking threads.

mod blob;
mod check;
mod log;
mod open;
mod partner;
mod rulebook;
mod sync;

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sync_model::canonical;
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::{HEADER_REQUEST, MEDIA_CBOR, PREFIX};

use crate::auth::Call;
use crate::error::{HqError, refuse};
use crate::hq::Hq;

/// Longest time for one body: the largest push at a quarter of a megabit a second.
const BODY_WAIT: Duration = Duration::from_secs(150);

/// Returns every route of HQ.
pub(crate) fn router(hq: Hq) -> Router {
    // No nesting: it would hide the first part of the path, which the device signed.
    let at = |path: &str| format!("{PREFIX}{path}");
    Router::new()
        .route("/", get(open::page))
        .merge(check::routes())
        .merge(log::routes())
        .route("/health", get(open::health))
        .route(&at("/health"), get(open::health))
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
        .with_state(hq)
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
    let (parts, body) = request.into_parts();
    let body = match read(&parts.headers, body, body_max).await {
        Ok(body) => body,
        Err(error) => return failed(&error),
    };
    let path = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let call = Call {
        method: parts.method.to_string(),
        path,
        statement: parts
            .headers
            .get(HEADER_REQUEST)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        body: body.into(),
    };
    let State(hq) = hq;
    let worked = tokio::task::spawn_blocking(move || work(&hq, &call, &parts.headers)).await;
    match worked {
        Ok(Ok(answer)) => succeeded(answer),
        Ok(Err(error)) => failed(&error),
        // A panic ends one request and no other.
        Err(error) => {
            tracing::error!(%error, "request panicked");
            problem(&Problem::new(ProblemCode::Internal, "see HQ's log"))
        }
    }
}

/// Reads a body of at most `max` bytes; refuses a larger one before reading where it is stated.
async fn read(headers: &HeaderMap, body: Body, max: usize) -> Result<Bytes, HqError> {
    let too_large = || refuse(ProblemCode::TooLarge, "body is too large");
    let stated = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if stated.and_then(|text| text.parse().ok()).is_some_and(|stated: usize| stated > max) {
        return Err(too_large());
    }
    let read = tokio::time::timeout(BODY_WAIT, to_bytes(body, max)).await;
    let read = read.map_err(|_| refuse(ProblemCode::Busy, "body took too long"))?;
    read.map_err(|error| {
        let limit = std::error::Error::source(&error)
            .is_some_and(|source| source.to_string().contains("length limit"));
        if limit { too_large() } else { refuse(ProblemCode::Malformed, "body was cut") }
    })
}

/// Returns the body as the wanted type.
fn body<T: DeserializeOwned>(call: &Call, max: usize) -> Result<T, HqError> {
    canonical::from_bytes(&call.body, max)
        .map_err(|error| refuse(ProblemCode::Malformed, &error.to_string()))
}

fn succeeded(answer: Answer) -> Response {
    let mut response = Response::builder().header(header::CONTENT_TYPE, answer.media);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap_or_else(|_| broken())
}

fn failed(error: &HqError) -> Response {
    let told = error.problem();
    match error {
        HqError::Problem(problem) => tracing::debug!(code = ?problem.code, "request refused"),
        other => tracing::error!(error = %other, "request failed"),
    }
    problem(&told)
}

fn problem(problem: &Problem) -> Response {
    let body = canonical::to_bytes(problem).unwrap_or_default();
    Response::builder()
        .status(problem.status())
        .header(header::CONTENT_TYPE, MEDIA_CBOR)
        .body(Body::from(body))
        .unwrap_or_else(|_| broken())
}

/// An answer for a response that could not be built, for example for a media type that is no
/// header value.
fn broken() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
