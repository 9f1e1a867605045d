//! A province that is set up once and copied for each seed: HQ with its keys and rulebook, and
//! enrolled devices that have pulled their feed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sync_core::clock::ManualClock;
use sync_model::rulebook::Rulebook;
use sync_model::time::Timestamp;

use super::Violation;
use super::device::Device;
use super::network::{Net, lock};

/// 2026-11-24 09:00 in Hangzhou: a working morning.
pub(super) const MORNING: Timestamp = Timestamp(1_795_482_000_000);
/// Devices that are set up.
pub(super) const DEVICES: u8 = 4;

const RULEBOOK: &str = include_str!("../../../../assets/rulebook/sample.json");

/// The folders to copy from.
pub struct Template {
    folder: tempfile::TempDir,
    /// The rulebook that HQ has.
    pub rulebook: Rulebook,
}

impl Template {
    /// Sets everything up, in memory where the system has such a folder.
    ///
    /// # Errors
    /// What goes wrong in a world without faults.
    pub fn make() -> Result<Self, Violation> {
        let folder = scratch()?;
        let clock = Arc::new(ManualClock::at(MORNING));
        let rulebook =
            hq::practice::read_rulebook("sample", RULEBOOK).map_err(Violation::of("template"))?;
        let net = Arc::new(Mutex::new(Net::start(&folder.path().join("hq"), &clock)?));
        lock(&net).hq()?.import_rulebook(&rulebook).map_err(Violation::of("template"))?;
        let home = rulebook.authorities.first();
        let word = home.map(|one| format!("{}当罚", one.document_word)).unwrap_or_default();
        let home = home.map(|one| one.id.clone()).unwrap_or_default();
        for number in 0..usize::from(DEVICES) {
            let name = format!("终端{number}");
            let codes = lock(&net).hq()?.issue_enrollment(&home, &name, &[]);
            let code = codes.map_err(Violation::of("template"))?.enrollment;
            let at = folder.path().join(format!("device{number}"));
            let mut device = Device::open(at, &clock, &net, number)?;
            sync_core::sync::enroll(device.store()?, device.client(), &code)
                .map_err(Violation::of("template"))?;
            let lease =
                hq::Lease { word: word.clone(), authority: home.clone(), year: 2026, count: 5 };
            lock(&net)
                .hq()?
                .lease_numbers(device.id()?, &lease)
                .map_err(Violation::of("template"))?;
            device.sync()?;
            if let Some(error) = device.last.take() {
                return Err(Violation::new("template", error.to_string()));
            }
        }
        Ok(Self { folder, rulebook })
    }

    /// Returns the folder of HQ.
    #[must_use]
    pub fn hq(&self) -> PathBuf {
        self.folder.path().join("hq")
    }

    /// Returns the folder of a device.
    #[must_use]
    pub fn device(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("device{number}"))
    }
}

/// Returns a scratch folder, in memory where the system has such a place: a simulated power cut
/// has its own tests, and syncing to a real disk would only cost seeds.
pub(super) fn scratch() -> Result<tempfile::TempDir, Violation> {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.map_err(Violation::of("simulator"))
}

/// Copies a folder with its permissions: keys that others can reach are refused.
pub(super) fn copy_folder(from: &Path, to: &Path) -> Result<(), Violation> {
    let failed = || Violation::of("simulator");
    std::fs::create_dir_all(to).map_err(failed())?;
    let allowed = std::fs::metadata(from).map_err(failed())?.permissions();
    std::fs::set_permissions(to, allowed).map_err(failed())?;
    for entry in std::fs::read_dir(from).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            std::fs::copy(&path, &target).map_err(failed())?;
        }
    }
    Ok(())
}
