//! For people at HQ: log in, read cases by role, rule. JSON; records and files as they are.
//!
//! `POST /hq/v1/login {name, password, purpose}` → `{token}`, sent as `Authorization: Bearer …` with
//! everything else; `POST /hq/v1/logout`; `GET /hq/v1/cases[?after=ID]`, `/hq/v1/cases/ID`,
//! `/hq/v1/cases/ID/records/HASH`, `/hq/v1/cases/ID/files/HASH`; `POST /hq/v1/cases/ID/ruling
//! {text}`; `GET /hq/v1/reads`, the signed head of the audit of reads, for anybody.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use sync_model::hash::Hash;
use sync_model::id::CaseId;
use sync_model::wire::problem::ProblemCode;

use super::open::text;
use super::{Answer, answer};
use crate::account::Caller;
use crate::auth::Call;
use crate::error::{HqError, refuse};
use crate::hq::Hq;

/// Largest body of a person.
const BODY_BYTES_MAX: usize = 16 * 1024;
const JSON: &str = "application/json";
const RECORD: &str = "application/cose";

#[derive(Deserialize)]
struct Login {
    name: String,
    password: String,
    purpose: String,
}

#[derive(Deserialize)]
struct Ruling {
    text: String,
}

pub(super) fn routes() -> Router<Hq> {
    Router::new()
        .route("/hq/v1/login", post(login))
        .route("/hq/v1/logout", post(logout))
        .route("/hq/v1/reads", get(reads))
        .route("/hq/v1/cases", get(cases))
        .route("/hq/v1/cases/{case}", get(case))
        .route("/hq/v1/cases/{case}/records/{record}", get(record))
        .route("/hq/v1/cases/{case}/files/{file}", get(file))
        .route("/hq/v1/cases/{case}/ruling", post(ruling))
}

async fn login(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, BODY_BYTES_MAX, |hq, call, _| {
        let login: Login = read(call)?;
        let token = hq.log_in(&login.name, &login.password, &login.purpose)?;
        Ok(private(JSON, json!({ "token": token }).to_string().into_bytes()))
    })
    .await
}

async fn logout(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, _, headers| {
        hq.log_out(&caller(hq, headers)?)?;
        Ok(private(JSON, b"{}".to_vec()))
    })
    .await
}

async fn reads(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, _, _| Ok(text("text/plain; charset=utf-8", &hq.reads_head()?)))
        .await
}

async fn cases(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, call, headers| {
        let caller = caller(hq, headers)?;
        let after = call.path.split_once("?after=").map(|(_, after)| case_id(after)).transpose()?;
        let (lines, next) = hq.list_cases(&caller, after, &call.path)?;
        let lines: Vec<_> = lines
            .into_iter()
            .map(|line| {
                json!({ "case": line.case.to_string(), "matter": line.matter,
                        "authority": line.authority, "reviews": line.reviews })
            })
            .collect();
        let next = next.map(|case| case.to_string());
        Ok(private(JSON, json!({ "cases": lines, "next": next }).to_string().into_bytes()))
    })
    .await
}

async fn case(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, call, headers| {
        let records = hq.read_case(&caller(hq, headers)?, case_id(part(call, 0)?)?, &call.path)?;
        let records: Vec<_> = records
            .into_iter()
            .map(|line| {
                let files: Vec<String> = line.files.iter().map(Hash::hex).collect();
                json!({ "log_index": line.log_index, "record": line.hash.hex(),
                        "kind": line.kind, "files": files })
            })
            .collect();
        Ok(private(JSON, json!({ "records": records }).to_string().into_bytes()))
    })
    .await
}

async fn record(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, call, headers| {
        let (caller, case) = (caller(hq, headers)?, case_id(part(call, 0)?)?);
        let bytes = hq.read_record(&caller, case, &hash(part(call, 2)?)?, &call.path)?;
        Ok(private(RECORD, bytes))
    })
    .await
}

async fn file(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, call, headers| {
        let (caller, case) = (caller(hq, headers)?, case_id(part(call, 0)?)?);
        let (bytes, media) = hq.read_file(&caller, case, &hash(part(call, 2)?)?, &call.path)?;
        Ok(private(&media, bytes))
    })
    .await
}

async fn ruling(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, BODY_BYTES_MAX, |hq, call, headers| {
        let caller = caller(hq, headers)?;
        let ruling: Ruling = read(call)?;
        hq.rule(&caller, case_id(part(call, 0)?)?, &ruling.text)?;
        Ok(private(JSON, b"{}".to_vec()))
    })
    .await
}

fn caller(hq: &Hq, headers: &HeaderMap) -> Result<Caller, HqError> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| value.strip_prefix("Bearer "));
    hq.caller(token.ok_or_else(|| refuse(ProblemCode::NotAuthentic, "log in first"))?)
}

fn read<T: DeserializeOwned>(call: &Call) -> Result<T, HqError> {
    serde_json::from_slice(&call.body)
        .map_err(|error| refuse(ProblemCode::Malformed, &error.to_string()))
}

/// Returns a part of the path after `/hq/v1/cases/`.
fn part(call: &Call, index: usize) -> Result<&str, HqError> {
    let path = call.path.split_once('?').map_or(call.path.as_str(), |(path, _)| path);
    path.strip_prefix("/hq/v1/cases/")
        .and_then(|rest| rest.split('/').nth(index))
        .ok_or_else(|| refuse(ProblemCode::NotFound, "nothing at this path"))
}

fn case_id(text: &str) -> Result<CaseId, HqError> {
    text.parse().map(CaseId).map_err(|_| refuse(ProblemCode::Malformed, "id of a case"))
}

fn hash(text: &str) -> Result<Hash, HqError> {
    Hash::from_hex(text).ok_or_else(|| refuse(ProblemCode::Malformed, "hash of 64 hex digits"))
}

/// An answer that nobody on the way keeps, and no browser runs.
fn private(media: &str, body: Vec<u8>) -> Answer {
    let headers = vec![
        (header::CACHE_CONTROL.as_str(), "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS.as_str(), "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY.as_str(), "default-src 'none'; sandbox".to_owned()),
    ];
    Answer { media: media.to_owned(), headers, body }
}
