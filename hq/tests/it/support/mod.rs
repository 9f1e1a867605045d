//! One HQ on a scratch folder and devices that speak to it over HTTP.

pub(crate) mod device;
pub(crate) mod http;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hq::{Config, Hq, HqClock, NewOfficer, Running, serve_with_clock};
use sync_model::credential::OfficerKind;
use sync_model::hash::Hash;
use sync_model::id::OfficerId;
use sync_model::time::Timestamp;

/// A clock that stands until it is moved.
pub(crate) struct ManualClock(AtomicI64);

impl HqClock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl ManualClock {
    pub(crate) fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

/// A running HQ.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) running: Option<Running>,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn start() -> Self {
        let clock = Arc::new(ManualClock(AtomicI64::new(1_795_500_000_000)));
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self { clock, running: None, folder };
        world.restart();
        world
    }

    /// Stops HQ like a pulled plug and starts it again on the same folder.
    pub(crate) fn restart(&mut self) {
        drop(self.running.take());
        let config = Config { data: self.data(), listen: ([127, 0, 0, 1], 0).into() };
        self.running = Some(serve_with_clock(&config, self.clock.clone()).unwrap());
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("hq")
    }

    pub(crate) fn hq(&self) -> &Hq {
        &self.running.as_ref().unwrap().hq
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.running.as_ref().unwrap().address
    }

    pub(crate) fn officer(&self, name: &str, number: &str) -> OfficerId {
        self.hq()
            .add_officer(&NewOfficer {
                name: name.into(),
                kind: OfficerKind::Officer,
                certificate_number: number.into(),
                authority: "xh-zhzf".into(),
                authority_name: "杭州市西湖区综合行政执法局".into(),
                valid_from: self.clock.now().plus_ms(-1),
                valid_to: self.clock.now().plus_ms(1_000_000_000),
            })
            .unwrap()
    }
}

/// Opens the database file behind HQ's back.
pub(crate) fn database(data: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(data.join("hq.sqlite")).unwrap()
}

/// Returns the name of the folder in which a file lies.
pub(crate) fn shelf_name(sha256: &Hash) -> String {
    sha256.hex().chars().take(2).collect()
}
