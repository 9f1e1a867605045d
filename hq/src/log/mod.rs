//! What anybody may know of the log: its signed state, that it only grew, and its static files.

mod publish;

use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof;
use sync_model::log::tile::Tile;
use sync_model::log::tree;
use sync_model::wire::problem::ProblemCode;

use crate::error::{HqError, refuse};
use crate::hq::{Hq, Inner};
use crate::store::{LogNodes, StoreError, Tx};

/// Name under which the store notes for how many leaves there are files where the objects lie.
pub(crate) const FILES: &str = "log_files";
/// Name under which the store notes how many leaves are published; what was once shown to anybody
/// never goes back.
pub(crate) const PUBLISHED: &str = "log_published";
/// Folder of the static files among the objects.
const FOLDER: &str = "log";
/// Largest static file: a bundle of 256 entries of 49 bytes is a twentieth of it.
const FILE_BYTES_MAX: u64 = 256 * 1024;

fn too_short() -> HqError {
    refuse(ProblemCode::Malformed, "the log is not that long")
}

impl Hq {
    /// Returns the signed checkpoint.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn log_checkpoint(&self) -> Result<String, HqError> {
        self.0.store.read(|tx| Ok(self.0.checkpoint(&LogNodes::open(tx)?)?))
    }

    /// Returns the proof that the first `from` leaves are a prefix of the first `to`; of all leaves
    /// if `to` is not given.
    ///
    /// # Errors
    /// [`ProblemCode::Malformed`] if the log has fewer leaves.
    pub fn log_consistency(&self, from: u64, to: Option<u64>) -> Result<Vec<Hash>, HqError> {
        self.0.store.read(|tx| {
            let log = LogNodes::open(tx)?;
            let to = to.unwrap_or(log.size());
            if from > to || to > log.size() {
                return Err(too_short());
            }
            Ok(proof::consistency(&log, from, to)?)
        })
    }

    /// Returns the proof that leaf `index` stands in the log of the first `size` leaves; of all
    /// leaves if `size` is not given.
    ///
    /// # Errors
    /// [`ProblemCode::Malformed`] if the log has fewer leaves.
    pub fn log_inclusion(&self, index: u64, size: Option<u64>) -> Result<Vec<Hash>, HqError> {
        self.0.store.read(|tx| {
            let log = LogNodes::open(tx)?;
            let size = size.unwrap_or(log.size());
            if index >= size || size > log.size() {
                return Err(too_short());
            }
            Ok(proof::inclusion(&log, index, size)?)
        })
    }

    /// Returns the checkpoint of what is published, with the cosignatures of its witnesses. It never
    /// goes back, whichever process is asked.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn published_checkpoint(&self) -> Result<String, HqError> {
        self.0.store.read(|tx| self.0.published_note(tx))
    }

    /// Returns a static file of the log; `None` if no published size has it.
    ///
    /// # Errors
    /// If the object store fails.
    pub fn log_file(&self, tile: &Tile) -> Result<Option<Vec<u8>>, HqError> {
        self.0.objects.get(&format!("{FOLDER}/{tile}"), FILE_BYTES_MAX)
    }
}

impl Inner {
    /// Returns the signed checkpoint over the first `size` leaves; the same bytes each time.
    pub(crate) fn checkpoint_at(
        &self,
        log: &LogNodes<'_, '_>,
        size: u64,
    ) -> Result<String, StoreError> {
        let root = tree::root(log, size)?;
        Ok(Checkpoint { origin: self.keys.log_origin(), size, root }.sign(&self.keys.log))
    }

    fn published_note(&self, tx: &Tx<'_>) -> Result<String, HqError> {
        let size = tx.progress(PUBLISHED)?;
        let mut note = self.checkpoint_at(&LogNodes::open(tx)?, size)?;
        for line in tx.cosignatures(size)? {
            note.push_str(&line);
        }
        Ok(note)
    }
}
