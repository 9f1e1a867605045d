//! The log for everybody: its static files as C2SP `tlog-tiles` lays them out, proofs, and this HQ
//! as a witness of others (C2SP `tlog-witness`).

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;
use axum::routing::{get, post};
use sync_model::log::tile::Tile;
use sync_model::log::witness::ADD_CHECKPOINT_BYTES_MAX;
use sync_model::wire::problem::ProblemCode;

use super::sync::number;
use super::{Answer, answer};
use crate::error::refuse;
use crate::hq::Hq;
use crate::witness::Witnessed;

const PREFIX: &str = "/log/v1/";
const TEXT: &str = "text/plain; charset=utf-8";
/// Carries the status from the work to the response, and never leaves this file.
const STATUS: &str = "witness-status";
/// A name stands for one content for ever.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

pub(super) fn routes() -> Router<Hq> {
    Router::new()
        .route("/log/v1/checkpoint", get(checkpoint))
        .route("/log/v1/tile/{*path}", get(tile))
        .route("/log/v1/inclusion", get(inclusion))
        .route("/witness/v1/add-checkpoint", post(add_checkpoint))
}

async fn checkpoint(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, _, _| {
        let note = hq.published_checkpoint()?;
        Ok(file(TEXT, "no-cache", note.into_bytes()))
    })
    .await
}

async fn tile(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, call, _| {
        let path = call.path.strip_prefix(PREFIX).unwrap_or_default();
        let none = || refuse(ProblemCode::NotFound, "no such file in the log");
        let tile = Tile::parse(path).ok_or_else(none)?;
        let bytes = hq.log_file(&tile)?.ok_or_else(none)?;
        Ok(file("application/octet-stream", IMMUTABLE, bytes))
    })
    .await
}

async fn inclusion(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, call, _| {
        let index = number(&call.path, "index")?
            .ok_or_else(|| refuse(ProblemCode::Malformed, "index is missing"))?;
        Answer::cbor(&hq.log_inclusion(index, number(&call.path, "size")?)?)
    })
    .await
}

async fn add_checkpoint(hq: State<Hq>, request: Request) -> Response {
    let mut response = answer(hq, request, ADD_CHECKPOINT_BYTES_MAX, |hq, call, _| {
        let body = std::str::from_utf8(&call.body)
            .map_err(|_| refuse(ProblemCode::Malformed, "not a text"))?;
        Ok(witnessed(hq.add_checkpoint(body)?))
    })
    .await;
    // The standard says by the status what a witness answers; none of them is a problem of HQ's.
    let status = response.headers_mut().remove(STATUS);
    let status = status.and_then(|status| StatusCode::from_bytes(status.as_bytes()).ok());
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    response
}

fn witnessed(answer: Witnessed) -> Answer {
    let (status, media, text) = match answer {
        Witnessed::Cosigned(line) => ("200", TEXT, line),
        Witnessed::Elsewhere(size) => ("409", "text/x.tlog.size", format!("{size}\n")),
        Witnessed::UnknownLog => ("404", TEXT, "this log is not watched here\n".to_owned()),
        Witnessed::NotSigned => ("403", TEXT, "the log's key did not sign this\n".to_owned()),
        Witnessed::NotGrown => ("422", TEXT, "the proof does not hold\n".to_owned()),
        Witnessed::Malformed => ("400", TEXT, "not a request\n".to_owned()),
    };
    let headers = vec![(STATUS, status.to_owned())];
    Answer { media: media.to_owned(), headers, body: text.into_bytes() }
}

fn file(media: &str, cache: &str, body: Vec<u8>) -> Answer {
    let headers = vec![(CACHE_CONTROL.as_str(), cache.to_owned())];
    Answer { media: media.to_owned(), headers, body }
}
