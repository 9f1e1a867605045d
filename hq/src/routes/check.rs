//! The pages on which any phone checks a credential code or a slip and any browser a case bundle,
//! the issuer's key, statuses, and where a record stands.
//!
//! The code stands behind `#` and never arrives here. The page is static, asks nobody else and sets
//! nothing on the phone but its own copy for use without a network.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;
use sync_model::credential::CertificateStatus;
use sync_model::hash::{Hash, hex};
use sync_model::wire::problem::ProblemCode;

use super::sync::number;
use super::{Answer, answer};
use crate::error::{HqError, refuse};
use crate::hq::Hq;

/// Nothing but our own files may run, and nobody may frame the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";
const LIST: &str = "application/cose";

const INDEX: &[u8] = include_bytes!("../../../assets/check/index.html");

/// Files below `/c/` with their types.
const FILES: [(&str, &str, &[u8]); 14] = [
    ("bundle", HTML, include_bytes!("../../../assets/check/bundle.html")),
    ("bundle-page.js", SCRIPT, include_bytes!("../../../assets/check/bundle-page.js")),
    ("bundle.js", SCRIPT, include_bytes!("../../../assets/check/bundle.js")),
    ("slip", HTML, include_bytes!("../../../assets/check/slip.html")),
    ("slip-page.js", SCRIPT, include_bytes!("../../../assets/check/slip-page.js")),
    ("slip.js", SCRIPT, include_bytes!("../../../assets/check/slip.js")),
    ("page.js", SCRIPT, include_bytes!("../../../assets/check/page.js")),
    ("check.js", SCRIPT, include_bytes!("../../../assets/check/check.js")),
    ("status.js", SCRIPT, include_bytes!("../../../assets/check/status.js")),
    ("words.js", SCRIPT, include_bytes!("../../../assets/check/words.js")),
    ("sw.js", SCRIPT, include_bytes!("../../../assets/check/sw.js")),
    ("noble-ed25519.js", SCRIPT, include_bytes!("../../../assets/check/noble-ed25519.js")),
    ("style.css", STYLE, include_bytes!("../../../assets/check/style.css")),
    // The license of the library goes where the library goes.
    ("LICENSE", "text/plain; charset=utf-8", include_bytes!("../../../assets/check/LICENSE")),
];

pub(super) fn routes() -> Router<Hq> {
    Router::new()
        .route("/c", get(index))
        .route("/c/issuer", get(issuer))
        .route("/c/status", get(status_list))
        .route("/c/status/{credential}", get(status))
        .route("/c/slip/{record}", get(slip))
        .route("/c/{file}", get(file))
}

async fn index(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |_, _, _| Ok(page(HTML, INDEX.to_vec()))).await
}

async fn file(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |_, call, _| {
        let name = last_part(&call.path);
        let found = FILES.iter().find(|(known, ..)| *known == name);
        let (_, media, body) =
            found.ok_or_else(|| refuse(ProblemCode::NotFound, "nothing at this path"))?;
        let mut answer = page(media, body.to_vec());
        if name == "sw.js" {
            // It lies below `/c/` and serves `/c` too.
            answer.headers.push(("service-worker-allowed", "/".to_owned()));
        }
        Ok(answer)
    })
    .await
}

async fn issuer(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, _, _| {
        let trust = hq.trust();
        let key = trust.issuer_key;
        Ok(json_page(&json!({
            "key": hex(&key.0),
            "fingerprint": Hash::of(&key.0).hex(),
            "log_origin": trust.log_origin,
            "log_key": hex(&trust.log_key.0),
        })))
    })
    .await
}

/// The signed list, for everybody alike; its form stands in [`sync_model::status`].
async fn status_list(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, _, _| {
        let mut answer = page(LIST, hq.status_list()?);
        // A withdrawn certificate is known everywhere within a minute.
        answer.headers.push((header::CACHE_CONTROL.as_str(), "max-age=30".to_owned()));
        Ok(answer)
    })
    .await
}

async fn status(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, call, _| {
        let hash = Hash::from_hex(last_part(&call.path))
            .ok_or_else(|| refuse(ProblemCode::Malformed, "hash of 64 hex digits"))?;
        // A hash tells nothing to who does not hold the credential, and cannot be guessed.
        let status = hq.certificate_status(&hash)?;
        Ok(json_page(&json!({ "status": status.map_or("unknown", status_name), "at": hq.now().0 })))
    })
    .await
}

async fn slip(hq: State<Hq>, request: Request) -> Response {
    answer(hq, request, 0, |hq, call, _| {
        let hash = Hash::from_hex(last_part(&call.path))
            .ok_or_else(|| refuse(ProblemCode::Malformed, "hash of 64 hex digits"))?;
        let found = hq.look_up(&hash, number(&call.path, "seen")?.unwrap_or(0))?;
        let hashes = |path: &[Hash]| path.iter().map(Hash::hex).collect::<Vec<_>>();
        let place = found.place.map(|place| {
            json!({
                "index": place.index,
                "since": place.since.0,
                "inclusion": hashes(&place.inclusion),
            })
        });
        Ok(json_page(&json!({
            "at": found.at.0,
            "checkpoint": found.checkpoint,
            "place": place,
            "growth": found.growth.as_deref().map(hashes),
        })))
    })
    .await
}

impl Hq {
    /// Returns what the certificate behind an issued credential is worth now.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn certificate_status(
        &self,
        credential: &Hash,
    ) -> Result<Option<CertificateStatus>, HqError> {
        self.0.store.read(|tx| {
            let officer = tx.credential_holder(credential)?;
            let known = officer.map(|officer| tx.officer(officer)).transpose()?.flatten();
            Ok(known.map(|officer| officer.status))
        })
    }
}

fn status_name(status: CertificateStatus) -> &'static str {
    match status {
        CertificateStatus::Active => "active",
        CertificateStatus::Suspended => "suspended",
        CertificateStatus::Cancelled => "cancelled",
        CertificateStatus::Lost => "lost",
    }
}

fn last_part(path: &str) -> &str {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    path.rsplit_once('/').map_or(path, |(_, last)| last)
}

fn json_page(value: &serde_json::Value) -> Answer {
    let mut answer = page(JSON, value.to_string().into_bytes());
    answer.headers.push((header::CACHE_CONTROL.as_str(), "no-store".to_owned()));
    answer
}

fn page(media: &str, body: Vec<u8>) -> Answer {
    let headers = vec![
        (header::CONTENT_SECURITY_POLICY.as_str(), POLICY.to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS.as_str(), "nosniff".to_owned()),
        (header::REFERRER_POLICY.as_str(), "no-referrer".to_owned()),
    ];
    Answer { media: media.to_owned(), headers, body }
}
