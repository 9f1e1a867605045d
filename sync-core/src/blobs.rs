//! Evidence files by content hash: written once, durably, before any record cites them.
//!
//! A file's name is the SHA-256 of its content, so the same bytes are stored once and a changed byte
//! shows. On the disk it is sealed (`vault/sealed_file.rs`); plain files of earlier versions stay
//! readable until [`Blobs::seal_plain`] has sealed them.
//! Nothing here deletes a cited file; see `store/retention.rs` for the one place that may.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use sync_model::hash::Hash;
use sync_model::record::{BlobRef, BlobRole};
use zeroize::Zeroizing;

use crate::disk::{self, Disk, RESERVE_BYTES};
use crate::error::StoreError;
use crate::vault::{self, DataKey, SealedFile};

/// Room made at once for a part of a file; the largest chunk.
const READ_AHEAD: usize = 4 * 1024 * 1024;

/// The folder of evidence files.
pub struct Blobs {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
    key: Zeroizing<[u8; 32]>,
}

/// An evidence file opened for reading.
enum Content {
    /// Of an earlier version.
    Plain(File),
    Sealed(SealedFile),
}

impl Blobs {
    /// Opens the folder, made at the first call, and removes what a power cut left half-written.
    ///
    /// # Errors
    /// What the system reports.
    pub fn open(folder: &Path, disk: Arc<dyn Disk>, key: &DataKey) -> Result<Self, StoreError> {
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
        Ok(Self { folder: folder.to_owned(), disk, key: key.files() })
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
        let sealed = vault::seal(&sha256, bytes, &self.key)?;
        self.disk.write(&path, &sealed).map_err(StoreError::io(doing))?;
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
        let mut bytes = Vec::new();
        self.each(sha256, &mut |part| bytes.extend_from_slice(part))?;
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
        let (mut digest, mut found) = (Sha256::new(), 0_u64);
        self.each(sha256, &mut |part| {
            found = found.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
            digest.update(part);
        })?;
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
        let doing = "read evidence file";
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0).min(READ_AHEAD));
        match self.content(sha256)? {
            Content::Sealed(mut file) => {
                file.read(offset, length, &mut |part| bytes.extend_from_slice(part))?;
            }
            Content::Plain(mut file) => {
                file.seek(SeekFrom::Start(offset)).map_err(StoreError::io(doing))?;
                file.take(length).read_to_end(&mut bytes).map_err(StoreError::io(doing))?;
            }
        }
        if u64::try_from(bytes.len()) == Ok(length) {
            Ok(bytes)
        } else {
            Err(StoreError::HashMismatch { what: format!("file {sha256}") })
        }
    }

    /// Seals files that an earlier version wrote plainly, `most` of them at a time, and returns how
    /// many it sealed. A file that is not what its name says is left as it is.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::Io`]; the plain file is then still there.
    pub fn seal_plain(&self, most: usize) -> Result<usize, StoreError> {
        let doing = "seal evidence file";
        let mut sealed = 0;
        for shelf in fs::read_dir(&self.folder).map_err(StoreError::io(doing))? {
            let shelf = shelf.map_err(StoreError::io(doing))?.path();
            if !shelf.is_dir() {
                continue;
            }
            for entry in fs::read_dir(&shelf).map_err(StoreError::io(doing))? {
                let entry = entry.map_err(StoreError::io(doing))?;
                let Some(name) = entry.file_name().to_str().and_then(Hash::from_hex) else {
                    continue;
                };
                if !matches!(self.content(&name), Ok(Content::Plain(_))) {
                    continue;
                }
                let Ok(bytes) = self.read(&name) else { continue };
                if sealed == most {
                    return Ok(sealed);
                }
                let bytes = vault::seal(&name, &bytes, &self.key)?;
                // If the power fails here, the plain file is there or the sealed one.
                self.disk.write(&entry.path(), &bytes).map_err(StoreError::io(doing))?;
                sealed += 1;
            }
        }
        Ok(sealed)
    }

    /// Calls `take` with the content of a file, part by part.
    fn each(&self, sha256: &Hash, take: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        match self.content(sha256)? {
            Content::Sealed(mut file) => {
                let length = file.length();
                file.read(0, length, take)
            }
            Content::Plain(mut file) => {
                let mut room = vec![0; 64 * 1024];
                loop {
                    let count = file.read(&mut room);
                    match count.map_err(StoreError::io("read evidence file"))? {
                        0 => return Ok(()),
                        count => take(room.get(..count).unwrap_or_default()),
                    }
                }
            }
        }
    }

    fn content(&self, sha256: &Hash) -> Result<Content, StoreError> {
        let doing = "read evidence file";
        let mut file = File::open(self.path(sha256)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => StoreError::MissingBlob(*sha256),
            _ => StoreError::io(doing)(error),
        })?;
        let mut beginning = Vec::with_capacity(8);
        file.by_ref().take(8).read_to_end(&mut beginning).map_err(StoreError::io(doing))?;
        if vault::is_sealed(&beginning) {
            return SealedFile::open(file, sha256, &self.key).map(Content::Sealed);
        }
        file.seek(SeekFrom::Start(0)).map_err(StoreError::io(doing))?;
        Ok(Content::Plain(file))
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
        let blobs = Blobs::open(folder.path(), Arc::new(RealDisk), &DataKey::make()).unwrap();
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
        let blobs = Blobs::open(folder.path(), Arc::new(FullDisk), &DataKey::make()).unwrap();
        let refused = blobs.put(b"photo", "image/jpeg", BlobRole::Original);
        assert!(matches!(refused, Err(StoreError::DiskFull { .. })));
        assert!(!blobs.contains(&Hash::of(b"photo")));
    }

    #[test]
    fn content_is_nowhere_on_the_disk_and_plain_files_of_earlier_versions_are_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path(), Arc::new(RealDisk), &DataKey::make()).unwrap();
        let (new, old) =
            (b"the shop of Wang Xiaoming".repeat(9000), b"an older photograph".to_vec());
        let cited = blobs.put(&new, "image/jpeg", BlobRole::Original).unwrap();
        let raw = fs::read(blobs.path(&cited.sha256)).unwrap();
        assert!(!raw.windows(5).any(|part| new.windows(5).take(40).any(|word| word == part)));
        // As version 0.1 wrote them: one good, one damaged since.
        let (plain, bad) = (Hash::of(&old), Hash::of(b"was good"));
        for (name, bytes) in [(plain, old.as_slice()), (bad, b"is not".as_slice())] {
            disk::create_folder(blobs.path(&name).parent().unwrap()).unwrap();
            RealDisk.write(&blobs.path(&name), bytes).unwrap();
        }
        assert_eq!(blobs.read(&plain).unwrap(), old);
        assert_eq!(blobs.read_part(&plain, 3, 5).unwrap(), old[3..8]);
        assert_eq!(blobs.seal_plain(9).unwrap(), 1);
        assert_eq!(blobs.seal_plain(9).unwrap(), 0);
        assert!(vault::is_sealed(&fs::read(blobs.path(&plain)).unwrap()));
        assert_eq!(blobs.read(&plain).unwrap(), old);
        assert_eq!(blobs.read_part(&cited.sha256, 70_000, 25).unwrap(), new[70_000..70_025]);
        blobs.check(&cited.sha256, cited.bytes).unwrap();
        assert_eq!(fs::read(blobs.path(&bad)).unwrap(), b"is not");
        assert!(matches!(blobs.read(&bad), Err(StoreError::HashMismatch { .. })));
    }
}
