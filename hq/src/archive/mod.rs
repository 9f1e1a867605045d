//! The archive: a second copy of every record and every whole file, read back and checked.
//!
//! With it a record is kept twice, and R3 can be said: everything up to a seq, with all its files,
//! is in the store and in the archive, under a checkpoint that a quorum of witnesses cosigned.
//! Without a witness R3 is never said. Archiving can be stopped anywhere and repeated: an object's
//! name stands for its content, and it is noted only after it was read back.

mod pack;
mod replay;

use sha2::{Digest, Sha256};
use sync_model::chain::Head;
use sync_model::hash::Hash;
use sync_model::id::DeviceId;

use crate::blob;
use crate::error::{AdminError, HqError};
use crate::hq::{Hq, Inner};
use crate::objects::{Objects, Place};
use crate::store::{StoreError, Tx};
use crate::witness::WITNESSED;

pub use replay::Replayed;
pub(crate) use replay::set_aside;

/// Setting: where the archive is.
const PLACE: &str = "archive";
/// Setting in a backup: where the archive was. A copy that is served as it is must not write there.
const PLACE_BEFORE: &str = "archive_before";
/// Files looked up at once.
const FILES: u32 = 100;

/// What one round of archiving did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// Records added.
    pub records: u64,
    /// Files added.
    pub files: u64,
    /// Files that could not be: missing or damaged in the store. See the log.
    pub failed: u64,
}

/// What is to be archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Records alone.
    Records,
    /// Records and files.
    All,
}

impl Hq {
    /// Sets where the archive is. It must not be where the files themselves are.
    ///
    /// # Errors
    /// If there is another archive already: its copies would be forgotten.
    pub fn set_archive(&self, place: &Place) -> Result<(), HqError> {
        let text = place.to_string();
        let objects = self.0.place.to_string();
        if text == objects {
            return Err(AdminError::OutOfRange("the archive must be another place").into());
        }
        let known = self.0.store.read::<_, HqError>(|tx| Ok(tx.setting(PLACE)?))?;
        if known.as_ref() != Some(&text) {
            let mut packs = 0_u64;
            Objects::open(place)?.list(pack::FOLDER, |_| {
                packs += 1;
                Ok(())
            })?;
            if packs > 0 {
                let why = "an archive is there already: `restore` from it, or take an empty place";
                return Err(AdminError::OutOfRange(why).into());
            }
        }
        self.0.store.write(move |tx| match tx.setting(PLACE)? {
            Some(known) if known == text => Ok(()),
            Some(_) if tx.archived_records()? > 0 => Err(AdminError::OutOfRange(
                "there is an archive at another place: copy it there and change the setting",
            )
            .into()),
            _ => Ok(tx.set(PLACE, &text)?),
        })
    }

    /// Copies what is not archived yet; does nothing where no archive is set.
    ///
    /// # Errors
    /// If store or archive fail. What was archived stays archived.
    pub fn archive(&self) -> Result<Archived, HqError> {
        self.archive_what(What::All)
    }

    pub(crate) fn archive_what(&self, what: What) -> Result<Archived, HqError> {
        let due = self.0.store.read::<_, HqError>(|tx| {
            let records = tx.archived_records()? < tx.log_size()?;
            Ok(records || what == What::All && !tx.blobs_to_archive(None, 1)?.is_empty())
        })?;
        if !due {
            return Ok(Archived::default());
        }
        let Some(archive) = self.open_archive()? else { return Ok(Archived::default()) };
        let mut done = Archived { records: self.archive_records(&archive)?, ..Archived::default() };
        if what == What::All {
            (done.files, done.failed) = self.archive_files(&archive)?;
        }
        Ok(done)
    }

    fn open_archive(&self) -> Result<Option<Objects>, HqError> {
        let set = self.0.store.read::<_, HqError>(|tx| Ok(tx.setting(PLACE)?))?;
        let place = set.map(|text| text.parse::<Place>());
        let place = place.transpose().map_err(|_| StoreError::Damaged("archive setting"))?;
        place.map(|place| Objects::open(&place)).transpose()
    }

    fn archive_files(&self, archive: &Objects) -> Result<(u64, u64), HqError> {
        let (mut files, mut failed, mut after) = (0, 0, None);
        loop {
            let queue = self
                .0
                .store
                .read::<_, HqError>(|tx| Ok(tx.blobs_to_archive(after.as_ref(), FILES)?))?;
            let Some((last, _)) = queue.last() else { return Ok((files, failed)) };
            after = Some(*last);
            for (sha256, bytes) in queue {
                if self.archive_file(archive, &sha256, bytes)? {
                    files += 1;
                } else {
                    failed += 1;
                }
            }
        }
    }

    /// Copies one file and reads it back; says whether it is archived now.
    fn archive_file(&self, archive: &Objects, sha256: &Hash, bytes: u64) -> Result<bool, HqError> {
        let name = blob::whole(sha256);
        let right = Some((*sha256, bytes));
        // Already there after a crash between copy and note, or from an earlier archive.
        if archive.hash(&name)? != right {
            let (mut copy, mut digest) = (archive.upload(&name), Sha256::new());
            let read = self.0.objects.read(&name, bytes, |piece| {
                digest.update(piece);
                copy.write(piece)
            });
            if let Err(error) = read {
                tracing::error!(%error, file = %sha256, "file cannot be archived");
                return Ok(false);
            }
            // Looked at before it gets its name: another archiver may look there at any time.
            if Hash(digest.finalize().into()) != *sha256 {
                tracing::error!(file = %sha256, "file is damaged and was not archived");
                return Ok(false);
            }
            copy.finish()?;
            if archive.hash(&name)? != right {
                archive.remove(&name)?;
                tracing::error!(file = %sha256, "file was damaged on its way to the archive");
                return Ok(false);
            }
        }
        let noted = *sha256;
        self.0.store.write::<_, HqError, _>(move |tx| Ok(tx.blob_archived(&noted)?))?;
        Ok(true)
    }
}

impl Inner {
    /// Returns the seq up to which everything of the device is at R3; 0 for none.
    pub(crate) fn archived_seq(
        &self,
        tx: &Tx<'_>,
        device: DeviceId,
        head: Option<Head>,
    ) -> Result<u64, StoreError> {
        let (witnessed, archived) = (tx.progress(WITNESSED)?, tx.archived_records()?);
        let covered = witnessed.min(archived);
        if covered == 0 {
            return Ok(0);
        }
        // A file that is not archived holds back its record and all after it.
        let bound = tx.first_unarchived(device)?.map_or(covered, |index| index.min(covered));
        let newest = head.map_or(0, |head| head.seq);
        // The log keeps the order of the chain, so that indices rise with the seq.
        let (mut low, mut high) = (0, newest);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let held = tx.records_at(device, middle, middle)?;
            let index = held.first().map(|(_, held)| held.log_index);
            if index.is_some_and(|index| index < bound) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(low)
    }
}
