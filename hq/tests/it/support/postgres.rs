//! A PostgreSQL server for tests, where there is one: each test has a schema of its own.

use std::sync::OnceLock;

use hq::Database;
use tokio_postgres::{Client, NoTls};

use super::device::next;

/// Names the server: `postgres://…`.
const SERVER: &str = "XUNZHENG_TEST_POSTGRES";
/// Set to `1` where a missing server is a failure.
const REQUIRE: &str = "XUNZHENG_REQUIRE_POSTGRES";
/// Set to `postgres` to run every test of this program on PostgreSQL.
pub(crate) const STORE: &str = "XUNZHENG_TEST_STORE";
/// Tried if no server is named.
const USUAL: &str = "postgres://postgres@127.0.0.1:5432/postgres";
/// Small enough that a test fills several partitions.
const PARTITION_RECORDS: u64 = 50;

/// Says whether this run's worlds stand on PostgreSQL.
pub(crate) fn is_chosen() -> bool {
    std::env::var(STORE).is_ok_and(|store| store == "postgres")
}

/// Returns the server's URL; prints that it is absent, or fails where it is required.
pub(crate) fn server() -> Option<String> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let url = std::env::var(SERVER).unwrap_or_else(|_| USUAL.to_owned());
        match block(connect(&url)) {
            Ok(_) => Some(url),
            Err(error) => {
                let required = std::env::var(REQUIRE).is_ok_and(|value| value == "1");
                assert!(!required, "{REQUIRE}=1 and no PostgreSQL at {url}: {error}");
                None
            }
        }
    });
    if found.is_none() {
        println!("absent: PostgreSQL (set {SERVER})");
    }
    found.clone()
}

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A schema that is dropped at the end.
pub(crate) struct Schema {
    server: String,
    pub(crate) name: String,
}

impl Schema {
    /// Makes one, if there is a server.
    pub(crate) fn make() -> Option<Self> {
        let server = server()?;
        let name = format!("hq_test_{}_{}", std::process::id(), next());
        let schema = Self { server, name };
        schema.run(&format!("CREATE SCHEMA {}", schema.name)).unwrap();
        Some(schema)
    }

    /// Returns the address of this schema.
    pub(crate) fn url(&self) -> String {
        self.url_at(&self.server)
    }

    /// Returns the address of this schema on another server address, such as a proxy's.
    pub(crate) fn url_at(&self, server: &str) -> String {
        let joint = if server.contains('?') { '&' } else { '?' };
        let name = &self.name;
        format!("{server}{joint}options=-csearch_path%3D{name}&application_name={name}")
    }

    /// Ends every connection of HQs to this schema; returns how many there were.
    pub(crate) fn terminate_connections(&self) -> i64 {
        // The connection that asks has the same name.
        self.number(&format!(
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE application_name = '{}' AND pid <> pg_backend_pid()",
            self.name
        ))
    }

    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    pub(crate) fn database(&self) -> Database {
        Database::Postgres { url: self.url(), partition_records: Some(PARTITION_RECORDS) }
    }

    /// Runs statements behind HQ's back.
    pub(crate) fn run(&self, sql: &str) -> Result<(), String> {
        block(async {
            let client = connect(&self.url()).await.map_err(|error| format!("{error:?}"))?;
            client.batch_execute(sql).await.map_err(|error| format!("{error:?}"))
        })
    }

    /// Returns the number that a question gives.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        block(async {
            connect(&self.url()).await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
        })
    }

    /// Returns the bytes that a question gives.
    pub(crate) fn bytes(&self, sql: &str) -> Vec<u8> {
        block(async {
            connect(&self.url()).await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
        })
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // A world that was stopped without grace may hold locks for a moment.
        let dropped = self.run(&format!("DROP SCHEMA {} CASCADE", self.name));
        if let Err(error) = dropped {
            eprintln!("schema {} stays: {error}", self.name);
        }
    }
}
