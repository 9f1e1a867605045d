//! The mind of a round alone, against thousands of made-up lines, stores and answers: it ends, it
//! never sends what the rules hold back, and records always go before files.

use std::collections::BTreeMap;

use sync_model::hash::Hash;
use sync_model::wire::policy::Allowance;

use crate::sync::Tuning;
use crate::sync::machine::{Answer, Effect, End, Event, Failure, FileWork, Machine, Request, Work};

/// A run takes no more requests than this, however it goes: far more than its work needs.
const REQUESTS_MAX: u64 = 4_000;

/// SplitMix64: one seed, one run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

struct File {
    work: FileWork,
    held: u64,
    done: bool,
}

/// Device, line and HQ, as far as the machine can see them.
struct Stage {
    chance: Chance,
    /// One in so many answers fails; 0 for none.
    faults: u64,
    /// HQ answers what it likes.
    hostile: bool,
    records: u64,
    held: u64,
    files: BTreeMap<Hash, File>,
    allowance: Allowance,
    budget: Option<u64>,
    feed: (u64, u64),
    log_closed: bool,
    sent: u64,
    trace: Vec<String>,
    last_work: Option<Work>,
}

impl Stage {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let records = chance.below(1200);
        let mut files = BTreeMap::new();
        for number in 0..chance.below(12) {
            let sha256 = Hash::of(format!("{seed} {number}").as_bytes());
            let size = [0, 900, 12_000, 400_000, 3_000_000];
            let bytes = size[usize::try_from(chance.below(5)).unwrap()];
            let needs = if chance.one_in(2) { Allowance::Previews } else { Allowance::All };
            let urgent = chance.one_in(6);
            let held = if chance.one_in(4) { bytes / 2 } else { 0 };
            let work = FileWork { sha256, bytes, needs, urgent };
            files.insert(sha256, File { work, held, done: false });
        }
        let allowances = [Allowance::Records, Allowance::Previews, Allowance::All, Allowance::All];
        let allowance = allowances[usize::try_from(chance.below(4)).unwrap()];
        let budget = chance.one_in(3).then(|| chance.below(1_000_000));
        let faults = [0, 3, 8, 30][usize::try_from(chance.below(4)).unwrap()];
        let hostile = chance.one_in(5);
        let feed = (chance.below(3), chance.below(3));
        Self {
            chance,
            faults,
            hostile,
            records,
            held: 0,
            files,
            allowance,
            budget,
            feed,
            log_closed: false,
            sent: 0,
            trace: vec![],
            last_work: None,
        }
    }

    fn look(&mut self) -> Work {
        if self.chance.one_in(40) {
            // The officer goes on working, or walks out of the building.
            self.records += 1;
        }
        if self.chance.one_in(60) {
            self.allowance = Allowance::Records;
        }
        let files = self.files.values().filter(|file| !file.done).map(|file| file.work).collect();
        let work = Work {
            first: (self.held < self.records).then_some(self.held + 1),
            feed_cursor: self.feed.0,
            files,
            allowance: self.allowance,
            budget_bytes: self.budget,
        };
        self.last_work = Some(work.clone());
        work
    }

    /// Checks a request against every rule, as it leaves.
    fn check(&mut self, request: &Request, flying: &BTreeMap<u64, Request>) {
        self.sent += 1;
        assert!(self.sent <= REQUESTS_MAX, "no end in sight");
        let work = self.last_work.as_ref().unwrap();
        match request {
            Request::Push { records_max, .. } => assert!((1..=500).contains(records_max)),
            Request::Pull | Request::Need(_) => {
                assert!(work.first.is_none() || self.log_closed, "records wait");
            }
            Request::Chunk { file, offset, bytes, whole } => {
                assert!(work.first.is_none() || self.log_closed, "records wait");
                let file = &self.files[file];
                let carried = file.work.urgent || work.allowance >= file.work.needs;
                assert!(carried, "the network may not carry it");
                assert_eq!(*whole, file.work.bytes);
                assert!(self.hostile || offset + bytes <= *whole);
                let twice = flying.values().any(|one| one.file() == Some(file.work.sha256));
                assert!(!twice, "two pieces of one file at once");
                if let Some(left) = &mut self.budget {
                    assert!(file.work.urgent || bytes <= left, "beyond the day's bytes");
                    *left = left.saturating_sub(*bytes);
                }
            }
        }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        if self.hostile && self.chance.one_in(2) {
            return self.nonsense(request);
        }
        if self.faults > 0 && self.chance.one_in(self.faults) {
            return Answer::Failed(self.fault(request));
        }
        match request {
            Request::Push { from, records_max } => {
                let first = from.unwrap_or(self.held + 1);
                let last = (first - 1 + u64::try_from(*records_max).unwrap()).min(self.records);
                let gained = last.saturating_sub(self.held);
                self.held = last.max(self.held);
                let last = (last >= first).then_some(last);
                Answer::Receipt { gained, last, feed_head: self.feed.1 }
            }
            Request::Pull => {
                self.feed.0 = self.feed.1;
                Answer::Pulled
            }
            Request::Need(files) => {
                let held = files.iter().map(|one| (*one, self.files[one].held)).collect();
                Answer::States(held)
            }
            Request::Chunk { file, offset, bytes, whole } => {
                let file = self.files.get_mut(file).unwrap();
                if *offset != file.held {
                    return Answer::Failed(Failure::Offset(file.held));
                }
                file.held += bytes;
                file.done = file.held == *whole;
                Answer::Chunk { offset: file.held, complete: file.done }
            }
        }
    }

    fn fault(&mut self, request: &Request) -> Failure {
        match self.chance.below(16) {
            0 => Failure::Later(Some(1000)),
            1 => Failure::Round,
            2 => {
                self.log_closed |= matches!(request, Request::Push { .. });
                Failure::Plane
            }
            3 if matches!(request, Request::Push { .. }) => {
                // A second gap in a round, or an end to halving, closes the plane.
                self.log_closed = true;
                Failure::Gap(1)
            }
            4 if matches!(request, Request::Push { .. }) => {
                self.log_closed = true;
                Failure::TooLarge
            }
            5 if request.file().is_some() => Failure::Item,
            6 if request.file().is_some() => Failure::Damaged,
            7 => {
                if let Some(file) = request.file() {
                    self.files.get_mut(&file).unwrap().done = true;
                    Failure::Parked
                } else {
                    Failure::Cut
                }
            }
            8 => {
                if let Request::Chunk { file, offset, bytes, .. } = request {
                    // It arrived, the answer did not.
                    let file = self.files.get_mut(file).unwrap();
                    file.held = file.held.max(offset + bytes);
                }
                Failure::Cut
            }
            _ => Failure::Cut,
        }
    }

    fn nonsense(&mut self, request: &Request) -> Answer {
        self.log_closed = true;
        let number = self.chance.next() >> self.chance.below(64);
        match request {
            Request::Push { .. } => Answer::Receipt {
                gained: number % 2,
                last: self.chance.one_in(2).then_some(number),
                feed_head: self.chance.next(),
            },
            Request::Pull => Answer::Pulled,
            Request::Need(files) => {
                Answer::States(files.iter().skip(1).map(|one| (*one, number)).collect())
            }
            Request::Chunk { .. } => match self.chance.below(4) {
                0 => Answer::Failed(Failure::Offset(number)),
                1 => Answer::Failed(Failure::Damaged),
                _ => Answer::Chunk { offset: number, complete: false },
            },
        }
    }

    fn run(&mut self, lanes: usize) -> End {
        let mut machine = Machine::new(Tuning::default(), lanes);
        let mut flying: BTreeMap<u64, Request> = BTreeMap::new();
        let mut events = vec![Event::Begun];
        let mut now_ms = 0;
        loop {
            now_ms += self.chance.below(3_000);
            let event = events.pop().unwrap_or_else(|| {
                let which = self.chance.below(u64::try_from(flying.len()).unwrap());
                let at = usize::try_from(which).unwrap();
                let number = *flying.keys().nth(at).unwrap_or_else(|| panic!("waits for nothing"));
                let request = flying.remove(&number).unwrap();
                Event::Answered(number, self.answer(&request))
            });
            for effect in machine.step(event, now_ms) {
                self.trace.push(format!("{effect:?}"));
                match effect {
                    Effect::Look => {
                        let work = self.look();
                        events.push(Event::Looked(work));
                    }
                    Effect::Send(number, request) => {
                        self.check(&request, &flying);
                        flying.insert(number, request);
                        assert!(flying.len() <= lanes);
                    }
                    Effect::Park(file, _) => self.files.get_mut(&file).unwrap().done = true,
                    Effect::End(end) => {
                        assert!(flying.is_empty(), "ended with requests under way");
                        return end;
                    }
                }
            }
        }
    }
}

