//! The folder of files: parts that grow, whole files by hash, and what turned out to be neither.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sync_model::hash::Hash;
use sync_model::wire::problem::ProblemCode;

use crate::durable;
use crate::error::{HqError, refuse};

/// Locks that all blobs share; two uploads of one blob always meet at the same one.
const LOCKS: usize = 64;

/// The folder of files.
pub(crate) struct BlobFolder {
    folder: PathBuf,
    locks: Vec<Mutex<()>>,
}

impl BlobFolder {
    pub(crate) fn open(data: &Path) -> Result<Self, HqError> {
        let folder = data.join("blobs");
        for name in ["partial", "quarantine"] {
            durable::create_folder(&folder.join(name)).map_err(HqError::io("create folder"))?;
        }
        Ok(Self { folder, locks: std::iter::repeat_with(Mutex::default).take(LOCKS).collect() })
    }

    /// Returns where the whole file stands.
    pub(crate) fn whole(&self, sha256: &Hash) -> PathBuf {
        let name = sha256.hex();
        let shelf: String = name.chars().take(2).collect();
        self.folder.join(shelf).join(name)
    }

    fn partial(&self, sha256: &Hash) -> PathBuf {
        self.folder.join("partial").join(sha256.hex())
    }

    pub(super) fn partial_length(&self, sha256: &Hash) -> Result<u64, HqError> {
        match self.partial(sha256).metadata() {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(HqError::io("look at part")(error)),
        }
    }

    pub(super) fn lock(&self, sha256: &Hash) -> Option<MutexGuard<'_, ()>> {
        let place = sha256.0.first().map_or(0, |byte| usize::from(*byte) % LOCKS);
        self.locks.get(place).map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes `bytes` at `offset`, the end of the part, and syncs them.
    pub(super) fn append(&self, sha256: &Hash, offset: u64, bytes: &[u8]) -> Result<(), HqError> {
        let path = self.partial(sha256);
        let new = !path.exists();
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(HqError::io("open part"))?;
        let written = file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| file.write_all(bytes))
            .and_then(|()| file.sync_all());
        if let Err(error) = written {
            cut_back(&file, offset);
            return Err(HqError::io("write chunk")(error));
        }
        if new {
            let folder = self.folder.join("partial");
            durable::sync_folder(&folder).map_err(HqError::io("sync folder"))?;
        }
        Ok(())
    }

    /// Moves the part into place if it is the file it should be.
    pub(super) fn finish(&self, sha256: &Hash, length: u64) -> Result<(), HqError> {
        let partial = self.partial(sha256);
        let (found, found_length) =
            durable::hash_file(&partial).map_err(HqError::io("hash part"))?;
        if found != *sha256 || found_length != length {
            let aside = self.folder.join("quarantine").join(format!("{sha256}-is-{found}"));
            durable::rename(&partial, &aside).map_err(HqError::io("move part aside"))?;
            return Err(refuse(ProblemCode::BadDigest, "file does not match its hash"));
        }
        let whole = self.whole(sha256);
        if let Some(shelf) = whole.parent() {
            durable::create_folder(shelf).map_err(HqError::io("create folder"))?;
        }
        durable::rename(&partial, &whole).map_err(HqError::io("move file into place"))?;
        // The old name is gone for good only when its folder is synced too.
        durable::sync_folder(&self.folder.join("partial")).map_err(HqError::io("sync folder"))
    }
}

/// Takes back a chunk that could not be written; best effort, the whole hash decides.
fn cut_back(file: &File, offset: u64) {
    if file.set_len(offset).is_err() {
        tracing::error!("part could not be cut back after a failed write");
    }
}
