//! The page that checks credential codes: served whole, locked down, and told the truth.

use sync_model::credential::CertificateStatus;
use sync_model::credential_code::{CredentialCode, Options, Verdict, check_text};
use sync_model::hash::{Hash, hex};

use crate::support::World;
use crate::support::device::Device;
use crate::support::http::{Reply, send};

fn get(world: &World, path: &str) -> Reply {
    send(world.address(), "GET", path, &[], &[])
}

fn json(reply: &Reply) -> serde_json::Value {
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type").as_deref(), Some("application/json"));
    assert_eq!(reply.header("cache-control").as_deref(), Some("no-store"));
    serde_json::from_slice(&reply.body).unwrap()
}

#[test]
fn every_file_of_the_page_is_served_with_its_type_and_locked_down() {
    let world = World::start();
    for (path, media, file) in [
        ("/c", "text/html; charset=utf-8", "index.html"),
        ("/c/page.js", "text/javascript; charset=utf-8", "page.js"),
        ("/c/check.js", "text/javascript; charset=utf-8", "check.js"),
        ("/c/words.js", "text/javascript; charset=utf-8", "words.js"),
        ("/c/status.js", "text/javascript; charset=utf-8", "status.js"),
        ("/c/slip", "text/html; charset=utf-8", "slip.html"),
        ("/c/slip-page.js", "text/javascript; charset=utf-8", "slip-page.js"),
        ("/c/slip.js", "text/javascript; charset=utf-8", "slip.js"),
        ("/c/sw.js", "text/javascript; charset=utf-8", "sw.js"),
        ("/c/noble-ed25519.js", "text/javascript; charset=utf-8", "noble-ed25519.js"),
        ("/c/bundle", "text/html; charset=utf-8", "bundle.html"),
        ("/c/bundle-page.js", "text/javascript; charset=utf-8", "bundle-page.js"),
        ("/c/bundle.js", "text/javascript; charset=utf-8", "bundle.js"),
        ("/c/style.css", "text/css; charset=utf-8", "style.css"),
        ("/c/LICENSE", "text/plain; charset=utf-8", "LICENSE"),
    ] {
        let reply = get(&world, path);
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-type").as_deref(), Some(media), "{path}");
        assert_eq!(reply.header("x-content-type-options").as_deref(), Some("nosniff"));
        assert_eq!(reply.header("referrer-policy").as_deref(), Some("no-referrer"));
        assert_eq!(reply.header("set-cookie"), None);
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"));
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/check/");
        assert_eq!(reply.body, std::fs::read(format!("{root}{file}")).unwrap(), "{path}");
    }
    assert_eq!(get(&world, "/c/sw.js").header("service-worker-allowed").as_deref(), Some("/"));
    for path in ["/c/package.json", "/c/../keys/issuer.key", "/c/", "/c/x/y"] {
        assert_eq!(get(&world, path).status, 404, "{path}");
    }
}

#[test]
fn nothing_in_the_page_runs_inline_or_comes_from_elsewhere() {
    let world = World::start();
    let page = String::from_utf8(get(&world, "/c").body).unwrap();
    for forbidden in ["<style", "style=", "onload", "onclick", "http:", "https:", "//"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    let script = String::from_utf8(get(&world, "/c/page.js").body).unwrap();
    for forbidden in
        ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "cookie", "eval("]
    {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn the_key_that_is_given_checks_what_was_issued() {
    let world = World::start();
    let issuer = json(&get(&world, "/c/issuer"));
    let key = world.hq().trust().issuer_key;
    assert_eq!(issuer["key"], hex(&key.0));
    assert_eq!(issuer["fingerprint"], Hash::of(&key.0).hex());
}

#[test]
fn the_status_of_a_credential_follows_its_officer_at_once() {
    let world = World::start();
    let officer = world.officer("甲", "A1");
    let codes = world.hq().issue_enrollment("xh-zhzf", "一号机", &[officer]).unwrap();
    let device = Device::enroll_with(&world, &codes.enrollment);
    let (_, credential) = device.activated(officer, &codes.activations[0].code);
    let path = format!("/c/status/{}", Hash::of(&credential).hex());
    let told = json(&get(&world, &path));
    assert_eq!(told["status"], "active");
    assert_eq!(told["at"], world.hq().now().0);
    for (status, name) in [
        (CertificateStatus::Suspended, "suspended"),
        (CertificateStatus::Cancelled, "cancelled"),
        (CertificateStatus::Lost, "lost"),
    ] {
        world.hq().set_officer_status(officer, status).unwrap();
        assert_eq!(json(&get(&world, &path))["status"], name);
    }
    let unknown = format!("/c/status/{}", Hash::of(b"never issued").hex());
    assert_eq!(json(&get(&world, &unknown))["status"], "unknown");
    for path in ["/c/status/12", "/c/status/zz", "/c/status/"] {
        assert!(get(&world, path).status >= 400, "{path}");
    }
}

#[test]
fn a_credential_without_its_officers_moment_proves_nobody() {
    let world = World::start();
    let officer = world.officer("甲", "A1");
    let codes = world.hq().issue_enrollment("xh-zhzf", "一号机", &[officer]).unwrap();
    let device = Device::enroll_with(&world, &codes.enrollment);
    let (_, credential) = device.activated(officer, &codes.activations[0].code);
    let code = CredentialCode {
        moments: vec![serde_bytes::ByteBuf::from(credential.clone())],
        credentials: vec![serde_bytes::ByteBuf::from(credential)],
    };
    let url = code.to_url("http://hq").unwrap();
    let report = check_text(&url, &device.trust.issuer_key, world.hq().now(), &Options::default());
    assert_eq!(report.verdict, Verdict::WrongBinding);
    assert_eq!(report.officers[0].shown, None);
}
