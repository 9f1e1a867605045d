//! What is on the disk after the power failed: what was synced, and any part of what was not.
//!
//! Content: of each 512-byte sector, the version of any moment since its file was last synced; one
//! sector may be torn in the middle; the length of the file is that of any such moment; bytes that
//! never arrived are zeros or noise. Names: of each file made, renamed or removed since its folder
//! was last synced, what was done may be undone; a rename happens as one.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::chance::Chance;
use super::tap::Event;

const SECTOR: usize = 512;

/// How much of what was not synced is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// All of it: the machine goes on, or only the process died.
    Everything,
    /// None of it.
    Synced,
    /// Any part of it.
    Some,
}

/// Which promises of the disk are not kept; to show that the checks notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lie {
    /// All are kept.
    #[default]
    None,
    /// Syncing a file does nothing.
    FileSync,
    /// Syncing a folder does nothing.
    FolderSync,
}

#[derive(Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Resize(usize),
}

#[derive(Clone, Default)]
struct Inode {
    synced: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum NameChange {
    Create(PathBuf, u64),
    Folder(PathBuf),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl NameChange {
    /// The folder whose sync makes it last.
    fn folder(&self) -> &Path {
        let (Self::Create(name, _)
        | Self::Folder(name)
        | Self::Remove(name)
        | Self::Rename(_, name)) = self;
        name.parent().unwrap_or(Path::new(""))
    }
}

#[derive(Clone, Default)]
struct Names {
    files: BTreeMap<PathBuf, u64>,
    folders: BTreeSet<PathBuf>,
}

impl Names {
    fn apply(&mut self, change: &NameChange) {
        match change {
            NameChange::Create(name, inode) => {
                self.files.insert(name.clone(), *inode);
            }
            NameChange::Folder(name) => {
                self.folders.insert(name.clone());
            }
            NameChange::Remove(name) => {
                self.files.remove(name);
                self.folders.remove(name);
            }
            NameChange::Rename(from, to) => {
                if let Some(inode) = self.files.remove(from) {
                    self.files.insert(to.clone(), inode);
                }
            }
        }
    }
}

/// A disk as it would be found after a power cut at this moment.
#[derive(Clone, Default)]
pub struct Platter {
    inodes: BTreeMap<u64, Inode>,
    names: Names,
    pending: Vec<NameChange>,
    lie: Lie,
}

impl Platter {
    /// Returns a disk that holds what is below `root`, all of it synced.
    ///
    /// # Errors
    /// What the system reports.
    pub fn read(root: &Path, lie: Lie) -> io::Result<Self> {
        let mut platter = Self { lie, ..Self::default() };
        platter.names.folders.insert(PathBuf::new());
        platter.read_folder(root, Path::new(""))?;
        Ok(platter)
    }

    fn read_folder(&mut self, root: &Path, folder: &Path) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt;
        for entry in std::fs::read_dir(root.join(folder))? {
            let entry = entry?;
            let name = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.names.folders.insert(name.clone());
                self.read_folder(root, &name)?;
            } else if !name.as_os_str().as_encoded_bytes().ends_with(b"-shm") {
                let inode = entry.metadata()?.ino();
                let synced = std::fs::read(entry.path())?;
                self.inodes.insert(inode, Inode { synced, pending: Vec::new() });
                self.names.files.insert(name, inode);
            }
        }
        Ok(())
    }

    /// Lets `event` happen.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Create { name, inode } => {
                self.inodes.insert(*inode, Inode::default());
                self.pending.push(NameChange::Create(name.clone(), *inode));
            }
            Event::Link { name, inode } => {
                self.pending.push(NameChange::Create(name.clone(), *inode));
            }
            Event::Folder { name } => self.pending.push(NameChange::Folder(name.clone())),
            Event::Remove { name } => self.pending.push(NameChange::Remove(name.clone())),
            Event::Rename { from, to } => {
                self.pending.push(NameChange::Rename(from.clone(), to.clone()));
            }
            Event::Write { inode, offset, bytes } => {
                let offset = usize::try_from(*offset).unwrap();
                self.change(*inode, Change::Write { offset, bytes: bytes.clone() });
            }
            Event::Resize { inode, length } => {
                self.change(*inode, Change::Resize(usize::try_from(*length).unwrap()));
            }
            Event::Sync { inode } if self.lie != Lie::FileSync => {
                if let Some(found) = self.inodes.get_mut(inode) {
                    found.synced = found.now();
                    found.pending.clear();
                }
            }
            Event::SyncFolder { name } if self.lie != Lie::FolderSync => {
                let all = std::mem::take(&mut self.pending);
                for change in all {
                    if change.folder() == name {
                        self.names.apply(&change);
                    } else {
                        self.pending.push(change);
                    }
                }
            }
            Event::Sync { .. } | Event::SyncFolder { .. } => {}
        }
    }

    fn change(&mut self, inode: u64, change: Change) {
        let found = self.inodes.get_mut(&inode);
        // A file that nobody saw come into being: the watch has a hole.
        found.expect("a write to a file that is not known").pending.push(change);
    }

    /// Writes to `target` what the disk holds after a power cut now; `survival` says for each file
    /// name how much of what was not synced.
    ///
    /// # Errors
    /// What the system reports.
    pub fn cut(
        &self,
        target: &Path,
        chance: &mut Chance,
        survival: impl Fn(&Path) -> Survival,
    ) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        let mut names = self.names.clone();
        for change in &self.pending {
            let keeps = match survival(change.folder()) {
                Survival::Everything => true,
                Survival::Synced => false,
                Survival::Some => chance.below(2) == 0,
            };
            if keeps {
                names.apply(change);
            }
        }
        for folder in &names.folders {
            // A folder whose own parent was lost is lost with everything in it.
            if folder.parent().is_none_or(|parent| target.join(parent).is_dir()) {
                // As with files: key folders that others can enter are refused.
                let mut builder = std::fs::DirBuilder::new();
                builder.recursive(true).mode(0o700).create(target.join(folder))?;
            }
        }
        for (name, inode) in &names.files {
            let path = target.join(name);
            let Some(found) = self.inodes.get(inode) else { continue };
            if path.parent().is_none_or(|parent| !parent.is_dir()) {
                continue;
            }
            let bytes = match survival(name) {
                Survival::Everything => found.now(),
                Survival::Synced => found.synced.clone(),
                Survival::Some => found.some(chance),
            };
            put(&path, &bytes)?;
        }
        Ok(())
    }
}

