//! Files that survive a pulled battery: written aside, synced, renamed, folder synced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Bytes kept free so that records can still be written when no photograph fits any more.
pub const RESERVE_BYTES: u64 = 64 * 1024 * 1024;

/// The file system under the store. [`RealDisk`] is the only one in use; tests put a full or
/// failing one in front of it.
pub trait Disk: Send + Sync {
    /// Writes `bytes` to `path` so that after a power cut either all of it is there or nothing.
    ///
    /// # Errors
    /// What the system reports; nothing is left at `path` then.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Returns the bytes that may still be written below `folder`.
    ///
    /// # Errors
    /// What the system reports.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;
}

/// The machine's file system.
pub struct RealDisk;

impl Disk for RealDisk {
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let aside = folder.join(format!(
            ".{}.{}.part",
            name.to_string_lossy(),
            sync_model::hash::hex(&crate::random::bytes::<4>())
        ));
        let written = write_synced(&aside, bytes)
            // If the power fails here, only the aside file exists; the next start removes it.
            .and_then(|()| fs::rename(&aside, path))
            .and_then(|()| sync_folder(folder));
        if written.is_err() {
            // The error that matters is the first one; a leftover aside file is removed at start.
            fs::remove_file(&aside).ok();
        }
        written
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(folder)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in `folder` durable.
///
/// # Errors
/// What the system reports.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes `folder` and what is missing above it, each name durable before anything is put below it.
///
/// A folder that is there already may have been made by a process that was killed before it could
/// sync the name, so the name is synced again; that is best effort, since whoever made the folder
/// above need not let us read it.
///
/// # Errors
/// What the system reports.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
    let above = above.unwrap_or(Path::new("."));
    if folder.is_dir() {
        sync_folder(above).ok();
        return Ok(());
    }
    if !above.is_dir() {
        create_folder(above)?;
    }
    match fs::create_dir(folder) {
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        other => other?,
    }
    sync_folder(above).inspect_err(|_| {
        // Without its name on the disk it must not look as if it were there.
        fs::remove_dir(folder).ok();
    })
}

/// Removes aside files that a power cut left in `folder`; they were never cited.
///
/// # Errors
/// What the system reports.
pub fn remove_asides(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(".part") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Says whether `error` means that the disk or quota is full.
#[must_use]
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_file_is_whole_and_leaves_no_aside() {
        let folder = tempfile::tempdir().unwrap();
        RealDisk.write(&folder.path().join("a"), b"bytes").unwrap();
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"bytes");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(RealDisk.free_bytes(folder.path()).unwrap() > 0);
    }
}
