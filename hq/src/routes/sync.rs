//! Enrollment, log plane and feed plane.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::Response;
use sync_model::wire::PUSH_BYTES_MAX;
use sync_model::wire::enroll::{ActivateRequest, EnrollRequest};
use sync_model::wire::problem::ProblemCode;

use super::{Answer, answer, body, encoding};
use crate::error::{HqError, refuse};
use crate::feed::Rulebooks;
use crate::hq::Hq;

/// Largest enrollment or activation.
const SMALL_BYTES_MAX: usize = 16 * 1024;
/// Items of a page if the device does not say.
const FEED_LIMIT: u64 = 200;

pub(super) async fn enroll(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, SMALL_BYTES_MAX, |hq, call, _| {
        let request: EnrollRequest = body(call, SMALL_BYTES_MAX)?;
        // Whoever brings a key shows that he holds it.
        call.signed_by(&request.device_key)?;
        Answer::cbor(&hq.enroll(&request)?)
    })
    .await
}

pub(super) async fn activate(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, SMALL_BYTES_MAX, |hq, call, _| {
        let device = hq.device(call)?;
        let request: ActivateRequest = body(call, SMALL_BYTES_MAX)?;
        Answer::cbor(&hq.activate(device.device, &request)?)
    })
    .await
}

pub(super) async fn push(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, PUSH_BYTES_MAX, |hq, call, _| {
        // Who sent it and that it is whole is known before anything of it is opened.
        let device = hq.known_device(call)?;
        let request = encoding::push(call)?;
        let records = u64::try_from(request.records.len()).unwrap_or_default();
        let started = Instant::now();
        let receipt = hq.push(device, request, call.request_hash()?)?;
        let metrics = &hq.0.metrics;
        metrics.commit_seconds.observe(started.elapsed().as_secs_f64());
        metrics.pushes.inc();
        metrics.records.inc_by(records);
        Answer::cbor(&receipt)
    })
    .await
}

pub(super) async fn feed(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, call, headers| {
        let device = hq.device(call)?;
        encoding::refuse_too_old(headers)?;
        let all = super::partner::reads_later_kinds(headers);
        let after = number(&call.path, "after")?.unwrap_or(0);
        let limit = number(&call.path, "limit")?.unwrap_or(FEED_LIMIT);
        let rulebooks = match number(&call.path, "rulebooks")? {
            Some(_) => Rulebooks::Named,
            None => Rulebooks::Whole,
        };
        // Whoever asks for rulebooks by name is later than the first release.
        let all = all || rulebooks == Rulebooks::Named;
        let page = hq.feed(device.device, after, limit, rulebooks, all)?;
        // Counts gaps of other devices' items too: an upper bound.
        let behind = u32::try_from(page.head.saturating_sub(after)).unwrap_or(u32::MAX);
        hq.0.metrics.feed_lag.observe(f64::from(behind));
        Answer::cbor(&page)
    })
    .await
}

/// Returns a number of the query.
pub(super) fn number(path: &str, name: &str) -> Result<Option<u64>, HqError> {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let value = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value));
    value
        .map(|value| value.parse())
        .transpose()
        .map_err(|_| refuse(ProblemCode::Malformed, "query is not a number"))
}
