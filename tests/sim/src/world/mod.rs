//! The seeded simulator: real devices and the real HQ in one thread, joined by a line on which
//! everything goes wrong, under one virtual clock.
//!
//! A seed gives a list of [`event::Event`]s; [`World::run`] plays it, then heals everything, syncs
//! until nothing moves any more, and [`check`] derives every invariant again from what is stored.
//! Ids, keys and salts come from the system, so bytes differ between runs of a seed; the order of
//! events does not. Nothing sleeps.

mod check;
pub mod conform;
mod device;
pub mod event;
mod network;
pub mod plant;
pub mod random;
pub mod shrink;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use hq::Lease;
use sync_core::clock::ManualClock;
use sync_core::{SyncError, store::OutboxCounts};
use sync_model::id::DeviceId;
use sync_model::rulebook::Rulebook;
use sync_model::wire::feed::CommandMessage;
use sync_model::wire::problem::ProblemCode;
use thiserror::Error;

pub use check::Counted;
use device::Device;
use event::Event;
pub use network::Traffic;
use network::{Net, lock};
pub use template::Template;
use template::{MORNING, copy_folder};

/// Rounds of everybody after which nothing may move any more.
const QUIET_ROUNDS: u32 = 40;
/// Most machines, copies included.
const MACHINES_MAX: usize = 6;
/// Year of the document numbers.
const YEAR: i32 = 2026;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{rule}: {what}")]
pub struct Violation {
    /// Which.
    pub rule: String,
    /// What was found.
    pub what: String,
}

impl Violation {
    fn new(rule: &str, what: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), what: what.into() }
    }

    fn of<E: std::fmt::Display>(rule: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::new(rule, error.to_string())
    }
}

/// What a run saw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    /// Events played.
    pub events: u64,
    /// What happened on the line.
    pub traffic: Traffic,
    /// Restarts of devices.
    pub device_restarts: u64,
    /// Jumps of a device's clock.
    pub jumps: u64,
    /// Copies made and folders put back.
    pub copies: u64,
    /// Devices revoked.
    pub revoked: u64,
    /// What was looked at in the end.
    pub counted: Counted,
}

impl Summary {
    /// Adds what another run saw.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.device_restarts += other.device_restarts;
        self.jumps += other.jumps;
        self.copies += other.copies;
        self.revoked += other.revoked;
        let (line, more) = (&mut self.traffic, &other.traffic);
        line.requests += more.requests;
        line.lost += more.lost;
        line.doubled += more.doubled;
        line.reordered += more.reordered;
        line.damaged += more.damaged;
        line.hq_restarts += more.hq_restarts;
        let (counted, more) = (&mut self.counted, &other.counted);
        counted.records += more.records;
        counted.receipts += more.receipts;
        counted.files += more.files;
        counted.forks += more.forks;
        counted.quarantined += more.quarantined;
        counted.numbers += more.numbers;
    }
}

/// Devices, HQ and the line between them.
pub struct World {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    net: Arc<Mutex<Net>>,
    devices: Vec<Device>,
    backups: BTreeMap<usize, PathBuf>,
    /// Identities that more than one folder claims, or that went back in time.
    doubled: BTreeSet<DeviceId>,
    /// Identities that were revoked, with what HQ held of them then.
    revoked: BTreeMap<DeviceId, u64>,
    rulebook: Rulebook,
    authority: String,
    word: String,
    summary: Summary,
}

