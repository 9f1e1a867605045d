//! Audit plane and partner plane.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use sync_model::wire::PUSH_BYTES_MAX;
use sync_model::wire::audit::AUDIT_BYTES_MAX;

use super::{Answer, answer};
use crate::hq::Hq;

/// Header with the range of protocol versions that a device speaks.
const HEADER_PROTOCOL: &str = "xunzheng-protocol";
/// First protocol whose feed has more kinds of items than the first release.
const LATER_KINDS: u16 = 2;

pub(super) async fn audit(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, AUDIT_BYTES_MAX, |hq, call, _| {
        let device = hq.comparing_device(call)?;
        Answer::cbor(&hq.audit(device.device, &call.body)?)
    })
    .await
}

pub(super) async fn custody(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, PUSH_BYTES_MAX, |hq, call, _| {
        let device = hq.device(call)?;
        Answer::cbor(&hq.take_custody(&device, &call.body)?)
    })
    .await
}

/// Says whether the device reads kinds of feed items that came after the first release; an old one
/// would stop at the first that it does not know.
pub(super) fn reads_later_kinds(headers: &HeaderMap) -> bool {
    let range = headers.get(HEADER_PROTOCOL).and_then(|value| value.to_str().ok());
    let newest = range.and_then(|range| range.rsplit('-').next()?.trim().parse::<u16>().ok());
    newest.is_some_and(|newest| newest >= LATER_KINDS)
}
