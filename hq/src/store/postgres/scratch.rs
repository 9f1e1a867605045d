//! A store on a schema of its own, for the unit tests of the folder above.

use super::Postgres;
use super::connection::PostgresConnection;
use crate::store::Store;

/// Tried if `XUNZHENG_TEST_POSTGRES` names no server.
const USUAL: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// A schema that is dropped at the end.
pub(in crate::store) struct Scratch {
    owner: PostgresConnection,
    name: String,
    url: String,
}

impl Scratch {
    /// Makes one; `None` where there is no server and none is required.
    pub(in crate::store) fn make(purpose: &str) -> Option<Self> {
        let server = std::env::var("XUNZHENG_TEST_POSTGRES").unwrap_or_else(|_| USUAL.to_owned());
        let owner = match Postgres::at(&server, None).unwrap().connect() {
            Ok(owner) => owner,
            Err(error) => {
                let required = std::env::var("XUNZHENG_REQUIRE_POSTGRES").is_ok_and(|v| v == "1");
                assert!(!required, "no PostgreSQL at {server}: {error}");
                return None;
            }
        };
        let name = format!("hq_unit_{purpose}_{}", std::process::id());
        owner.batch(&format!("CREATE SCHEMA {name}")).unwrap();
        let joint = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{joint}options=-csearch_path%3D{name}");
        Some(Self { owner, name, url })
    }

    pub(in crate::store) fn store(&self) -> Store {
        Store::open_postgres(&self.url, Some(50)).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.owner.batch(&format!("DROP SCHEMA {} CASCADE", self.name)).unwrap();
    }
}
