//! Logs that this HQ watches, who watches its own, and what they signed.

use sync_model::cose::PublicKey;
use sync_model::hash::Hash;
use sync_model::time::Timestamp;

use super::{Row, StoreError, Tx, params};

/// A log that this HQ cosigns.
#[derive(Clone, Debug)]
pub(crate) struct WatchedLog {
    /// Its name.
    pub(crate) origin: String,
    /// Its key.
    pub(crate) key: PublicKey,
    /// The newest head that was cosigned.
    pub(crate) size: u64,
    /// Its root.
    pub(crate) root: Hash,
}

impl WatchedLog {
    /// Returns a log of which nothing was seen.
    pub(crate) fn new(origin: &str, key: PublicKey) -> Self {
        Self { origin: origin.to_owned(), key, size: 0, root: Hash::of(b"") }
    }
}

/// Somebody who cosigns this HQ's log.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    /// Its name.
    pub(crate) name: String,
    /// Its key.
    pub(crate) key: PublicKey,
    /// What stands before `/add-checkpoint`.
    pub(crate) url: String,
    /// Size of the newest checkpoint that it cosigned.
    pub(crate) size: u64,
}

fn witness(row: &Row<'_>) -> Result<Witness, StoreError> {
    Ok(Witness {
        name: row.get("name")?,
        key: row.get("key")?,
        url: row.get("url")?,
        size: row.get("size")?,
    })
}

impl Tx<'_> {
    /// Returns the watched log of this name.
    pub(crate) fn watched_log(&self, origin: &str) -> Result<Option<WatchedLog>, StoreError> {
        self.first(
            "SELECT origin, key, size, root FROM watched_log WHERE origin = :origin",
            &params! { ":origin": origin },
            |row| {
                Ok(WatchedLog {
                    origin: row.get("origin")?,
                    key: row.get("key")?,
                    size: row.get("size")?,
                    root: row.get("root")?,
                })
            },
        )
    }

    /// Begins to watch a log.
    pub(crate) fn insert_watched_log(&self, log: &WatchedLog) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO watched_log (origin, key, size, root) VALUES (:origin, :key, :size, :root)",
            &params! {
                ":origin": log.origin.as_str(),
                ":key": &log.key,
                ":size": log.size,
                ":root": &log.root,
            },
        )
    }

    /// Keeps a newer head of a watched log.
    pub(crate) fn update_watched_log(&self, log: &WatchedLog) -> Result<(), StoreError> {
        self.run(
            "UPDATE watched_log SET size = :size, root = :root
             WHERE origin = :origin AND size <= :size",
            &params! { ":origin": log.origin.as_str(), ":size": log.size, ":root": &log.root },
        )
    }

    /// Returns the witnesses of this HQ's log; a handful.
    pub(crate) fn witnesses(&self) -> Result<Vec<Witness>, StoreError> {
        self.rows("SELECT name, key, url, size FROM witness ORDER BY name", &params! {}, witness)
    }

    /// Adds a witness or changes its address.
    pub(crate) fn put_witness(&self, witness: &Witness) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO witness (name, key, url, size) VALUES (:name, :key, :url, :size)
             ON CONFLICT (name) DO UPDATE SET url = excluded.url",
            &params! {
                ":name": witness.name.as_str(),
                ":key": &witness.key,
                ":url": witness.url.as_str(),
                ":size": witness.size,
            },
        )
    }

    /// Keeps a verified cosignature.
    pub(crate) fn keep_cosignature(
        &self,
        size: u64,
        witness: &str,
        line: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO cosignature (size, witness, line, cosigned_at)
             VALUES (:size, :witness, :line, :now) ON CONFLICT (size, witness) DO NOTHING",
            &params! { ":size": size, ":witness": witness, ":line": line, ":now": now },
        )?;
        self.run(
            "UPDATE witness SET size = :size WHERE name = :witness AND size < :size",
            &params! { ":size": size, ":witness": witness },
        )
    }

    /// Returns the signature lines under the checkpoint of this size.
    pub(crate) fn cosignatures(&self, size: u64) -> Result<Vec<String>, StoreError> {
        self.rows(
            "SELECT line FROM cosignature WHERE size = :size ORDER BY witness",
            &params! { ":size": size },
            |row| row.get("line"),
        )
    }
}
