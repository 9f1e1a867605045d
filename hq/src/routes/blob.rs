//! The blob plane.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use sync_model::hash::Hash;
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::NeedRequest;
use sync_model::wire::{
    CHUNK_BYTES_MAX, HEADER_CHUNK_SHA256, HEADER_LENGTH, HEADER_OFFSET, MEDIA_CBOR,
};

use super::{Answer, answer, body};
use crate::auth::Call;
use crate::blob::Chunk;
use crate::error::{HqError, refuse};
use crate::hq::Hq;

/// Largest question: 10,000 hashes.
const NEED_BYTES_MAX: usize = 512 * 1024;

pub(super) async fn need(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, NEED_BYTES_MAX, |hq, call, _| {
        // Evidence of held records may arrive after a revocation too.
        let device = hq.known_device(call)?;
        let request: NeedRequest = body(call, NEED_BYTES_MAX)?;
        Answer::cbor(&hq.need(&device, &request)?)
    })
    .await
}

pub(super) async fn state(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, call, _| {
        let device = hq.known_device(call)?;
        let state = hq.blob_state(&device, &named(call)?)?;
        let mut headers = vec![(HEADER_OFFSET, state.offset.to_string())];
        if state.complete {
            headers.push((HEADER_LENGTH, state.offset.to_string()));
        }
        Ok(Answer { media: MEDIA_CBOR.to_owned(), headers, body: Vec::new() })
    })
    .await
}

pub(super) async fn take(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, CHUNK_BYTES_MAX, |hq, call, headers| {
        let device = hq.known_device(call)?;
        let sha256 = stated(headers, HEADER_CHUNK_SHA256).and_then(|text| Hash::from_hex(&text));
        let chunk = Chunk {
            offset: stated_number(headers, HEADER_OFFSET)?,
            length: stated_number(headers, HEADER_LENGTH)?,
            sha256: sha256.ok_or_else(|| malformed("no chunk hash"))?,
            bytes: &call.body,
        };
        let state = hq.take_chunk(&device, &named(call)?, &chunk)?;
        hq.0.metrics.blob_bytes.inc_by(u64::try_from(call.body.len()).unwrap_or_default());
        let mut answer = Answer::cbor(&state)?;
        answer.headers.push((HEADER_OFFSET, state.offset.to_string()));
        Ok(answer)
    })
    .await
}

pub(super) async fn give(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, call, _| {
        let device = hq.device(call)?;
        let (body, media) = hq.give_blob(&device, &named(call)?)?;
        Ok(Answer { media, headers: Vec::new(), body })
    })
    .await
}

fn malformed(message: &str) -> HqError {
    refuse(ProblemCode::Malformed, message)
}

fn named(call: &Call) -> Result<Hash, HqError> {
    let name = call.path.rsplit('/').next().unwrap_or_default();
    Hash::from_hex(name).ok_or_else(|| malformed("path names no hash"))
}

fn stated(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn stated_number(headers: &HeaderMap, name: &str) -> Result<u64, HqError> {
    stated(headers, name)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| malformed("offset or length is missing"))
}