/// Keys are refused when others may read them, so every file is its owner's alone.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

fn overlay(bytes: &mut Vec<u8>, offset: usize, new: &[u8]) {
    let end = offset + new.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(place) = bytes.get_mut(offset..end) {
        place.copy_from_slice(new);
    }
}

impl Inode {
    /// The content as a process sees it.
    fn now(&self) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for change in &self.pending {
            match change {
                Change::Write { offset, bytes: new } => overlay(&mut bytes, *offset, new),
                Change::Resize(length) => bytes.resize(*length, 0),
            }
        }
        bytes
    }

    /// The content after a power cut: each sector as of some moment, the length as of another.
    fn some(&self, chance: &mut Chance) -> Vec<u8> {
        let count = self.pending.len();
        let moment = |chance: &mut Chance| match chance.below(4) {
            0 => 0,
            1 => count,
            _ => chance.below(count + 1),
        };
        let mut longest = self.synced.len();
        let mut lengths = vec![longest];
        let mut length = longest;
        for change in &self.pending {
            length = match change {
                Change::Write { offset, bytes } => length.max(offset + bytes.len()),
                Change::Resize(length) => *length,
            };
            lengths.push(length);
            longest = longest.max(length);
        }
        // Most disks write in order or nearly so; some write anything before anything.
        let common = (chance.below(3) == 0).then(|| moment(chance));
        let torn = chance.below(longest / SECTOR + 1);
        let noise = chance.below(2) == 0;
        let mut bytes = vec![0; longest];
        for (sector, place) in bytes.chunks_mut(SECTOR).enumerate() {
            let upto = common.unwrap_or_else(|| moment(chance));
            self.sector(sector * SECTOR, upto, place, noise.then_some(&mut *chance));
            if sector == torn && upto < count {
                let mut next = vec![0; place.len()];
                self.sector(sector * SECTOR, upto + 1, &mut next, None);
                let tear = chance.below(place.len());
                if let (Some(old), Some(new)) = (place.get_mut(..tear), next.get(..tear)) {
                    old.copy_from_slice(new);
                }
            }
        }
        let length = lengths.get(moment(chance)).copied().unwrap_or(0);
        bytes.resize(length, 0);
        bytes
    }

    /// Fills `place` with the sector at `start` after the first `upto` changes.
    fn sector(&self, start: usize, upto: usize, place: &mut [u8], noise: Option<&mut Chance>) {
        let end = start + place.len();
        let old = self.synced.get(start..end.min(self.synced.len())).unwrap_or_default();
        let mut touched = !old.is_empty();
        if let Some(found) = place.get_mut(..old.len()) {
            found.copy_from_slice(old);
        }
        let mut later = false;
        for (number, change) in self.pending.iter().enumerate() {
            let Change::Write { offset, bytes } = change else {
                if let Change::Resize(length) = change
                    && number < upto
                    && *length < end
                {
                    let kept = length.saturating_sub(start);
                    place.iter_mut().skip(kept).for_each(|byte| *byte = 0);
                }
                continue;
            };
            let (from, to) = (start.max(*offset), end.min(offset + bytes.len()));
            if from >= to {
                continue;
            }
            if number >= upto {
                later = true;
                continue;
            }
            touched = true;
            let new = bytes.get(from - offset..to - offset).unwrap_or_default();
            if let Some(found) = place.get_mut(from - start..to - start) {
                found.copy_from_slice(new);
            }
        }
        // A sector that the file system gave to the file before its bytes arrived.
        if !touched
            && later
            && let Some(chance) = noise
        {
            place.iter_mut().for_each(|byte| *byte = chance.byte());
        }
    }
}