#[test]
fn every_round_ends_within_its_rules_whatever_is_answered() {
    let (mut whole, mut failed, mut requests) = (0, 0, 0);
    for seed in 0..20_000 {
        let mut stage = Stage::new(seed);
        let lanes = 1 + usize::try_from(seed % 2).unwrap();
        let end = stage.run(lanes);
        requests += stage.sent;
        if end.because.is_some() {
            failed += 1;
            continue;
        }
        whole += 1;
        if stage.hostile {
            continue;
        }
        // Nothing went wrong, so all that may go went.
        assert_eq!(stage.held, stage.records, "seed {seed}");
        let work = stage.last_work.as_ref().unwrap();
        for file in stage.files.values().filter(|file| !file.done) {
            let carried = file.work.urgent || work.allowance >= file.work.needs;
            let spent = !file.work.urgent && stage.budget.is_some_and(|left| left < 16 * 1024);
            assert!(!carried || spent, "seed {seed}: {:?} was left", file.work);
        }
    }
    println!("{requests} requests in 20000 rounds: {whole} whole, {failed} cut short");
    assert!(whole > 5_000 && failed > 5_000, "{whole} {failed}");
}

#[test]
fn one_seed_is_one_run() {
    for seed in [3, 77, 4_242] {
        let (mut first, mut second) = (Stage::new(seed), Stage::new(seed));
        assert_eq!(first.run(2), second.run(2));
        assert_eq!(first.trace, second.trace);
        assert!(!first.trace.is_empty());
    }
}

