//! The handle: one open data folder with its keys, store, files and clock.
//!
//! Routes, commands and the practice profile call plain functions on it; it is cheap to clone.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use sync_model::canonical;
use sync_model::cose::{PublicKey, Signer as _};
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::rulebook::Rulebook;
use sync_model::time::Timestamp;
use sync_model::wire::FEED_BYTES_MAX;
use sync_model::wire::enroll::Trust;

use crate::clock::HqClock;
use crate::durable;
use crate::error::{AdminError, HqError};
use crate::feed::PackedRulebooks;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::objects::{Objects, Place};
use crate::routes::Intake;
use crate::store::{LogNodes, Store, StoreError, Tx};

/// Rulebooks kept decoded; devices in the field pin one of the newest few.
const RULEBOOKS_KEPT: usize = 8;

/// HQ on one data folder.
#[derive(Clone)]
pub struct Hq(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) keys: Keys,
    pub(crate) store: Store,
    pub(crate) objects: Objects,
    /// Where the objects lie.
    pub(crate) place: Place,
    pub(crate) metrics: Metrics,
    pub(crate) intake: Intake,
    /// Whose password is looked at.
    pub(crate) logins: Mutex<()>,
    clock: Arc<dyn HqClock>,
    rulebooks: Mutex<HashMap<Hash, Arc<Rulebook>>>,
    /// Packed rulebooks, by hash and what they differ from.
    pub(crate) packed: Mutex<PackedRulebooks>,
    /// Feed items that name rulebooks, by index.
    pub(crate) named_items: Mutex<HashMap<u64, Vec<u8>>>,
}

/// Where HQ keeps what is not a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Database {
    /// An SQLite file in the data folder; one process serves it.
    #[default]
    Embedded,
    /// A schema on a PostgreSQL server; any number of processes serve it, with the same keys and
    /// files.
    Postgres {
        /// `postgres://user:password@host:port/database`.
        url: String,
        /// Records in one partition of the table of bodies; `None` for the usual number.
        partition_records: Option<u64>,
    },
}

impl Database {
    /// Returns the PostgreSQL at `url`.
    #[must_use]
    pub fn postgres(url: &str) -> Self {
        Self::Postgres { url: url.to_owned(), partition_records: None }
    }

    /// Brings the schema of a PostgreSQL to the newest version, as its owner; gives `role`, if one
    /// is named, the rights that serving needs and no more.
    ///
    /// # Errors
    /// Why it cannot be reached or changed; [`AdminError::OutOfRange`] for an embedded store.
    pub fn migrate(&self, role: Option<&str>) -> Result<(), HqError> {
        match self {
            Self::Embedded => Err(AdminError::OutOfRange(
                "an embedded store migrates itself when it is opened: --database is missing",
            )
            .into()),
            Self::Postgres { url, .. } => Ok(Store::migrate_postgres(url, role)?),
        }
    }

    fn open(&self, data: &Path) -> Result<Store, HqError> {
        Ok(match self {
            Self::Embedded => Store::open(data)?,
            Self::Postgres { url, partition_records } => {
                Store::open_postgres(url, *partition_records)?
            }
        })
    }

    /// Says whether `data` belongs to an HQ with this database.
    fn is_initialized(&self, data: &Path) -> bool {
        match self {
            Self::Embedded => Store::is_in(data),
            // Made last of the keys.
            Self::Postgres { .. } => Keys::are_in(data),
        }
    }
}

/// How a new HQ is to be made.
#[derive(Clone, Debug, Default)]
pub struct InitOptions {
    /// A rulebook to start with.
    pub rulebook: Option<Rulebook>,
}

impl Hq {
    /// Makes keys and an empty embedded store in `data`. An interrupted init can be repeated.
    ///
    /// # Errors
    /// [`HqError::AlreadyInitialized`] if it holds an HQ already.
    pub fn init(
        data: &Path,
        options: &InitOptions,
        clock: Arc<dyn HqClock>,
    ) -> Result<Self, HqError> {
        Self::init_on(data, &Database::Embedded, options, clock)
    }

    /// Makes keys in `data` and an empty store on `database`.
    ///
    /// # Errors
    /// As [`Hq::init`].
    pub fn init_on(
        data: &Path,
        database: &Database,
        options: &InitOptions,
        clock: Arc<dyn HqClock>,
    ) -> Result<Self, HqError> {
        if database.is_initialized(data) {
            return Err(HqError::AlreadyInitialized(data.to_owned()));
        }
        durable::create_folder(data).map_err(HqError::io("create data folder"))?;
        // Keys before the store: a store without its keys could never be opened again.
        Keys::make(data)?;
        drop(database.open(data)?);
        let hq = Self::open_on(data, database, clock)?;
        if let Some(rulebook) = &options.rulebook {
            hq.import_rulebook(rulebook)?;
        }
        Ok(hq)
    }