impl World {
    /// Returns a world of `devices` set-up devices.
    ///
    /// # Errors
    /// What goes wrong while it starts.
    pub fn new(template: &Template, devices: u8) -> Result<Self, Violation> {
        let folder = template::scratch()?;
        let clock = Arc::new(ManualClock::at(MORNING));
        let hq = folder.path().join("hq");
        copy_folder(&template.hq(), &hq)?;
        let net = Arc::new(Mutex::new(Net::start(&hq, &clock)?));
        let rulebook = template.rulebook.clone();
        let home = rulebook.authorities.first();
        let authority = home.map(|one| one.id.clone()).unwrap_or_default();
        let word = home.map(|one| format!("{}当罚", one.document_word)).unwrap_or_default();
        let mut world = Self {
            folder,
            clock,
            net,
            devices: vec![],
            backups: BTreeMap::new(),
            doubled: BTreeSet::new(),
            revoked: BTreeMap::new(),
            rulebook,
            authority,
            word,
            summary: Summary::default(),
        };
        for number in 0..usize::from(devices) {
            world.add(&template.device(number))?;
        }
        Ok(world)
    }

    /// Plays `events`, heals, and checks.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn run(mut self, events: &[Event]) -> Result<Summary, Violation> {
        for event in events {
            self.play(event)?;
        }
        self.heal()?;
        self.finish()
    }

    fn finish(mut self) -> Result<Summary, Violation> {
        self.summary.counted = check::check(&self)?;
        self.summary.traffic = lock(&self.net).traffic;
        Ok(self.summary)
    }

    fn add(&mut self, from: &std::path::Path) -> Result<(), Violation> {
        let number = self.devices.len();
        let folder = self.folder.path().join(format!("device{number}"));
        copy_folder(from, &folder)?;
        self.devices.push(Device::open(folder, &self.clock, &self.net, number)?);
        Ok(())
    }

    fn play(&mut self, event: &Event) -> Result<(), Violation> {
        self.summary.events += 1;
        let count = self.devices.len().max(1);
        let at = |number: &u8| usize::from(*number) % count;
        match event {
            Event::RestartHq => lock(&self.net).restart()?,
            Event::Pass(minutes) => self.clock.advance_ms(u64::from(*minutes) * 60_000),
            Event::Arrive(nth) => lock(&self.net).arrive(usize::from(*nth)),
            Event::Network(number, on) => lock(&self.net).connect(at(number), *on),
            Event::Clone(number) => self.copy(at(number))?,
            Event::BackUp(number) => self.back_up(at(number))?,
            Event::Restore(number) => self.restore(at(number))?,
            Event::Revoke(number) => self.revoke(at(number))?,
            Event::Lease(number) => self.lease(at(number))?,
            Event::Message(number) => self.message(at(number))?,
            Event::Rulebook => self.issue_rulebook()?,
            Event::Sync(number, fates) => {
                lock(&self.net).expect(fates);
                self.device(at(number))?.sync()?;
                lock(&self.net).expect(&[]);
            }
            Event::Lead(number) => self.device(at(number))?.lead()?,
            Event::Photo(number, bytes) => self.device(at(number))?.photo(*bytes)?,
            Event::Number(number) => {
                let authority = self.authority.clone();
                self.device(at(number))?.number(&authority, YEAR)?;
            }
            Event::RestartDevice(number) => {
                self.summary.device_restarts += 1;
                self.device(at(number))?.restart()?;
            }
            Event::Jump(number, minutes) => {
                self.summary.jumps += 1;
                self.device(at(number))?.jump_minutes(*minutes);
            }
            Event::Resume(number) => {
                let resumed = self.device(at(number))?.store()?.resume_parked();
                resumed.map_err(Violation::of("I7 resume"))?;
            }
        }
        // Each act and each request takes a moment.
        self.clock.advance_ms(1_000);
        match lock(&self.net).broken.take() {
            Some(what) => Err(Violation::new("HQ never fails inside", what)),
            None => Ok(()),
        }
    }

    fn device(&mut self, number: usize) -> Result<&mut Device, Violation> {
        self.devices.get_mut(number).ok_or_else(|| Violation::new("simulator", "no such device"))
    }

    fn copy(&mut self, number: usize) -> Result<(), Violation> {
        if self.devices.len() >= MACHINES_MAX {
            return Ok(());
        }
        self.summary.copies += 1;
        let device = self.device(number)?;
        let (folder, id) = (device.folder.clone(), device.id);
        device.stop();
        self.add(&folder)?;
        self.doubled.insert(id);
        self.device(number)?.start()
    }

    fn back_up(&mut self, number: usize) -> Result<(), Violation> {
        let to = self.folder.path().join(format!("backup{number}-{}", self.summary.events));
        let device = self.device(number)?;
        device.stop();
        copy_folder(&device.folder, &to)?;
        device.start()?;
        self.backups.insert(number, to);
        Ok(())
    }

    fn restore(&mut self, number: usize) -> Result<(), Violation> {
        let Some(backup) = self.backups.get(&number).cloned() else { return Ok(()) };
        self.summary.copies += 1;
        let device = self.device(number)?;
        device.restore(&backup)?;
        let id = device.id;
        self.doubled.insert(id);
        Ok(())
    }

    fn revoke(&mut self, number: usize) -> Result<(), Violation> {
        let id = self.device(number)?.id;
        let net = lock(&self.net);
        net.hq()?.revoke(id).map_err(Violation::of("administration"))?;
        let held = check::held_of(net.folder(), id)?;
        self.revoked.entry(id).or_insert(held);
        self.summary.revoked += 1;
        Ok(())
    }

    fn lease(&mut self, number: usize) -> Result<(), Violation> {
        let id = self.device(number)?.id;
        let (authority, word) = (self.authority.clone(), self.word.clone());
        let wanted = Lease { authority, word, year: YEAR, count: 3 };
        let leased = lock(&self.net).hq()?.lease_numbers(id, &wanted);
        leased.map(|_| ()).map_err(Violation::of("administration"))
    }

    fn message(&mut self, number: usize) -> Result<(), Violation> {
        let id = self.device(number)?.id;
        let message =
            CommandMessage { title: "通知".to_owned(), text: "收到请回复".to_owned() };
        let sent = lock(&self.net).hq()?.command(id, message);
        sent.map(|_| ()).map_err(Violation::of("administration"))
    }

    fn issue_rulebook(&mut self) -> Result<(), Violation> {
        self.rulebook.version += 1;
        let issued = lock(&self.net).hq()?.import_rulebook(&self.rulebook);
        issued.map(|_| ()).map_err(Violation::of("administration"))
    }

    /// The line is good from now on and nobody does anything new: everything settles.
    fn heal(&mut self) -> Result<(), Violation> {
        while lock(&self.net).under_way() > 0 {
            lock(&self.net).arrive(0);
        }
        lock(&self.net).restart()?;
        for (number, device) in self.devices.iter_mut().enumerate() {
            lock(&self.net).connect(number, true);
            // Some go on as they are, so that nothing is healed by a restart alone.
            if number % 2 == 1 {
                device.restart()?;
            }
        }
        for round in 0..QUIET_ROUNDS {
            let before = self.counts()?;
            for device in &mut self.devices {
                device.sync()?;
            }
            if before == self.counts()? && round > 0 {
                return lock(&self.net)
                    .broken
                    .take()
                    .map_or(Ok(()), |what| Err(Violation::new("HQ never fails inside", what)));
            }
        }
        Err(Violation::new("I7 everything comes to rest", "something moves for ever"))
    }

    fn counts(&self) -> Result<Vec<(OutboxCounts, u64)>, Violation> {
        let of = |device: &Device| {
            device
                .store()?
                .read(|r| Ok::<_, sync_core::StoreError>((r.outbox_counts()?, r.feed_cursor()?)))
                .map_err(Violation::of("I7 counts"))
        };
        self.devices.iter().map(of).collect()
    }
}

/// Says whether a round stopped for a reason that ends the sending of this device.
fn ends_sending(error: &SyncError) -> bool {
    matches!(error, SyncError::Problem(problem)
        if matches!(problem.code, ProblemCode::Revoked | ProblemCode::Fork
            | ProblemCode::BadRecord | ProblemCode::Gap))
}
