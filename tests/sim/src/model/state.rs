//! What the model remembers: two machines and one HQ.
//!
//! A record is named by device, place in the chain and branch; its content and its previous hash
//! follow from that name. The network has no state of its own: it is the worst one there is. Any
//! run of records that a machine has signed may reach HQ at any moment, any number of times (sent
//! long ago, sent twice, sent in another order), and whatever HQ could answer may reach the machine
//! or never.

use std::collections::BTreeSet;

/// Records that one machine commits.
pub const RECORDS: u8 = 3;
/// Machines: a device and either a second device or a copy of the first one.
pub const MACHINES: u8 = 2;

/// A signed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rec {
    /// Whose chain.
    pub device: u8,
    /// Place in the chain, from 1.
    pub seq: u8,
    /// Which machine made it: a copy shares the device and differs here.
    pub branch: u8,
}

/// Where a record stands at its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Waits.
    Pending,
    /// Shown as received, at this log index.
    Received(u8),
    /// HQ named it as one it will not take.
    Parked,
    /// In neither list: only a broken rule leaves it so.
    Gone,
}

/// A log: stands for its own root.
pub type Log = Vec<Rec>;

/// One data folder with the program that works on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Machine {
    /// Whose key it holds.
    pub device: u8,
    /// Records that it shares with the machine it was copied from.
    pub copied: u8,
    /// Its records, oldest first.
    pub status: Vec<Status>,
    /// The newest log head that it verified; empty where HQ never goes back, since a head that is
    /// a beginning of HQ's log decides nothing then.
    pub seen: Log,
    /// A reply in memory, not written yet.
    pub hand: Option<Reply>,
    /// Its chain ended: HQ holds another one, or a longer one. It says so and sends no record.
    pub ended: bool,
    /// It stopped trying; only a broken rule stops.
    pub stopped: bool,
}

/// Records under way: a run of one machine's chain. None only asks for the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Push {
    /// Sender.
    pub machine: u8,
    /// First seq.
    pub first: u8,
    /// How many.
    pub count: u8,
}

/// An answer under way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reply {
    /// To which push.
    pub to: Push,
    /// What it says.
    pub answer: Answer,
}

/// What HQ says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// It holds these: `(seq, log index)`, under this head.
    Held(Vec<(u8, u8)>, Log),
    /// Another record stands at this seq.
    Fork(u8),
    /// This record does not follow its chain.
    Bad(u8),
    /// Records are missing; go on from here.
    Gap(u8),
    /// The device was revoked.
    Revoked {
        /// HQ vouches for what was sent all the same.
        kept: bool,
    },
}

/// HQ.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hq {
    /// The log on its disk.
    pub log: Log,
    /// Records that contradict the log.
    pub forks: BTreeSet<Rec>,
    /// Records kept without standing in a chain.
    pub quarantine: BTreeSet<Rec>,
    /// How many records of each device the log held when it was revoked.
    pub revoked: [Option<u8>; MACHINES as usize],
    /// Taken in, not committed; a restart forgets it.
    pub group: Option<Push>,
    /// What a broken HQ answered before it committed.
    pub early: Option<Reply>,
    /// Restarts so far.
    pub restarts: u8,
    /// It was put back to an older copy of itself.
    pub rolled_back: bool,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The machines.
    pub machines: Vec<Machine>,
    /// HQ.
    pub hq: Hq,
}

impl Hq {
    /// Returns how many records of the device the log holds.
    #[must_use]
    pub fn held_of(&self, device: u8) -> u8 {
        let own = self.log.iter().filter(|record| record.device == device).count();
        u8::try_from(own).unwrap_or(u8::MAX)
    }
}

impl Machine {
    /// Returns a machine with the key of `device` and nothing else.
    #[must_use]
    pub fn new(device: u8) -> Self {
        let (seen, hand) = (Log::new(), None);
        Self { device, copied: 0, status: vec![], seen, hand, ended: false, stopped: false }
    }

    /// Returns how many records it has.
    #[must_use]
    pub fn length(&self) -> u8 {
        u8::try_from(self.status.len()).unwrap_or(u8::MAX)
    }

    /// Returns where its record `seq` stands.
    #[must_use]
    pub fn status(&self, seq: u8) -> Option<Status> {
        self.status.get(usize::from(seq).checked_sub(1)?).copied()
    }

    /// Writes where its record `seq` stands.
    pub fn set(&mut self, seq: u8, status: Status) {
        let place = usize::from(seq).checked_sub(1).and_then(|at| self.status.get_mut(at));
        if let Some(place) = place {
            *place = status;
        }
    }

    /// Returns the run it sends now: from the first record that waits up to a parked one.
    #[must_use]
    pub fn batch(&self) -> Option<(u8, u8)> {
        let waits = |seq: &u8| self.status(*seq) == Some(Status::Pending);
        let fits = |seq: &u8| !matches!(self.status(*seq), None | Some(Status::Parked));
        let first = (1..=self.length()).find(waits)?;
        let count = (first..=self.length()).take_while(fits).count();
        Some((first, u8::try_from(count).unwrap_or(u8::MAX)))
    }
}

impl State {
    /// Returns the machine.
    #[must_use]
    pub fn machine(&self, machine: u8) -> Option<&Machine> {
        self.machines.get(usize::from(machine))
    }

    /// Returns the record that stands at `seq` of the machine.
    #[must_use]
    pub fn record(&self, machine: u8, seq: u8) -> Option<Rec> {
        let holder = self.machine(machine)?;
        let branch = if seq <= holder.copied { 0 } else { machine };
        Some(Rec { device: holder.device, seq, branch })
    }

    /// Returns the record before `record` in its chain.
    #[must_use]
    pub fn previous(&self, record: Rec) -> Option<Rec> {
        let seq = record.seq.checked_sub(1).filter(|seq| *seq > 0)?;
        self.record(record.branch, seq)
    }

    /// Returns the records of a push.
    #[must_use]
    pub fn records(&self, push: Push) -> Vec<Rec> {
        let seqs = push.first..push.first.saturating_add(push.count);
        seqs.filter_map(|seq| self.record(push.machine, seq)).collect()
    }

    /// Says whether the end of this device's chain in `log` contradicts the machine's own.
    #[must_use]
    pub fn contradicts(&self, log: &Log, machine: u8) -> bool {
        let Some(holder) = self.machine(machine) else { return false };
        let last = log.iter().rev().find(|record| record.device == holder.device);
        last.is_some_and(|last| self.record_here(machine, last.seq) != Some(*last))
    }

    fn record_here(&self, machine: u8, seq: u8) -> Option<Rec> {
        let length = self.machine(machine).map_or(0, Machine::length);
        self.record(machine, seq).filter(|record| record.seq <= length)
    }

    /// Says whether a copy was made.
    #[must_use]
    pub fn is_copied(&self) -> bool {
        self.machine(1).is_some_and(|machine| machine.device == 0)
    }

    /// Returns every run of records that `machine` has signed.
    #[must_use]
    pub fn runs(&self, machine: u8) -> Vec<Push> {
        let length = self.machine(machine).map_or(0, Machine::length);
        let from = |first| (1..=length + 1 - first).map(move |count| (first, count));
        let runs = (1..=length).flat_map(from);
        runs.map(|(first, count)| Push { machine, first, count }).collect()
    }
}
