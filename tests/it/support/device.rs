//! One handheld of the world: the product's services on a folder of its own, a clock that can be
//! wrong, a disk that can be full, and a line that can break.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use sync_core::clock::{Clock, ManualClock, Reading};
use sync_core::disk::{Disk, RealDisk};
use sync_core::key::Hardness;
use sync_core::sync::{HqClient, Progress};
use sync_core::vault::{self, DataKey, NoHardware, Vault};
use sync_model::id::{AssignmentId, BootId, DeviceId};
use sync_model::wire::assignment::Assignment;
use xunzheng::error::AppError;
use xunzheng::practice::PIN;
use xunzheng::rehearse::Codes;
use xunzheng::services::Services;
use xunzheng::{assignment, session, sync_status};

use super::check::Memory;
use super::proxy::Proxy;
use super::world::ok;

/// The world's clock as one device shows it: it can be wrong, and its device can boot again.
pub struct DeviceClock {
    world: Arc<ManualClock>,
    wrong_by_ms: AtomicI64,
    boots: AtomicU64,
    booted_mono_ms: AtomicU64,
}

impl DeviceClock {
    /// Moves the device's wall clock alone.
    pub fn jump_ms(&self, ms: i64) {
        self.wrong_by_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Makes it a new boot, as after a pulled battery.
    pub fn reboot(&self) {
        self.boots.fetch_add(1, Ordering::SeqCst);
        self.booted_mono_ms.store(self.world.now().mono_ms, Ordering::SeqCst);
    }
}

impl Clock for DeviceClock {
    fn now(&self) -> Reading {
        let reading = self.world.now();
        Reading {
            wall_at: reading.wall_at.plus_ms(self.wrong_by_ms.load(Ordering::SeqCst)),
            boot: BootId(uuid::Uuid::from_u128(self.boots.load(Ordering::SeqCst).into())),
            mono_ms: reading.mono_ms - self.booted_mono_ms.load(Ordering::SeqCst),
        }
    }
}

/// Returns the data key of a folder, by the device slot or the PIN that everybody uses here.
pub fn data_key(folder: &Path) -> Option<DataKey> {
    if let Some(key) = vault::open_without_pin(folder).unwrap() {
        return Some(key);
    }
    let vault = Vault::read(folder).unwrap()?;
    vault.officers().into_iter().find_map(|officer| {
        let opened = vault.open_by_pin(officer, PIN, Hardness::REHEARSAL, &NoHardware);
        Some(opened.unwrap()?.data_key)
    })
}

/// The real disk with a switch that fills it.
#[derive(Default)]
pub struct SwitchedDisk(AtomicU8);

impl SwitchedDisk {
    /// There is room.
    pub const FINE: u8 = 0;
    /// The system says that there is no room.
    pub const NO_ROOM: u8 = 1;
    /// The system finds out while it writes.
    pub const FULL: u8 = 2;

    pub fn set(&self, state: u8) {
        self.0.store(state, Ordering::SeqCst);
    }
}

impl Disk for SwitchedDisk {
    fn write(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        if self.0.load(Ordering::SeqCst) != Self::FULL {
            return RealDisk.write(path, bytes);
        }
        // What a full disk leaves behind: a part under another name.
        let aside = path.with_file_name(".torn.00000000.part");
        put(&aside, &bytes[..bytes.len() / 2]);
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn free_bytes(&self, folder: &Path) -> std::io::Result<u64> {
        let full = self.0.load(Ordering::SeqCst) == Self::NO_ROOM;
        if full { Ok(0) } else { RealDisk.free_bytes(folder) }
    }
}

/// Writes a file as is: for damage made on purpose.
#[expect(clippy::disallowed_methods, reason = "damages files on purpose")]
pub fn put(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

/// One handheld.
pub struct Device {
    pub folder: PathBuf,
    pub proxy: Arc<Proxy>,
    pub clock: Arc<DeviceClock>,
    pub disk: Arc<SwitchedDisk>,
    pub codes: Codes,
    pub memory: Mutex<Memory>,
    services: Option<Services>,
}

impl Device {
    pub fn new(folder: PathBuf, proxy: Arc<Proxy>, clock: &Arc<ManualClock>, codes: Codes) -> Self {
        let wrong_by_ms = AtomicI64::new(0);
        let clock = DeviceClock {
            world: Arc::clone(clock),
            wrong_by_ms,
            boots: 1.into(),
            booted_mono_ms: 0.into(),
        };
        let mut device = Self {
            folder,
            proxy,
            clock: Arc::new(clock),
            disk: Arc::default(),
            codes,
            memory: Mutex::default(),
            services: None,
        };
        device.power_on();
        device
    }

    pub fn services(&self) -> &Services {
        self.services.as_ref().unwrap()
    }

    pub fn id(&self) -> Option<DeviceId> {
        let enrollment = self.services().store.read(|r| r.enrollment()).unwrap();
        enrollment.map(|found| found.certificate.device)
    }

    pub fn open(&self) -> Result<Services, AppError> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let disk = Arc::clone(&self.disk) as Arc<dyn Disk>;
        Services::open(&self.folder, clock, disk, Hardness::REHEARSAL)
    }

    pub fn power_on(&mut self) {
        self.services = Some(ok(self.open()));
    }

    /// Stops the program. What was unlocked is locked, what was committed is on the disk.
    pub fn power_off(&mut self) {
        self.services = None;
    }

    /// Stops the program and starts it again; nobody is unlocked then.
    pub fn restart(&mut self) {
        self.power_off();
        self.clock.reboot();
        self.power_on();
    }

    pub fn enroll(&self) -> Result<(), AppError> {
        session::enroll(self.services(), &self.proxy.url(), &self.codes.device)?;
        Ok(())
    }

    pub fn activate(&self) -> Result<(), AppError> {
        let client = HqClient::of(&self.services().store, &self.proxy.url())?;
        for one in &self.codes.officers {
            let row = self.services().store.read(|r| r.officer(one.officer))?;
            if row.ok_or(AppError::NotFound("officer"))?.credential.is_none() {
                session::activate(self.services(), &client, one.officer, &one.code, &one.pin)?;
            }
        }
        Ok(())
    }

    /// Both officers unlock; a shift begins if they had none.
    pub fn unlock(&self) {
        for one in &self.codes.officers {
            ok(session::unlock(self.services(), one.officer, &one.pin));
        }
    }

    pub fn begin_shift(&self) {
        self.unlock();
        ok(session::begin_shift(self.services()));
        self.remember();
    }

    pub fn sync(&self) -> Result<Progress, AppError> {
        sync_status::sync_now(self.services(), &mut |_| {})
    }

    /// Everything is receipted and every file is at HQ.
    pub fn is_empty(&self) -> bool {
        let counts = self.services().store.read(|r| r.outbox_counts()).unwrap();
        counts.pending + counts.pending_blobs + counts.parked == 0
    }

    pub fn length(&self) -> u64 {
        self.services().store.check_chain().unwrap()
    }

    pub fn assignments(&self) -> Vec<Assignment> {
        let list = ok(assignment::list(self.services()));
        list.into_iter().map(|one| one.assignment).collect()
    }

    /// Returns the assignment whose title contains `word`.
    pub fn find(&self, word: &str) -> AssignmentId {
        let list = self.assignments();
        let found = list.iter().find(|one| one.title.contains(word));
        found.unwrap_or_else(|| panic!("no assignment {word}")).assignment
    }

    /// Keeps in mind what the features have acknowledged so far.
    pub fn remember(&self) {
        self.memory.lock().unwrap().remember(&self.services().store);
    }
}
