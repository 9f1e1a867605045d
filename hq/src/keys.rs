//! HQ's three keys: issuer, log and feed. Made once, kept as files that only HQ can read.
//!
//! One key, one purpose: a leaked feed key cannot make an officer, a leaked issuer key cannot
//! rewrite the log.

use std::path::{Path, PathBuf};

use sync_model::cose::{Signer, SoftwareKey};
use sync_model::hash::{Hash, hex, unhex};
use sync_model::wire::enroll::Trust;

use crate::durable;
use crate::error::HqError;
use crate::tls;

const NAMES: [&str; 3] = ["issuer", "log", "feed"];

/// The keys in use.
pub(crate) struct Keys {
    pub(crate) issuer: SoftwareKey,
    pub(crate) log: SoftwareKey,
    pub(crate) feed: SoftwareKey,
    /// Cosigns others' logs.
    pub(crate) witness: SoftwareKey,
    /// HQ's own TLS authority, if it made one.
    tls_ca: Option<String>,
}

impl Keys {
    /// Says whether every key is there.
    pub(crate) fn are_in(data: &Path) -> bool {
        NAMES.iter().all(|name| path(data, name).is_file())
    }

    /// Makes the keys that are not there yet: an interrupted init goes on where it stopped.
    pub(crate) fn make(data: &Path) -> Result<(), HqError> {
        let folder = data.join("keys");
        durable::create_folder(&folder).map_err(HqError::io("create key folder"))?;
        for name in NAMES {
            let path = path(data, name);
            if path.is_file() {
                continue;
            }
            let text = format!("{}\n", hex(&random::<32>()?));
            durable::create_secret(&path, text.as_bytes()).map_err(HqError::io("write key"))?;
        }
        Ok(())
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// [`HqError::KeyFolderOpen`], [`HqError::KeyOpenToOthers`] and [`HqError::KeyDamaged`].
    pub(crate) fn read(data: &Path) -> Result<Self, HqError> {
        let folder = data.join("keys");
        // Whoever may write here puts another key in the place of this one.
        if folder.is_dir()
            && durable::is_open_to_others(&folder).map_err(HqError::io("read keys"))?
        {
            return Err(HqError::KeyFolderOpen(folder));
        }
        let [issuer, log, feed] = NAMES;
        let log = read(path(data, log))?;
        // Derived, so that an older data folder and every process of one HQ have it without a new
        // file; the derivation cannot be turned round.
        let witness = Hash::of_parts(&[b"xunzheng/witness-key", &log]);
        Ok(Self {
            issuer: SoftwareKey::from_secret(&read(path(data, issuer))?),
            log: SoftwareKey::from_secret(&log),
            feed: SoftwareKey::from_secret(&read(path(data, feed))?),
            witness: SoftwareKey::from_secret(&witness.0),
            tls_ca: tls::authority(data)?,
        })
    }

    /// Returns what a device trusts from its enrollment on.
    pub(crate) fn trust(&self) -> Trust {
        Trust {
            log_origin: self.log_origin(),
            log_key: self.log.public(),
            issuer_key: self.issuer.public(),
            feed_key: self.feed.public(),
            tls_ca: self.tls_ca.clone(),
        }
    }

    /// Returns the name under which this HQ cosigns.
    pub(crate) fn witness_name(&self) -> String {
        format!("{}/witness", self.log_origin())
    }

    /// Returns the log's name: it changes with the key, so that two logs never share one.
    pub(crate) fn log_origin(&self) -> String {
        let key = hex(&self.log.public().0);
        format!("xunzheng-hq/{}", key.chars().take(8).collect::<String>())
    }
}

fn path(data: &Path, name: &str) -> PathBuf {
    data.join("keys").join(name).with_extension("key")
}

fn read(path: PathBuf) -> Result<[u8; 32], HqError> {
    if !path.is_file() {
        return Err(HqError::KeyDamaged(path));
    }
    if durable::is_open_to_others(&path).map_err(HqError::io("read key"))? {
        return Err(HqError::KeyOpenToOthers(path));
    }
    let text = std::fs::read_to_string(&path).map_err(HqError::io("read key"))?;
    let secret = unhex(text.trim()).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    secret.ok_or(HqError::KeyDamaged(path))
}

/// Returns random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], HqError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| HqError::Random)?;
    Ok(bytes)
}
