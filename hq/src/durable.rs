//! Files that survive a power cut: data synced, then the folder that names them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

/// Creates the folder, readable by its owner alone, and syncs its parent.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    folder.parent().map_or(Ok(()), sync_folder)
}

/// Makes renames and new names in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// Writes a new file that only its owner can read; whole or not at all.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = path.with_extension("new");
    write_private(&staged, bytes)?;
    rename(&staged, path)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes a new file that only its owner can read; whole or not at all. Of several processes that
/// write it at once, the first one's stands.
pub(crate) fn create_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = path.with_extension(format!("{}.new", std::process::id()));
    write_private(&staged, bytes)?;
    let linked = std::fs::hard_link(&staged, path);
    std::fs::remove_file(&staged)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    path.parent().map_or(Ok(()), sync_folder)
}

/// Renames within one file system and makes it durable.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// Says whether group or others may read the file.
pub(crate) fn is_open_to_others(path: &Path) -> io::Result<bool> {
    Ok(path.metadata()?.permissions().mode() & 0o077 != 0)
}

/// Takes the folder's lock for this process alone; `None` if another process holds it. It is held
/// until dropped.
pub(crate) fn lock_folder(folder: &Path) -> io::Result<Option<File>> {
    lock(folder, FlockOperation::NonBlockingLockExclusive)
}

/// Takes the folder's lock together with others that share it.
pub(crate) fn share_folder(folder: &Path) -> io::Result<Option<File>> {
    lock(folder, FlockOperation::NonBlockingLockShared)
}

fn lock(folder: &Path, how: FlockOperation) -> io::Result<Option<File>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(folder.join("lock"))?;
    match flock(&file, how) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
