//! Where the HQ of the bench keeps its records: a folder, or a database of its own in PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, bail};
use hq::{Database, Hq, SystemClock};

use crate::process::folder_bytes;

/// Where a PostgreSQL answers unless `XUNZHENG_TEST_POSTGRES` says otherwise.
const SERVER: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// An HQ's folder and store.
pub(crate) struct Place {
    pub(crate) data: PathBuf,
    pub(crate) database: Database,
    /// Server and database to drop at the end.
    made: Option<(String, String)>,
}

impl Place {
    /// Makes the place; in PostgreSQL a database that is dropped with it.
    pub(crate) fn make(store: &str, data: &Path) -> anyhow::Result<Self> {
        let data = data.to_owned();
        match store {
            "sqlite" => Ok(Self { data, database: Database::Embedded, made: None }),
            "postgres" => {
                let server = std::env::var("XUNZHENG_TEST_POSTGRES");
                let server = server.unwrap_or_else(|_| SERVER.to_owned());
                let name = format!("xunzheng_bench_{}", std::process::id());
                psql(&server, &format!("DROP DATABASE IF EXISTS {name}"))?;
                psql(&server, &format!("CREATE DATABASE {name}"))?;
                let (address, _) = server.rsplit_once('/').context("address of PostgreSQL")?;
                let database = Database::postgres(&format!("{address}/{name}"));
                Ok(Self { data, database, made: Some((server, name)) })
            }
            other => bail!("store {other} is not known: sqlite or postgres"),
        }
    }

    /// Returns the words that start HQ here.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = vec![self.data.to_string_lossy().into_owned()];
        if let Database::Postgres { url, .. } = &self.database {
            words.push(url.clone());
        }
        words
    }

    pub(crate) fn open(&self) -> anyhow::Result<Hq> {
        Ok(Hq::open_on(&self.data, &self.database, Arc::new(SystemClock))?)
    }

    /// Returns the bytes that the store takes.
    pub(crate) fn bytes(&self) -> anyhow::Result<u64> {
        match &self.made {
            None => folder_bytes(&self.data),
            Some((server, name)) => {
                Ok(psql(server, &format!("SELECT pg_database_size('{name}')"))?.trim().parse()?)
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.made {
            // What is left behind is dropped by the next bench of the same number.
            psql(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).ok();
        }
    }
}

fn psql(server: &str, sql: &str) -> anyhow::Result<String> {
    let output = Command::new("psql")
        .args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, server])
        .output()
        .context("absent: psql, which makes the database")?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        bail!("psql: {}", String::from_utf8_lossy(&output.stderr).trim())
    }
}
