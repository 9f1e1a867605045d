//! One HQ on a scratch folder and devices that speak to it over HTTP.

pub(crate) mod device;
pub(crate) mod http;
pub(crate) mod postgres;
pub(crate) mod s3;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hq::{Config, Database, Hq, HqClock, HqError, NewOfficer, Running, serve_with_clock};
use sync_model::credential::OfficerKind;
use sync_model::hash::Hash;
use sync_model::id::OfficerId;
use sync_model::time::Timestamp;

use postgres::Schema;

/// A clock that stands until it is moved.
pub(crate) struct ManualClock(AtomicI64);

impl HqClock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl ManualClock {
    pub(crate) fn now_s(&self) -> i64 {
        self.now().0 / 1000
    }

    pub(crate) fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

type Change = Box<dyn Fn(&mut Config) + Send + Sync>;

/// A running HQ.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) running: Option<Running>,
    /// Dropped after HQ has stopped.
    pub(crate) schema: Option<Schema>,
    folder: tempfile::TempDir,
    change: Change,
}

impl World {
    /// Starts HQ on the store of this run.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// Starts an HQ with settings of its own, which it keeps when it is started again.
    pub(crate) fn start_with(change: impl Fn(&mut Config) + Send + Sync + 'static) -> Self {
        Self::made(if postgres::is_chosen() { Schema::make() } else { None }, Box::new(change))
    }

    /// Starts HQ on the schema, or on its embedded store.
    pub(crate) fn start_on(schema: Option<Schema>) -> Self {
        Self::made(schema, Box::new(|_| {}))
    }

    fn made(schema: Option<Schema>, change: Change) -> Self {
        let clock = Arc::new(ManualClock(AtomicI64::new(1_795_500_000_000)));
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self { clock, running: None, schema, folder, change };
        world.restart();
        world
    }

    /// Stops HQ like a pulled plug and starts it again on the same folder.
    pub(crate) fn restart(&mut self) {
        drop(self.running.take());
        self.running = Some(serve_with_clock(&self.config(), self.clock.clone()).unwrap());
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new(self.data(), ([127, 0, 0, 1], 0).into());
        config.database = self.store();
        (self.change)(&mut config);
        config
    }

    pub(crate) fn store(&self) -> Database {
        self.schema.as_ref().map_or(Database::Embedded, Schema::database)
    }

    /// Opens another handle beside the running one, as a command does.
    pub(crate) fn beside(&self) -> Result<Hq, HqError> {
        Hq::open_on(&self.data(), &self.store(), self.clock.clone())
    }

    /// Changes the database behind HQ's back.
    pub(crate) fn meddle(&self, sql: &str) -> Result<(), String> {
        match &self.schema {
            Some(schema) => schema.run(sql),
            None => database(&self.data()).execute_batch(sql).map_err(|error| error.to_string()),
        }
    }

    /// Returns the bytes that a question gives, behind HQ's back.
    pub(crate) fn peek(&self, sql: &str) -> Vec<u8> {
        match &self.schema {
            Some(schema) => schema.bytes(sql),
            None => database(&self.data()).query_row(sql, [], |row| row.get(0)).unwrap(),
        }
    }

    /// Another HQ of the same keys and records, from a backup of this one.
    pub(crate) fn copied(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        self.hq().backup(&self.data(), &folder.path().join("hq")).unwrap();
        let mut world = Self {
            clock: self.clock.clone(),
            running: None,
            schema: None,
            folder,
            change: Box::new(|_| {}),
        };
        world.restart();
        world
    }

    /// An HQ that is not there yet; a test makes its folder.
    pub(crate) fn later(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            clock: self.clock.clone(),
            running: None,
            schema: None,
            folder,
            change: Box::new(|_| {}),
        }
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

/// Returns bytes as they stand in a statement of the world's database.
pub(crate) fn blob_literal(world: &World, bytes: &[u8]) -> String {
    let digits = sync_model::hash::hex(bytes);
    if world.schema.is_some() { format!("'\\x{digits}'") } else { format!("X'{digits}'") }
}

/// Opens the database file behind HQ's back.
pub(crate) fn database(data: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(data.join("hq.sqlite")).unwrap()
}

/// Returns the name of the folder in which a file lies.
pub(crate) fn shelf_name(sha256: &Hash) -> String {
    sha256.hex().chars().take(2).collect()
}

/// Writes a file as somebody else would, who knows nothing of HQ.
pub(crate) fn put(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(bytes.as_ref()).unwrap();
}
