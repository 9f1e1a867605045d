//! Photographs that lie in a folder: the system camera's inbox, and prepared ones for rehearsals.
//!
//! Files are read and left as they are. Links are not followed, so that an inbox cannot be made to
//! import a file from elsewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sync_model::hash::Hash;

use super::{Camera, CameraError, IsKnown, PhotoSource, read_photo};

struct Found {
    path: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
}

/// Returns the photographs directly in `folder`.
fn photos_in(folder: &Path) -> Result<Vec<Found>, CameraError> {
    let failed = |source| CameraError::Folder { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // The kind of the entry itself: a link is no file here.
        if !entry.file_type().map_err(failed)?.is_file() || !is_photo_name(&entry.path()) {
            continue;
        }
        let metadata = entry.metadata().map_err(failed)?;
        found.push(Found {
            path: entry.path(),
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        });
    }
    Ok(found)
}

fn is_photo_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["jpg", "jpeg", "png"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// Takes the oldest file of a folder that was not imported yet.
pub struct InboxCamera {
    folder: PathBuf,
    is_known: IsKnown,
    /// Given out since the start, or known by hash.
    done: BTreeSet<PathBuf>,
    /// Seen without its end at this size; taken when the size has not changed at the next look.
    unfinished: Option<(PathBuf, u64)>,
}

impl InboxCamera {
    /// Watches `folder`; what `is_known` says yes to was imported before the app was restarted.
    #[must_use]
    pub fn new(folder: PathBuf, is_known: IsKnown) -> Self {
        Self { folder, is_known, done: BTreeSet::new(), unfinished: None }
    }

    /// Returns whether a file without an end marker is still growing, as far as two looks tell.
    fn may_grow(&mut self, found: &Found, bytes: &[u8]) -> bool {
        if ends_like_a_picture(bytes) {
            return false;
        }
        let seen = Some((found.path.clone(), found.bytes));
        let unchanged = self.unfinished == seen;
        self.unfinished = seen;
        !unchanged
    }
}

/// A look at the tail only: phones append further data after the end marker, but within this.
fn ends_like_a_picture(bytes: &[u8]) -> bool {
    let tail = bytes.get(bytes.len().saturating_sub(4096)..).unwrap_or(bytes);
    tail.windows(2).any(|pair| pair == [0xFF, 0xD9]) || tail.windows(4).any(|name| name == b"IEND")
}

impl Camera for InboxCamera {
    fn describe(&self) -> String {
        format!("inbox {}", self.folder.display())
    }

    fn source(&self) -> PhotoSource {
        PhotoSource::ImportedFile
    }

    fn capture(&mut self) -> Result<Vec<u8>, CameraError> {
        let mut found = photos_in(&self.folder)?;
        found.retain(|found| !self.done.contains(&found.path));
        // The name decides between files of the same second.
        found.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
        for found in found {
            let bytes = read_photo(&found.path)?;
            if (self.is_known)(&Hash::of(&bytes)) {
                self.done.insert(found.path);
                continue;
            }
            if self.may_grow(&found, &bytes) {
                return Err(CameraError::StillWriting { path: found.path });
            }
            self.done.insert(found.path);
            return Ok(bytes);
        }
        Err(CameraError::NothingNew { path: self.folder.clone() })
    }
}

/// Gives the files of a folder in the order of their names, once each.
#[derive(Debug)]
pub struct FolderCamera {
    folder: PathBuf,
    remaining: std::vec::IntoIter<PathBuf>,
}

impl FolderCamera {
    /// Lists the photographs of `folder`.
    ///
    /// # Errors
    /// [`CameraError::Folder`] when it cannot be read.
    pub fn open(folder: &Path) -> Result<Self, CameraError> {
        let mut paths: Vec<PathBuf> =
            photos_in(folder)?.into_iter().map(|found| found.path).collect();
        paths.sort();
        Ok(Self { folder: folder.to_owned(), remaining: paths.into_iter() })
    }
}

impl Camera for FolderCamera {
    fn describe(&self) -> String {
        format!("folder {}", self.folder.display())
    }

    fn capture(&mut self) -> Result<Vec<u8>, CameraError> {
        let nothing = || CameraError::NothingNew { path: self.folder.clone() };
        read_photo(&self.remaining.next().ok_or_else(nothing)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const PHOTO: &[u8] = b"\xFF\xD8 one \xFF\xD9";

    fn put(folder: &Path, name: &str, bytes: &[u8], second: u64) {
        let mut file = std::fs::File::create(folder.join(name)).unwrap();
        file.write_all(bytes).unwrap();
        let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
        file.set_modified(at).unwrap();
    }

    fn unknown() -> IsKnown {
        Box::new(|_| false)
    }

    #[test]
    fn the_oldest_file_comes_first_and_none_twice_and_all_stay() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "a.jpg", b"\xFF\xD8 late \xFF\xD9", 200);
        put(folder.path(), "b.JPEG", b"\xFF\xD8 early \xFF\xD9", 100);
        put(folder.path(), "notes.txt", b"not a photograph", 50);
        let mut camera = InboxCamera::new(folder.path().to_owned(), unknown());
        assert_eq!(camera.source(), PhotoSource::ImportedFile);
        assert_eq!(camera.capture().unwrap(), b"\xFF\xD8 early \xFF\xD9");
        assert_eq!(camera.capture().unwrap(), b"\xFF\xD8 late \xFF\xD9");
        assert!(matches!(camera.capture(), Err(CameraError::NothingNew { .. })));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_photograph_that_is_evidence_already_is_not_imported_again() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "a.jpg", PHOTO, 100);
        let known = Hash::of(PHOTO);
        let is_known: IsKnown = Box::new(move |hash| *hash == known);
        let mut camera = InboxCamera::new(folder.path().to_owned(), is_known);
        assert!(matches!(camera.capture(), Err(CameraError::NothingNew { .. })));
    }

    #[test]
    fn a_growing_file_waits_and_a_torn_one_is_taken_at_the_second_look() {
        let folder = tempfile::tempdir().unwrap();
        let mut camera = InboxCamera::new(folder.path().to_owned(), unknown());
        put(folder.path(), "a.jpg", b"\xFF\xD8 beg", 100);
        assert!(matches!(camera.capture(), Err(CameraError::StillWriting { .. })));
        put(folder.path(), "a.jpg", b"\xFF\xD8 begun and t", 101);
        assert!(matches!(camera.capture(), Err(CameraError::StillWriting { .. })));
        assert_eq!(camera.capture().unwrap(), b"\xFF\xD8 begun and t");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_inbox_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("a.jpg")).unwrap();
        let mut camera = InboxCamera::new(folder.path().to_owned(), unknown());
        assert!(matches!(camera.capture(), Err(CameraError::NothingNew { .. })));
    }

    #[test]
    fn a_folder_of_prepared_photographs_is_gone_through_by_name() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "2.jpg", b"two", 1);
        put(folder.path(), "1.png", b"one", 2);
        let mut camera = FolderCamera::open(folder.path()).unwrap();
        assert_eq!(camera.capture().unwrap(), b"one");
        assert_eq!(camera.capture().unwrap(), b"two");
        assert!(matches!(camera.capture(), Err(CameraError::NothingNew { .. })));
        assert!(FolderCamera::open(&folder.path().join("absent")).is_err());
    }
}
