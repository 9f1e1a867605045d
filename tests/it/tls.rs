//! TLS between a real handheld and the real HQ: who is trusted, and by which time.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use hq::{Config, HqClock, Running, Tls};
use sync_core::clock::{Clock, ManualClock, SystemClock};
use sync_core::disk::RealDisk;
use sync_core::sync::{self, AUTHORITY_FILE, HqClient};
use sync_core::{Outcome, Store, SyncError};
use sync_model::time::Timestamp;
use xunzheng::error::AppError;
use xunzheng::practice::RULEBOOK;
use xunzheng::text;

const DAY_MS: i64 = 86_400_000;
const NOWHERE: Timestamp = Timestamp(0);
/// 2099-01-01.
const FAR: Timestamp = Timestamp(4_070_908_800_000);

/// HQ's clock: the machine's, wrong by some days.
struct OffBy(i64);

impl HqClock for OffBy {
    fn now(&self) -> Timestamp {
        SystemClock::new().now().wall_at.plus_ms(self.0 * DAY_MS)
    }
}

struct Hq {
    running: Running,
    folder: tempfile::TempDir,
}

impl Hq {
    fn start(days: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut config = Config::new(folder.path(), local);
        config.tls = Tls::Own(vec!["127.0.0.1".into(), "hq.example".into()]);
        config.metrics_listen = Some(local);
        let running = hq::serve_with_clock(&config, Arc::new(OffBy(days))).unwrap();
        Self { running, folder }
    }

    fn url(&self) -> String {
        format!("https://{}", self.running.address)
    }

    fn authority(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("tls/ca.pem")).unwrap()
    }

    fn code(&self) -> String {
        hq::practice::seed(&self.running.hq, RULEBOOK).unwrap().enrollment_code
    }

    fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.running.metrics_address.unwrap()).unwrap();
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nhost: hq\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    /// Connections since the start; asking is one more.
    fn accepted(&self) -> u64 {
        let text = self.metrics();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("xunzheng_hq_connections_accepted_total "));
        line.unwrap().trim().parse().unwrap()
    }
}

fn device(folder: &Path, wall_at: Timestamp) -> Store {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(wall_at));
    Store::open(folder, clock, Arc::new(RealDisk)).unwrap()
}

fn round(store: &Store, url: &str) -> Result<sync::Progress, SyncError> {
    sync::round(store, &HqClient::of(store, url)?, &mut |_| {})
}

#[test]
fn a_handheld_trusts_hqs_own_authority_whatever_its_clock_shows() {
    let hq = Hq::start(0);
    for wall_at in [NOWHERE, FAR, SystemClock::new().now().wall_at] {
        let folder = tempfile::tempdir().unwrap();
        let store = device(folder.path(), wall_at);
        // Nobody was told whom to trust yet: the system does not know this authority.
        let client = HqClient::of(&store, &hq.url());
        let stranger = client.and_then(|client| sync::enroll(&store, &client, &hq.code()));
        assert!(matches!(stranger, Err(SyncError::Untrusted(_))), "{stranger:?}");
        super::support::world::put(&folder.path().join(AUTHORITY_FILE), &hq.authority());
        let client = HqClient::of(&store, &hq.url()).unwrap();
        sync::enroll(&store, &client, &hq.code()).unwrap();
        // From now on the authority that came with enrolment is enough.
        std::fs::remove_file(folder.path().join(AUTHORITY_FILE)).unwrap();
        let before = hq.accepted();
        let progress = round(&store, &hq.url()).unwrap();
        assert!(progress.feed_items > 0);
        assert_eq!(hq.accepted() - before, 2, "one connection for the round, one to ask");
        let told = store.trusted_time().unwrap().now();
        let off = told.since_ms(SystemClock::new().now().wall_at).abs();
        assert!(off < 3_600_000, "off by {off} ms at {wall_at:?}");
    }
}

#[test]
fn who_is_not_hq_gets_nothing() {
    let (hq, other) = (Hq::start(0), Hq::start(0));
    let folder = tempfile::tempdir().unwrap();
    let store = device(folder.path(), NOWHERE);
    super::support::world::put(&folder.path().join(AUTHORITY_FILE), &hq.authority());
    let client = HqClient::of(&store, &hq.url()).unwrap();
    sync::enroll(&store, &client, &hq.code()).unwrap();
    let wrong_name = hq.url().replace("127.0.0.1", "localhost");
    for url in [other.url(), wrong_name] {
        let error = round(&store, &url).unwrap_err();
        assert!(matches!(error, SyncError::Untrusted(_)), "{error}");
        // It may be a hotel's network: the next one is tried again.
        assert_eq!(error.outcome(), Outcome::Waiting);
        let sentence = text::explain(&AppError::from(error));
        assert!(sentence.contains("证书") && sentence.contains("没有发送"), "{sentence}");
    }
    assert!(!other.metrics().contains("xunzheng_hq_requests_total{"), "{}", other.metrics());
}

#[test]
fn a_certificate_is_judged_by_trusted_time_and_not_by_the_clock_on_the_wall() {
    // HQ's certificate ended a year ago; the device's clock was turned back to when it held.
    let hq = Hq::start(-800);
    let folder = tempfile::tempdir().unwrap();
    let store = device(folder.path(), OffBy(-700).now());
    super::support::world::put(&folder.path().join(AUTHORITY_FILE), &hq.authority());
    let client = HqClient::of(&store, &hq.url()).unwrap();
    let error = sync::enroll(&store, &client, &hq.code()).unwrap_err();
    assert!(matches!(&error, SyncError::Untrusted(why) if why.contains("expired")), "{error}");
    // A device that lay in a drawer meets a certificate that was made long after all it knows.
    let hq = Hq::start(300);
    let folder = tempfile::tempdir().unwrap();
    let store = device(folder.path(), NOWHERE);
    super::support::world::put(&folder.path().join(AUTHORITY_FILE), &hq.authority());
    let client = HqClient::of(&store, &hq.url()).unwrap();
    sync::enroll(&store, &client, &hq.code()).unwrap();
    round(&store, &hq.url()).unwrap();
}
