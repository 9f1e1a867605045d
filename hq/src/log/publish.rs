//! The publisher: writes the log's static files (C2SP `tlog-tiles`) after the commit.
//!
//! Every file is derived from stored nodes and records, and a name stands for one content for ever,
//! so that it can be written twice, by two processes, or again after a crash. Files come first, the
//! checkpoint over them after, and the note in the store last:
//!
//! ```text
//! power fails after     there are                          next time
//! some files            files nobody is pointed to         writes them again, the same
//! the checkpoint        files and checkpoint               writes both again, the same
//! the note              everything                         goes on from there
//! ```

use sync_model::log;
use sync_model::log::tile::{self, Row, Tile, WIDTH};

use super::{FILES, FOLDER, PUBLISHED};
use crate::error::HqError;
use crate::hq::Hq;
use crate::store::{LogNodes, StoreError};

/// Most leaves published under one checkpoint; bounds the work between two notes.
const STEP: u64 = 64 * WIDTH;
/// Levels of the tree in one row of tiles.
const ROW_LEVELS: u32 = 8;

impl Hq {
    /// Publishes everything that is committed and returns how many leaves that are.
    ///
    /// # Errors
    /// If store or object store fail; it goes on from there when it is called again.
    pub fn publish_log(&self) -> Result<u64, HqError> {
        loop {
            let (files, published, size) = self.0.store.read::<_, HqError>(|tx| {
                Ok((tx.progress(FILES)?, tx.progress(PUBLISHED)?, tx.log_size()?))
            })?;
            if files >= size {
                return Ok(files);
            }
            // After a move or a restore the files of what was promised come first.
            let next = if files < published { published.min(size) } else { size };
            self.publish_step(files, next.min(files.saturating_add(STEP)), published)?;
        }
    }

    fn publish_step(&self, old: u64, new: u64, published: u64) -> Result<(), HqError> {
        let made = tile::made_by_growth(old, new);
        for tile in &made {
            let bytes = self.tile_bytes(tile)?;
            self.0.objects.put(&format!("{FOLDER}/{tile}"), bytes)?;
        }
        let note = self
            .0
            .store
            .read::<_, HqError>(|tx| Ok(self.0.checkpoint_at(&LogNodes::open(tx)?, new)?))?;
        if new >= published {
            self.0.objects.put(&format!("{FOLDER}/checkpoint"), note.into_bytes())?;
        }
        self.0.store.write::<_, HqError, _>(move |tx| {
            tx.advance(FILES, new)?;
            Ok(tx.advance(PUBLISHED, new)?)
        })?;
        for tile in made.iter().filter(|tile| tile.is_full()) {
            self.remove_partial(tile)?;
        }
        Ok(())
    }

    /// Returns the content of a file from what is stored.
    fn tile_bytes(&self, tile: &Tile) -> Result<Vec<u8>, HqError> {
        self.0.store.read(|tx| match tile.row {
            Row::Entries => {
                let mut bundle = Vec::new();
                let leaves = tx.log_leaves(tile.first(), tile.width)?;
                for (hash, device, seq) in &leaves {
                    let entry = log::entry(hash, *device, *seq);
                    tile::push_entry(&mut bundle, &entry).ok_or(StoreError::Damaged("entry"))?;
                }
                whole(leaves.len(), tile, bundle)
            }
            Row::Hashes(level) => {
                let level = u32::from(level) * ROW_LEVELS;
                let hashes = tx.log_row(level, tile.first(), tile.width)?;
                let bytes = hashes.iter().flat_map(|hash| hash.0).collect();
                whole(hashes.len(), tile, bytes)
            }
        })
    }

    /// Removes the partial files of a tile that is full now: readers fall back to it.
    fn remove_partial(&self, full: &Tile) -> Result<(), HqError> {
        let mut partial = Vec::new();
        self.0.objects.list(&format!("{FOLDER}/{full}.p"), |found| {
            partial.push(found.name);
            Ok(())
        })?;
        partial.iter().try_for_each(|name| self.0.objects.remove(name))
    }
}

fn whole(found: usize, tile: &Tile, bytes: Vec<u8>) -> Result<Vec<u8>, HqError> {
    if u64::try_from(found) == Ok(tile.width) {
        Ok(bytes)
    } else {
        Err(StoreError::Damaged("log").into())
    }
}
