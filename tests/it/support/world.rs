//! Devices and HQ in one process over real HTTP, on one clock, with a fault switch for each device.
//!
//! Nothing is simulated but time, the line and the room on the disk: stores, files, keys, log and
//! proofs are the product's own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use hq::{Config, HqClock, NewOfficer, Prepared, Running};
use sync_core::clock::{Clock, ManualClock};
use sync_model::id::{AssignmentId, OfficerId};
use sync_model::time::Timestamp;
use sync_model::wire::assignment::Assignment;
use xunzheng::error::AppError;
use xunzheng::practice::{PIN, RULEBOOK};
use xunzheng::rehearse::{Codes, OfficerCode};
use xunzheng::text;

pub use super::device::{Device, SwitchedDisk, put};

use super::check;
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

struct HqTime(Arc<ManualClock>);

impl HqClock for HqTime {
    fn now(&self) -> Timestamp {
        self.0.now().wall_at
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
    let config = Config::new(folder, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
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
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
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
