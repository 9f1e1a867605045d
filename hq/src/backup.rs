//! Online backup of a data folder and its restore.
//!
//! The database is copied first, by the database's own means and in one snapshot; then the keys and
//! every file that the snapshot calls whole. A file is in place before it is called whole and never
//! changes, so that the copy is consistent whatever happens meanwhile. A backup into the same folder
//! again copies only new files. Parts of unfinished uploads are left out: their devices send them
//! again.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sync_model::hash::Hash;

use crate::archive::{self, Replayed};
use crate::blob;
use crate::clock::HqClock;
use crate::durable;
use crate::error::HqError;
use crate::hq::Hq;
use crate::log;
use crate::objects::{self, Objects, Place};
use crate::store::{Store, StoreError};

/// Says that a folder is a backup, and of what.
const MANIFEST: &str = "backup.json";
/// Folder of files in a backup.
const FILES: &str = "blobs";
/// Files looked up at once.
const STEP: u64 = 1000;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// The log as the backup has it: a device that saw a longer one refuses this HQ.
    pub checkpoint: String,
    /// Records.
    pub records: u64,
    /// Files copied into the backup; 0 if they lie in a bucket.
    pub files: u64,
    /// Files that were there from an earlier backup.
    pub files_kept: u64,
    /// Bucket that holds the files and is not copied; it needs a copy of its own.
    pub bucket: Option<String>,
}

impl Hq {
    /// Copies store, keys and files to `to`, beside a running server.
    ///
    /// # Errors
    /// If something cannot be copied; then `to` holds no backup, or the earlier one's files.
    pub fn backup(&self, data: &Path, to: &Path) -> Result<Backup, HqError> {
        durable::create_folder(to).map_err(HqError::io("create backup folder"))?;
        let manifest = to.join(MANIFEST);
        match std::fs::remove_file(&manifest) {
            // Until the new one is whole, this is no backup.
            Ok(()) => durable::sync_folder(to).map_err(HqError::io("sync backup folder"))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(HqError::io("replace manifest")(error)),
        }
        self.0.store.copy_to(to)?;
        copy_keys(data, to)?;
        let copied = Hq::open(to, self.0.clock())?;
        copied.0.store.write::<_, HqError, _>(|tx| Ok(archive::set_aside(tx)?))?;
        if self.0.objects.folder().is_some() {
            // In a backup, and in what is restored from it, files lie beside the store.
            copied.0.store.write::<_, HqError, _>(|tx| {
                tx.unset(objects::SETTING)?;
                // The published files are not copied: they follow from the store.
                Ok(tx.forget_progress(log::FILES)?)
            })?;
        }
        let checkpoint = copied.log_checkpoint()?;
        let mut backup = Backup {
            checkpoint,
            records: copied.counts()?.records,
            files: 0,
            files_kept: 0,
            bucket: None,
        };
        if self.0.objects.folder().is_some() {
            let target = Objects::open(&Place::Folder(to.join(FILES)))?;
            copied.copy_files(&self.0.objects, &target, &mut backup)?;
        } else {
            backup.bucket = Some(self.0.place.to_string());
        }
        let text = serde_json::to_vec_pretty(&backup)
            .map_err(|error| HqError::io("write manifest")(error.into()))?;
        durable::write_secret(&manifest, &text).map_err(HqError::io("write manifest"))?;
        Ok(backup)
    }

    /// Copies every file that this store calls whole.
    fn copy_files(
        &self,
        source: &Objects,
        target: &Objects,
        backup: &mut Backup,
    ) -> Result<(), HqError> {
        let mut after: Option<Hash> = None;
        loop {
            let files = self
                .0
                .store
                .read::<_, HqError>(|tx| Ok(tx.complete_blobs(after.as_ref(), STEP)?))?;
            let Some((last, _)) = files.last() else { return Ok(()) };
            after = Some(*last);
            for (sha256, bytes) in &files {
                let name = blob::whole(sha256);
                // Of an earlier run; `verify-log` after a restore reads every byte.
                if target.find(&name)?.is_some_and(|found| found.bytes == *bytes) {
                    backup.files_kept += 1;
                    continue;
                }
                let mut copy = target.upload(&name);
                source.read(&name, *bytes, |piece| copy.write(piece))?;
                copy.finish()?;
                backup.files += 1;
            }
        }
    }

    /// Makes `data` from the backup in `from`, and brings it up to `archive`. A device that saw a
    /// longer log than comes back refuses it; run `verify-log` before HQ is served again.
    ///
    /// # Errors
    /// [`HqError::AlreadyInitialized`] if `data` holds an HQ; [`HqError::NotInitialized`] if `from`
    /// holds no whole backup.
    pub fn restore(
        from: &Path,
        data: &Path,
        archive: Option<&Place>,
        clock: Arc<dyn HqClock>,
    ) -> Result<(Self, Backup, Replayed), HqError> {
        if Store::is_in(data) {
            return Err(HqError::AlreadyInitialized(data.to_owned()));
        }
        let manifest = std::fs::read(from.join(MANIFEST))
            .map_err(|_| HqError::NotInitialized(from.to_owned()))?;
        let backup: Backup = serde_json::from_slice(&manifest)
            .map_err(|_| StoreError::Damaged("backup manifest"))?;
        durable::create_folder(data).map_err(HqError::io("create data folder"))?;
        copy_keys(from, data)?;
        let source = Hq::open(from, Arc::clone(&clock))?;
        if backup.bucket.is_none() {
            let target = Objects::open(&Place::Folder(data.join(FILES)))?;
            let mut copied = backup.clone();
            let files = Objects::open(&Place::Folder(from.join(FILES)))?;
            source.copy_files(&files, &target, &mut copied)?;
        }
        // The store last: a restore that was cut short can be run again.
        source.0.store.copy_to(data)?;
        let hq = Self::open(data, clock)?;
        let replayed = hq.continue_archive(archive)?;
        hq.publish_log()?;
        Ok((hq, backup, replayed))
    }
}

fn copy_keys(from: &Path, to: &Path) -> Result<(), HqError> {
    let (from, to) = (from.join("keys"), to.join("keys"));
    durable::create_folder(&to).map_err(HqError::io("create key folder"))?;
    for entry in std::fs::read_dir(&from).map_err(HqError::io("read keys"))? {
        let entry = entry.map_err(HqError::io("read keys"))?;
        let bytes = std::fs::read(entry.path()).map_err(HqError::io("read key"))?;
        durable::write_secret(&to.join(entry.file_name()), &bytes)
            .map_err(HqError::io("write key"))?;
    }
    Ok(())
}
