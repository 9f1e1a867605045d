//! Devices and HQ in one process over real HTTP, on one clock, with a fault switch for each device.
//!
//! Nothing is simulated but time, the line and the room on the disk: stores, files, keys, log and
//! proofs are the product's own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hq::{Config, HqClock, NewOfficer, Prepared, Running};
use sync_core::clock::{Clock, ManualClock, Reading};
use sync_core::disk::{Disk, RealDisk};
use sync_core::key::Hardness;
use sync_core::sync::{HqClient, Progress};
use sync_model::id::{AssignmentId, BootId, DeviceId, OfficerId};
use sync_model::time::Timestamp;
use sync_model::wire::assignment::Assignment;
use xunzheng::error::AppError;
use xunzheng::practice::{PIN, RULEBOOK};
use xunzheng::rehearse::{Codes, OfficerCode};
use xunzheng::services::Services;
use xunzheng::{assignment, session, sync_status, text};

use super::check::{self, Memory};
use super::proxy::Proxy;

/// 2026-11-24 09:00 in Hangzhou: a working morning.
const MORNING: Timestamp = Timestamp(1_795_482_000_000);

/// Unwraps with the sentence the officer would have read.
pub fn ok<T>(result: Result<T, AppError>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}: {}", text::explain(&error)))
}

/// Returns the error of a step that must not work, and its sentence.
pub fn refused<T>(result: Result<T, AppError>) -> (AppError, String) {
    let Err(error) = result else { panic!("went through") };
    let sentence = text::explain(&error);
    assert!(sentence.chars().count() >= 8, "says nothing: {sentence}");
    assert!(sentence.chars().any(|c| c > '\u{2E80}'), "not for the officer: {sentence}");
    (error, sentence)
}

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

struct HqTime(Arc<ManualClock>);