#[test]
fn a_round_with_nothing_due_is_one_request() {
    let mut stage = Stage::new(1);
    (stage.files, stage.feed, stage.faults, stage.hostile) = (BTreeMap::new(), (7, 7), 0, false);
    (stage.records, stage.held) = (100, 0);
    let end = stage.run(2);
    assert_eq!((end.because, stage.sent), (None, 1));
}

#[test]
fn a_record_made_meanwhile_waits_for_one_piece_at_most() {
    let file = |number: u64| FileWork {
        sha256: Hash::of(&number.to_le_bytes()),
        bytes: 3_000_000,
        needs: Allowance::All,
        urgent: false,
    };
    let work = |first| Work {
        first,
        feed_cursor: 0,
        files: vec![file(1), file(2)],
        allowance: Allowance::All,
        budget_bytes: None,
    };
    let mut machine = Machine::new(Tuning::default(), 2);
    let receipt = Answer::Receipt { gained: 0, last: None, feed_head: 0 };
    assert_eq!(machine.step(Event::Begun, 0), [Effect::Look]);
    assert!(matches!(
        machine.step(Event::Looked(work(None)), 0)[..],
        [Effect::Send(1, Request::Push { .. })]
    ));
    machine.step(Event::Answered(1, receipt.clone()), 1);
    machine.step(Event::Looked(work(None)), 1);
    let states = vec![(file(1).sha256, 0), (file(2).sha256, 0)];
    machine.step(Event::Answered(2, Answer::States(states)), 2);
    let sent = machine.step(Event::Looked(work(None)), 2);
    assert_eq!(sent.len(), 2, "two lanes: {sent:?}");
    // The officer signs something now. One piece comes back: the record goes, no other piece.
    machine.step(Event::Answered(3, Answer::Chunk { offset: 262_144, complete: false }), 3);
    let next = machine.step(Event::Looked(work(Some(9))), 3);
    assert!(matches!(next[..], [Effect::Send(5, Request::Push { .. })]), "{next:?}");
    machine.step(Event::Answered(4, Answer::Chunk { offset: 262_144, complete: false }), 4);
    assert_eq!(machine.step(Event::Looked(work(Some(9))), 4), []);
}

#[test]
fn a_cut_without_progress_ends_the_round_and_hqs_wish_is_passed_on() {
    let work = Work {
        first: Some(1),
        feed_cursor: 0,
        files: vec![],
        allowance: Allowance::All,
        budget_bytes: None,
    };
    for (failure, wish) in [(Failure::Cut, None), (Failure::Later(Some(7_000)), Some(7_000))] {
        let mut machine = Machine::new(Tuning::default(), 2);
        machine.step(Event::Looked(work.clone()), 0);
        machine.step(Event::Answered(1, Answer::Failed(failure)), 0);
        let end = End { because: Some(1), retry_after_ms: wish, stopped: false };
        assert_eq!(machine.step(Event::Looked(work.clone()), 0), [Effect::End(end)]);
    }
}
