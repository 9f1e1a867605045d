//! The store of a province: PostgreSQL, with any number of HQ processes on it.
//!
//! Whoever writes holds one lock from before he reads the size of the log until his commit, so
//! places in the log are given out one after another, whatever process does it and whenever one
//! dies. A commit whose answer was lost is settled by the device: it sends again and its records
//! are found by place and hash. Every wait is bounded; a server that is away makes writes and reads
//! answer `Busy`.

mod collect;
mod connection;
mod error;
mod migrate;
#[cfg(test)]
pub(super) mod scratch;
mod statement;
mod translate;
mod value;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{Config, NoTls};

use super::StoreError;
use super::tx::Connection;
use connection::PostgresConnection;

/// How long making a connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(3);
/// How long the other end may leave what was sent unconfirmed.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long nobody tries again after a connection could not be made.
const REST: Duration = Duration::from_millis(250);
/// Records in one partition, unless said otherwise: about ten gigabytes.
const PARTITION_RECORDS: u64 = 10_000_000;
/// What every session promises: durable commits, bounded statements and locks, and a lock that
/// ends soon if its process stands still.
const SESSION: &str = "
SET statement_timeout = '10s';
SET lock_timeout = '8s';
SET idle_in_transaction_session_timeout = '15s';
SET client_encoding = 'UTF8';
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local');";

/// A server and a schema on it.
pub(super) struct Postgres {
    config: Config,
    partition_records: u64,
    /// When the last try to connect failed.
    failed_at: Mutex<Option<Instant>>,
}

impl Postgres {
    /// Takes `postgres://user:password@host:port/database`, also with `?options=-csearch_path%3D…`.
    ///
    /// # Errors
    /// [`StoreError::Address`].
    pub(super) fn at(url: &str, partition_records: Option<u64>) -> Result<Self, StoreError> {
        let mut config: Config =
            url.parse().map_err(|error| StoreError::Address(Box::new(error)))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WAIT);
        }
        config.tcp_user_timeout(SILENCE_MAX).keepalives_idle(SILENCE_MAX);
        if config.get_application_name().is_none() {
            config.application_name("xunzheng-hq");
        }
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let partition_records = partition_records.unwrap_or(PARTITION_RECORDS).max(1);
        Ok(Self { config, partition_records, failed_at: Mutex::new(None) })
    }

    /// Brings the schema to the newest version; gives `role` the rights that serving needs.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Older`], or why the server cannot be reached.
    pub(super) fn migrate(&self, role: Option<&str>) -> Result<(), StoreError> {
        let connection = self.connect()?;
        let durable: Option<bool> = connection.ask(
            "SELECT current_setting('fsync')::boolean AND current_setting('full_page_writes')::boolean",
        )?;
        if durable != Some(true) {
            tracing::warn!("PostgreSQL runs without fsync: a power cut loses what was receipted");
        }
        migrate::migrate(&connection)?;
        role.map_or(Ok(()), |role| migrate::grant(&connection, role))
    }

    fn connect(&self) -> Result<PostgresConnection, StoreError> {
        let mut failed_at = self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        if failed_at.is_some_and(|at| at.elapsed() < REST) {
            return Err(StoreError::Busy);
        }
        drop(failed_at);
        let connected = self.try_connect();
        failed_at = self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        *failed_at = connected.is_err().then(Instant::now);
        connected
    }

    fn try_connect(&self) -> Result<PostgresConnection, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StoreError::File)?;
        let connecting = async {
            let connected =
                tokio::time::timeout(CONNECT_WAIT.saturating_mul(2), self.config.connect(NoTls));
            let (client, connection) = connected.await.map_err(|_| StoreError::Busy)??;
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "connection to PostgreSQL ended");
                }
            });
            Ok::<_, StoreError>(client)
        };
        let client = runtime.block_on(connecting)?;
        let connection = PostgresConnection::new(runtime, client, self.partition_records);
        connection.batch(SESSION)?;
        Ok(connection)
    }
}

impl super::Connect for Postgres {
    fn copy_to(&self, _: &std::path::Path) -> Result<(), StoreError> {
        Err(StoreError::Database(
            "back up PostgreSQL with pg_dump or point-in-time recovery, and the objects apart"
                .into(),
        ))
    }

    fn writer(&self) -> Result<Box<dyn Connection>, StoreError> {
        Ok(Box::new(self.connect()?))
    }

    fn reader(&self) -> Result<Box<dyn Connection>, StoreError> {
        Ok(Box::new(self.connect()?))
    }
}
