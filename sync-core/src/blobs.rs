//! Evidence files by content hash: written once, durably, before any record cites them.
//!
//! A file's name is its SHA-256, so the same bytes are stored once and a changed byte shows.
//! Nothing here deletes a cited file; see `store/retention.rs` for the one place that may.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use sync_model::hash::Hash;
use sync_model::record::{BlobRef, BlobRole};

use crate::disk::{self, Disk, RESERVE_BYTES};
use crate::error::StoreError;

/// Room made at once for a part of a file; the largest chunk.
const READ_AHEAD: usize = 4 * 1024 * 1024;

/// The folder of evidence files.
pub struct Blobs {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
}

impl Blobs {
    /// Opens the folder, made at the first call, and removes what a power cut left half-written.
    ///
    /// # Errors
    /// What the system reports.
    pub fn open(folder: &Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let doing = "open evidence folder";
        disk::create_folder(folder).map_err(StoreError::io(doing))?;
        // Shelves that a killed process made and did not live to sync.
        disk::sync_folder(folder).map_err(StoreError::io(doing))?;
        for entry in fs::read_dir(folder).map_err(StoreError::io(doing))? {
            let path = entry.map_err(StoreError::io(doing))?.path();
            if path.is_dir() {
                disk::remove_asides(&path).map_err(StoreError::io(doing))?;
            }
        }
        Ok(Self { folder: folder.to_owned(), disk })
    }

    /// Stores `bytes` and returns how to cite them. Storing the same bytes again is free.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] while the reserve would be touched; nothing is left behind.
    pub fn put(&self, bytes: &[u8], media: &str, role: BlobRole) -> Result<BlobRef, StoreError> {
        let sha256 = Hash::of(bytes);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let reference = BlobRef { sha256, bytes: length, media: media.to_owned(), role };
        if self.contains(&sha256) && self.read(&sha256).is_ok() {
            return Ok(reference);
        }
        let doing = "store evidence file";
        let path = self.path(&sha256);
        let shelf = path.parent().unwrap_or(&self.folder);
        if !shelf.exists() {
            disk::create_folder(shelf).map_err(StoreError::io(doing))?;
        }
        let free = self.disk.free_bytes(&self.folder).map_err(StoreError::io(doing))?;
        if free.saturating_sub(RESERVE_BYTES) < length {
            return Err(StoreError::DiskFull { doing });
        }
        self.disk.write(&path, bytes).map_err(StoreError::io(doing))?;
        Ok(reference)
    }

    /// Says whether a file of this name is there.
    #[must_use]
    pub fn contains(&self, sha256: &Hash) -> bool {
        self.path(sha256).is_file()
    }

    /// Returns the bytes after checking them against their name.
    ///
    /// # Errors
    /// [`StoreError::MissingBlob`], [`StoreError::HashMismatch`].
    pub fn read(&self, sha256: &Hash) -> Result<Vec<u8>, StoreError> {
        let bytes = match fs::read(self.path(sha256)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::MissingBlob(*sha256));
            }
            Err(error) => return Err(StoreError::io("read evidence file")(error)),
        };
        if Hash::of(&bytes) == *sha256 {
            Ok(bytes)
        } else {
            Err(StoreError::HashMismatch { what: format!("file {sha256}") })
        }
    }

    /// Checks a file against its name and length without holding it in memory.
    ///
    /// # Errors
    /// [`StoreError::MissingBlob`], [`StoreError::HashMismatch`].
    pub fn check(&self, sha256: &Hash, length: u64) -> Result<(), StoreError> {
        let mut file = self.open_file(sha256)?;
        let (mut digest, mut found, mut room) = (Sha256::new(), 0_u64, vec![0; 64 * 1024]);
        loop {
            let count = file.read(&mut room).map_err(StoreError::io("read evidence file"))?;
            if count == 0 {
                break;
            }
            found = found.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            digest.update(room.get(..count).unwrap_or_default());
        }
        if found == length && Hash(digest.finalize().into()) == *sha256 {
            Ok(())
        } else {
            Err(StoreError::HashMismatch { what: format!("file {sha256}") })
        }
    }

    /// Returns `length` bytes of a file from `offset` on. Not checked against the name: see
    /// [`Blobs::check`].
    ///
    /// # Errors
    /// [`StoreError::MissingBlob`]; [`StoreError::HashMismatch`] if the file is shorter.
    pub fn read_part(
        &self,
        sha256: &Hash,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, StoreError> {
        let mut file = self.open_file(sha256)?;
        let doing = "read evidence file";
        file.seek(SeekFrom::Start(offset)).map_err(StoreError::io(doing))?;
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0).min(READ_AHEAD));
        file.take(length).read_to_end(&mut bytes).map_err(StoreError::io(doing))?;
        if u64::try_from(bytes.len()) == Ok(length) {
            Ok(bytes)
        } else {
            Err(StoreError::HashMismatch { what: format!("file {sha256}") })
        }
    }

    fn open_file(&self, sha256: &Hash) -> Result<File, StoreError> {
        File::open(self.path(sha256)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => StoreError::MissingBlob(*sha256),
            _ => StoreError::io("read evidence file")(error),
        })
    }

    /// Returns where a file lies or would lie.
    #[must_use]
    pub fn path(&self, sha256: &Hash) -> PathBuf {
        let hex = sha256.hex();
        let shelf: String = hex.chars().take(2).collect();
        self.folder.join(shelf).join(hex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    struct FullDisk;

    impl Disk for FullDisk {
        fn write(&self, _: &Path, _: &[u8]) -> std::io::Result<()> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn free_bytes(&self, _: &Path) -> std::io::Result<u64> {
            Ok(u64::MAX)
        }
    }

    #[test]
    fn a_changed_or_missing_file_is_noticed_on_reading() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path(), Arc::new(RealDisk)).unwrap();
        let cited = blobs.put(b"photo", "image/jpeg", BlobRole::Original).unwrap();
        assert_eq!(blobs.read(&cited.sha256).unwrap(), b"photo");
        RealDisk.write(&blobs.path(&cited.sha256), b"phot0").unwrap();
        assert!(matches!(blobs.read(&cited.sha256), Err(StoreError::HashMismatch { .. })));
        // Putting the right bytes again repairs the file.
        blobs.put(b"photo", "image/jpeg", BlobRole::Original).unwrap();
        assert_eq!(blobs.read(&cited.sha256).unwrap(), b"photo");
        assert!(matches!(blobs.read(&Hash::ZERO), Err(StoreError::MissingBlob(_))));
    }

    #[test]
    fn a_full_disk_refuses_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path(), Arc::new(FullDisk)).unwrap();
        let refused = blobs.put(b"photo", "image/jpeg", BlobRole::Original);
        assert!(matches!(refused, Err(StoreError::DiskFull { .. })));
        assert!(!blobs.contains(&Hash::of(b"photo")));
    }
}