    /// Opens the HQ in `data` with its embedded store.
    ///
    /// # Errors
    /// [`HqError::NotInitialized`], or why keys or store cannot be used.
    pub fn open(data: &Path, clock: Arc<dyn HqClock>) -> Result<Self, HqError> {
        Self::open_on(data, &Database::Embedded, clock)
    }

    /// Opens the HQ with the keys and files in `data` and the store on `database`.
    ///
    /// # Errors
    /// As [`Hq::open`]; [`HqError::OtherLog`] if the store belongs to other keys.
    pub fn open_on(
        data: &Path,
        database: &Database,
        clock: Arc<dyn HqClock>,
    ) -> Result<Self, HqError> {
        if !database.is_initialized(data) {
            return Err(HqError::NotInitialized(data.to_owned()));
        }
        let (keys, store) = (Keys::read(data)?, database.open(data)?);
        let log_key = keys.log.public();
        let known = match store.read::<_, StoreError>(|tx| tx.log_key())? {
            Some(known) => known,
            None => store.write::<_, StoreError, _>(move |tx| tx.claim_log(&log_key))?,
        };
        if known != log_key {
            return Err(HqError::OtherLog(data.to_owned()));
        }
        let place = Place::of_store(&store, data)?;
        let metrics = Metrics::new(store.group_size());
        let inner = Inner {
            keys,
            objects: Objects::open(&place)?,
            place,
            store,
            metrics,
            intake: Intake::new(),
            logins: Mutex::default(),
            clock,
            rulebooks: Mutex::default(),
            packed: Mutex::default(),
            named_items: Mutex::default(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Opens the HQ in `data`, making one first if the folder holds none.
    ///
    /// # Errors
    /// As [`Hq::open`].
    pub fn open_or_init(data: &Path, clock: Arc<dyn HqClock>) -> Result<Self, HqError> {
        Self::open_or_init_on(data, &Database::Embedded, clock)
    }

    /// Opens the HQ in `data` with the store on `database`, making what is not there yet.
    ///
    /// # Errors
    /// As [`Hq::open_on`].
    pub fn open_or_init_on(
        data: &Path,
        database: &Database,
        clock: Arc<dyn HqClock>,
    ) -> Result<Self, HqError> {
        if database.is_initialized(data) {
            Self::open_on(data, database, clock)
        } else {
            Self::init_on(data, database, &InitOptions::default(), clock)
        }
    }

    /// Returns HQ's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Returns the keys that devices trust.
    #[must_use]
    pub fn trust(&self) -> Trust {
        self.0.keys.trust()
    }

    /// Returns the key that signs the log.
    #[must_use]
    pub fn log_key(&self) -> PublicKey {
        self.trust().log_key
    }
}

impl Inner {
    /// Returns HQ's clock.
    pub(crate) fn clock(&self) -> Arc<dyn HqClock> {
        Arc::clone(&self.clock)
    }

    /// Returns the signed checkpoint over the tree.
    pub(crate) fn checkpoint(&self, log: &LogNodes<'_, '_>) -> Result<String, StoreError> {
        let checkpoint =
            Checkpoint { origin: self.keys.log_origin(), size: log.size(), root: log.root()? };
        Ok(checkpoint.sign(&self.keys.log))
    }

    /// Returns the rulebook with this hash, if HQ ever issued it.
    pub(crate) fn rulebook(
        &self,
        tx: &Tx<'_>,
        hash: &Hash,
    ) -> Result<Option<Arc<Rulebook>>, HqError> {
        let known =
            self.rulebooks.lock().unwrap_or_else(PoisonError::into_inner).get(hash).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let Some(bytes) = tx.rulebook(hash)? else { return Ok(None) };
        if Hash::of(&bytes) != *hash {
            return Err(StoreError::Damaged("rulebook").into());
        }
        let rulebook: Arc<Rulebook> = Arc::new(canonical::from_bytes(&bytes, FEED_BYTES_MAX)?);
        let mut kept = self.rulebooks.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= RULEBOOKS_KEPT {
            kept.clear();
        }
        kept.insert(*hash, Arc::clone(&rulebook));
        Ok(Some(rulebook))
    }
}
