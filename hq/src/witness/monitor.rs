//! Follows a log from outside, by its static files alone, and says loudly when it goes back or
//! forks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use reqwest::blocking::Client;
use sync_model::hash::Hash;
use sync_model::log::note::{Checkpoint, NoteError};
use sync_model::log::proof::{self, consistency_holds};
use sync_model::log::tile::{Row, Tile, WIDTH};
use sync_model::log::tree::{Nodes, node_hash};
use sync_model::log::witness::NamedKey;
use thiserror::Error;

use crate::durable;

const PATIENCE: Duration = Duration::from_secs(30);
/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Levels of the tree in one row of tiles.
const ROW_LEVELS: u32 = 8;

/// What following brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Size before; `None` the first time.
    pub before: Option<u64>,
    /// Size now.
    pub size: u64,
    /// Root now.
    pub root: Hash,
}

/// Why the log cannot be believed, or not be read.
#[derive(Debug, Error)]
pub enum MonitorError {
    /// It has fewer leaves than it once had.
    #[error(
        "ROLLBACK: the log had {before} leaves and now has {size}; keep the state file as evidence"
    )]
    Rollback {
        /// Once.
        before: u64,
        /// Now.
        size: u64,
    },
    /// It is another log.
    #[error(
        "FORK: the log of {size} leaves does not extend the one of {before} seen before; keep the state file as evidence"
    )]
    Fork {
        /// Once.
        before: u64,
        /// Now.
        size: u64,
    },
    /// The checkpoint is not signed by the log's key.
    #[error("checkpoint: {0}")]
    Checkpoint(NoteError),
    /// The state file holds no checkpoint of this log.
    #[error("state file: {0}")]
    State(NoteError),
    /// The state file cannot be read or written.
    #[error("state file: {0}")]
    File(#[source] std::io::Error),
    /// The log cannot be read; that says nothing about it.
    #[error("the log cannot be read: {0}")]
    Unreachable(String),
}

impl MonitorError {
    /// Says whether the log itself is at fault, not the way to it.
    #[must_use]
    pub fn is_evidence(&self) -> bool {
        matches!(self, Self::Rollback { .. } | Self::Fork { .. })
    }
}

/// Reads the log at `url` once, compares it with the checkpoint in `state`, and keeps the new one
/// there if it extends it. A contradiction leaves `state` as it is.
///
/// # Errors
/// See [`MonitorError`].
pub fn follow(url: &str, log: &NamedKey, state: &Path) -> Result<Followed, MonitorError> {
    let files = Files::of(url)?;
    let note = String::from_utf8(files.get("checkpoint")?)
        .map_err(|_| MonitorError::Checkpoint(NoteError::Malformed))?;
    let now = Checkpoint::open(&note, &log.name, &log.key).map_err(MonitorError::Checkpoint)?;
    let before = match std::fs::read_to_string(state) {
        Ok(kept) => {
            Some(Checkpoint::open(&kept, &log.name, &log.key).map_err(MonitorError::State)?)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(MonitorError::File(error)),
    };
    if let Some(before) = &before {
        if now.size < before.size {
            return Err(MonitorError::Rollback { before: before.size, size: now.size });
        }
        let tiles = Tiles { files, size: now.size, kept: RefCell::default() };
        let path = proof::consistency(&tiles, before.size, now.size)?;
        if !consistency_holds(before.size, before.root, now.size, now.root, &path) {
            return Err(MonitorError::Fork { before: before.size, size: now.size });
        }
    }
    durable::write_secret(state, note.as_bytes()).map_err(MonitorError::File)?;
    Ok(Followed { before: before.map(|before| before.size), size: now.size, root: now.root })
}

struct Files {
    base: String,
    client: Client,
}

impl Files {
    fn of(url: &str) -> Result<Self, MonitorError> {
        let client = Client::builder()
            .timeout(PATIENCE)
            .build()
            .map_err(|error| MonitorError::Unreachable(error.to_string()))?;
        Ok(Self { base: url.trim_end_matches('/').to_owned(), client })
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, MonitorError> {
        let unreachable =
            |error: &dyn std::error::Error| MonitorError::Unreachable(format!("{path}: {error}"));
        let answer = self
            .client
            .get(format!("{}/{path}", self.base))
            .send()
            .and_then(reqwest::blocking::Response::error_for_status)
            .map_err(|error| unreachable(&error))?;
        let mut bytes = Vec::new();
        answer.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| unreachable(&error))?;
        Ok(bytes)
    }
}

/// The tree as its tiles tell it.
struct Tiles {
    files: Files,
    size: u64,
    kept: RefCell<BTreeMap<Tile, Vec<Hash>>>,
}

impl Tiles {
    fn tile(&self, row: u8, index: u64) -> Result<Vec<Hash>, MonitorError> {
        let filled = self.size >> (u32::from(row) * ROW_LEVELS);
        let width = WIDTH.min(filled.saturating_sub(index.saturating_mul(WIDTH)));
        let mut tile = Tile { row: Row::Hashes(row), index, width };
        if let Some(hashes) = self.kept.borrow().get(&tile) {
            return Ok(hashes.clone());
        }
        let bytes = match self.files.get(&tile.to_string()) {
            // A partial file may be gone when the full one is there.
            Err(_) if !tile.is_full() => {
                tile.width = WIDTH;
                self.files.get(&tile.to_string())?
            }
            other => other?,
        };
        let hashes: Vec<Hash> = bytes.chunks_exact(32).filter_map(Hash::from_slice).collect();
        if u64::try_from(hashes.len()) != Ok(tile.width) {
            return Err(MonitorError::Unreachable(format!("{tile} has the wrong length")));
        }
        tile.width = width;
        self.kept.borrow_mut().insert(tile, hashes.clone());
        Ok(hashes)
    }
}

impl Nodes for Tiles {
    type Error = MonitorError;

    fn node(&self, level: u32, index: u64) -> Result<Hash, MonitorError> {
        let row = level / ROW_LEVELS;
        let above = level % ROW_LEVELS;
        if above > 0 {
            // A tile holds the lowest level of its row; the others follow from it.
            let left = self.node(level - 1, index * 2)?;
            let right = self.node(level - 1, index * 2 + 1)?;
            return Ok(node_hash(&left, &right));
        }
        let row = u8::try_from(row).unwrap_or(u8::MAX);
        let hashes = self.tile(row, index / WIDTH)?;
        let place = usize::try_from(index % WIDTH).unwrap_or(usize::MAX);
        let missing = || MonitorError::Unreachable(format!("no hash {index} of level {level}"));
        hashes.get(place).copied().ok_or_else(missing)
    }
}
