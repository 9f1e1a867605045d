//! Removes parts of files that nobody finishes, and what a power cut left without a name.

use std::collections::HashSet;
use std::path::Path;

use sync_model::time::Timestamp;

use super::shelf;
use crate::error::HqError;
use crate::hq::Hq;

/// Days after which an upload that nobody goes on with starts anew. Devices may be away for weeks.
pub const PART_DAYS: u32 = 45;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Most uploads given up in one transaction.
const ABANDONED_MAX: u32 = 500;

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Uploads that nobody goes on with.
    pub uploads: u64,
    /// Objects that stood for nothing.
    pub objects: u64,
}

impl Hq {
    /// Gives up uploads to which nothing was added for `days`, and removes objects as old that no
    /// upload knows. Whole files are never touched.
    ///
    /// # Errors
    /// If store or object store fail; what was removed stays removed, and it can be run again.
    pub fn sweep(&self, days: u32) -> Result<Swept, HqError> {
        let before = self.now().plus_ms(-i64::from(days) * DAY_MS);
        let mut swept = Swept::default();
        loop {
            // Rows first: an object without a row is found below, a row without its object is not.
            let given_up = self.0.store.write::<_, HqError, _>(move |tx| {
                let given_up = tx.abandoned(before, ABANDONED_MAX)?;
                for sha256 in &given_up {
                    tx.forget_parts(sha256, 0)?;
                }
                Ok(given_up.len())
            })?;
            swept.uploads += u64::try_from(given_up).unwrap_or_default();
            if given_up == 0 {
                break;
            }
        }
        for folder in [shelf::PARTS, shelf::PARTS_0_1] {
            let mut old = Vec::new();
            self.0.objects.list(folder, |found| {
                if found.changed_at < before {
                    old.push(found.name);
                }
                Ok(())
            })?;
            let known = self.known_parts(&old)?;
            for name in old.iter().filter(|name| !known.contains(*name)) {
                self.0.objects.remove(name)?;
                swept.objects += 1;
            }
        }
        if let Some(folder) = self.0.objects.folder() {
            swept.objects +=
                remove_staged(folder, before, 3).map_err(HqError::io("sweep object folder"))?;
        }
        Ok(swept)
    }

    /// Returns which of these objects are parts of an upload that goes on.
    fn known_parts(&self, names: &[String]) -> Result<HashSet<String>, HqError> {
        let of = |name: &str| {
            let hex = name.rsplit('/').next()?.split('.').next()?;
            sync_model::hash::Hash::from_hex(hex)
        };
        let files: HashSet<_> = names.iter().filter_map(|name| of(name)).collect();
        self.0.store.read(|tx| {
            let mut known = HashSet::new();
            for sha256 in &files {
                known.extend(tx.parts(sha256)?.iter().map(|part| shelf::part(sha256, part)));
            }
            Ok(known)
        })
    }
}

/// Removes files that were being written when the power failed: `name#number`, never renamed.
fn remove_staged(folder: &Path, before: Timestamp, depth: u32) -> std::io::Result<u64> {
    let mut removed = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            if depth > 0 {
                removed += remove_staged(&entry.path(), before, depth - 1)?;
            }
            continue;
        }
        let name = entry.file_name();
        let staged = name.to_string_lossy().rsplit_once('#').is_some_and(|(_, number)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        let changed = metadata.modified()?.duration_since(std::time::UNIX_EPOCH);
        let changed_at =
            changed.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        if staged && changed_at < before.0 {
            std::fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}
