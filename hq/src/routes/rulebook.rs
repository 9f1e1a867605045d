//! Rulebooks by hash, for every cache between HQ and a device: the name says what the content is.

use axum::extract::{Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;
use sync_model::hash::Hash;
use sync_model::wire::HEADER_FROM;
use sync_model::wire::problem::ProblemCode;

use super::{Answer, answer};
use crate::error::refuse;
use crate::hq::Hq;

const MEDIA: &str = "application/zstd";
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Law and matters are public, and a hash tells nothing to who does not hold it: no signature is
/// asked for, so that a cache can answer.
pub(super) async fn rulebook(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, call, _| {
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let malformed = || refuse(ProblemCode::Malformed, "not the hash of a rulebook");
        let name = path.rsplit('/').next().unwrap_or_default();
        let hash = Hash::from_hex(name).ok_or_else(malformed)?;
        let from = query.split('&').find_map(|pair| pair.strip_prefix("from="));
        let from = from.map(|from| Hash::from_hex(from).ok_or_else(malformed)).transpose()?;
        let packed = hq.packed_rulebook(&hash, from.as_ref())?;
        let mut headers = vec![(CACHE_CONTROL.as_str(), IMMUTABLE.to_owned())];
        headers.extend(packed.from.map(|from| (HEADER_FROM, from.hex())));
        Ok(Answer { media: MEDIA.to_owned(), headers, body: packed.bytes.clone() })
    })
    .await
}
