//! What anybody may ask: what does HQ's log stand at, what is this.

use axum::extract::{Request, State};
use axum::response::Response;
use sync_model::wire::problem::ProblemCode;

use super::sync::number;
use super::{Answer, answer};
use crate::error::refuse;
use crate::hq::Hq;

const PAGE: &str = include_str!("page.html");

pub(super) async fn checkpoint(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, _, _| Ok(text("text/plain; charset=utf-8", &hq.log_checkpoint()?)))
        .await
}

pub(super) async fn consistency(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, call, _| {
        let from = number(&call.path, "from")?
            .ok_or_else(|| refuse(ProblemCode::Malformed, "from is missing"))?;
        Answer::cbor(&hq.log_consistency(from, number(&call.path, "to")?)?)
    })
    .await
}

pub(super) async fn page(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, _, _| {
        let page = PAGE.replace("{origin}", &hq.trust().log_origin);
        Ok(text("text/html; charset=utf-8", &page))
    })
    .await
}

pub(super) fn text(media: &str, text: &str) -> Answer {
    Answer { media: media.to_owned(), headers: Vec::new(), body: text.as_bytes().to_vec() }
}