impl HqClock for HqTime {
    fn now(&self) -> Timestamp {
        self.0.now().wall_at
    }
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
    fn new(folder: PathBuf, proxy: Arc<Proxy>, clock: &Arc<ManualClock>, codes: Codes) -> Self {
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
        let client = HqClient::new(&self.proxy.url())?;
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

/// Devices and HQ.
pub struct World {
    pub clock: Arc<ManualClock>,
    pub devices: Vec<Device>,
    pub folder: tempfile::TempDir,
    hq: Arc<Mutex<Option<Running>>>,
}

impl World {
    /// One device that is not enrolled yet, and its HQ.
    pub fn fresh() -> Self {
        let mut world = Self::empty();
        world.add_practice_device();
        world
    }

    /// `count` devices on shift, each with two officers of its own and the same kinds of work.
    pub fn new(count: usize) -> Self {
        let mut world = Self::fresh();
        world.start_day(0);
        let samples = world.devices[0].assignments();
        for index in 1..count {
            world.add_device_of_others(index, &samples);
            world.start_day(index);
        }
        world
    }

    /// `count` devices on shift, all with the same two officers.
    pub fn of_one_pair(count: usize) -> Self {
        let mut world = Self::empty();
        for index in 0..count {
            world.add_practice_device();
            ok(world.devices[index].enroll());
            ok(world.devices[index].activate());
            world.devices[index].unlock();
        }
        world
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(MORNING));
        let running = serve(&folder.path().join("hq"), &clock);
        let hq = Arc::new(Mutex::new(Some(running)));
        Self { clock, devices: vec![], folder, hq }
    }

    fn add_practice_device(&mut self) {
        let seeded = self.hq(|hq| hq::practice::seed(hq, RULEBOOK).unwrap());
        let officers = seeded.officers.into_iter().map(|one| (one.officer, one.code)).collect();
        self.add(codes(seeded.enrollment_code, officers));
    }

    /// Adds a device of two other officers, whose assignments are copies of `samples`.
    fn add_device_of_others(&mut self, index: usize, samples: &[Assignment]) {
        let now = self.clock.now().wall_at;
        let rules = ok(self.devices[0].services().rulebook());
        let home = rules.authorities.first().unwrap().clone();
        let names = [format!("演练{}丙", index), format!("演练{}丁", index)];
        let (enrollment, officers) = self.hq(|hq| {
            let officers: Vec<OfficerId> = (0..2)
                .map(|nth| {
                    hq.add_officer(&NewOfficer {
                        name: names[nth].clone(),
                        kind: sync_model::credential::OfficerKind::Officer,
                        certificate_number: format!("YL3301{index:02}{nth:03}"),
                        authority: home.id.clone(),
                        authority_name: home.name.clone(),
                        valid_from: now.plus_ms(-86_400_000),
                        valid_to: now.plus_ms(365 * 86_400_000),
                    })
                    .unwrap()
                })
                .collect();
            let work = samples.iter().enumerate().map(|(nth, sample)| {
                let mut copy = sample.clone();
                // Ids of each device start at a different offset: mixing them up fails loudly.
                let offset = (index * 1000 + nth) as u128;
                copy.assignment = AssignmentId(uuid::Uuid::from_u128(offset));
                copy.officers = officers.clone();
                Prepared::Assignment(Box::new(copy))
            });
            let leases = rules.authorities.iter().map(|authority| Prepared::Lease {
                authority: authority.id.clone(),
                word: format!("{}当罚", authority.document_word),
                year: 2026,
                count: 50,
            });
            let prepared: Vec<Prepared> = work.chain(leases).collect();
            let name = format!("演练终端{index}");
            let codes = hq.issue_enrollment_with(&home.id, &name, &officers, &prepared).unwrap();
            let officers = codes.activations.into_iter().map(|one| (one.officer, one.code));
            (codes.enrollment, officers.collect())
        });
        self.add(codes(enrollment, officers));
    }

    fn add(&mut self, codes: Codes) {
        let target = self.hq.lock().unwrap().as_ref().unwrap().address;
        let hq = Arc::clone(&self.hq);
        let proxy = Proxy::start(target, move || drop(hq.lock().unwrap().take()));
        let folder = self.folder.path().join(format!("device{}", self.devices.len()));
        self.devices.push(Device::new(folder, Arc::new(proxy), &self.clock, codes));
    }

    /// Enrolled, activated, unlocked, on shift, fed.
    pub fn start_day(&self, index: usize) {
        let device = &self.devices[index];
        ok(device.enroll());
        ok(device.activate());
        device.begin_shift();
        ok(device.sync());
    }

    /// Copies a device's data folder, as somebody who clones a disk does, and starts the copy.
    pub fn copy_device(&mut self, index: usize) -> usize {
        self.devices[index].power_off();
        let from = self.devices[index].folder.clone();
        let to = self.folder.path().join(format!("device{}", self.devices.len()));
        copy_folder(&from, &to);
        let proxy = Arc::clone(&self.devices[index].proxy);
        let codes = self.devices[index].codes.clone();
        self.devices.push(Device::new(to, proxy, &self.clock, codes));
        self.devices[index].power_on();
        self.devices.len() - 1
    }

    /// Calls HQ as its administrator does.
    pub fn hq<T>(&self, work: impl FnOnce(&hq::Hq) -> T) -> T {
        work(&self.hq.lock().unwrap().as_ref().unwrap().hq)
    }

    /// Pulls HQ's plug.
    pub fn kill_hq(&self) {
        drop(self.hq.lock().unwrap().take());
    }

    /// Starts HQ again on what is on its disk, on another port.
    pub fn restart_hq(&self) {
        self.kill_hq();
        let running = serve(&self.hq_folder(), &self.clock);
        for device in &self.devices {
            device.proxy.retarget(running.address);
        }
        *self.hq.lock().unwrap() = Some(running);
    }

    pub fn hq_folder(&self) -> PathBuf {
        self.folder.path().join("hq")
    }

    /// Checks every invariant from what is stored; returns what was counted.
    pub fn check(&self) -> check::Counted {
        for device in &self.devices {
            device.remember();
        }
        check::check(self)
    }
}

fn serve(folder: &Path, clock: &Arc<ManualClock>) -> Running {
    let config =
        Config { data: folder.to_owned(), listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) };
    hq::serve_with_clock(&config, Arc::new(HqTime(Arc::clone(clock)))).unwrap()
}

fn codes(device: String, officers: Vec<(OfficerId, String)>) -> Codes {
    let officers = officers
        .into_iter()
        .map(|(officer, code)| OfficerCode { officer, code, pin: PIN.to_owned() })
        .collect();
    Codes { device, officers }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            // Copies permissions as well: a device key that others can read is refused.
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
