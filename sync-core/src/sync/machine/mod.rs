//! The mind of a round, pure: told what is waiting and what was answered, it says what goes next.
//!
//! No clock, no store, no network in here: the same events give the same effects, so that a run can
//! be replayed and every order of answers tried. [`super::round`] is the driver that does what is
//! said. The rules:
//!
//! 1. Records go before everything; while some wait, no file starts. What is under way is at most
//!    one chunk a lane, so a record committed meanwhile waits no longer than that.
//! 2. Then the feed, if HQ says there is more; then files in the order given, within what the
//!    network may carry.
//! 3. A cut costs the round only if nothing got through since the last one.
//! 4. What cannot go is left out or closes its plane; the other planes go on.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use sync_model::hash::Hash;

use super::tuning::Tuning;

pub use words::{Answer, Effect, End, Event, Failure, FileWork, Request, Work};

/// Requests under way at a time.
pub const LANES: usize = 2;
/// How often one file may be answered with another offset or as damaged in one round.
const TRIES_MAX: u32 = 3;
/// Files in a row that HQ does not take before the fault is not with the files.
const MISSES_MAX: u32 = 3;
/// Files asked about in one request.
pub const NEED_MAX: usize = 500;
/// A metered day's rest smaller than this is not worth a request.
const BUDGET_BYTES_MIN: u64 = 16 * 1024;
/// Largest chunk where bytes are counted.
const CHUNK_BYTES: u64 = 256 * 1024;

/// The state of one round.
#[derive(Clone, Debug)]
pub struct Machine {
    tuning: Tuning,
    lanes: usize,
    numbers: u64,
    flying: BTreeMap<u64, (Request, u64)>,
    /// Which planes are open: records, feed, files.
    open: [bool; 3],
    /// HQ answered a push in this round: its head, clock and rules are known.
    greeted: bool,
    again_from: Option<u64>,
    rewound: bool,
    feed_head: Option<u64>,
    pulled: Option<u64>,
    known: BTreeMap<Hash, u64>,
    furthest: BTreeMap<Hash, u64>,
    tries: BTreeMap<Hash, u32>,
    left_out: BTreeSet<Hash>,
    misses: u32,
    progressed: bool,
    ending: bool,
    end: End,
}

const LOG: usize = 0;
const FEED: usize = 1;
const FILES: usize = 2;

impl Machine {
    /// Returns a round that begins with what earlier rounds learnt of the line.
    #[must_use]
    pub fn new(tuning: Tuning, lanes: usize) -> Self {
        Self {
            tuning,
            lanes: lanes.max(1),
            numbers: 0,
            flying: BTreeMap::new(),
            open: [true; 3],
            greeted: false,
            again_from: None,
            rewound: false,
            feed_head: None,
            pulled: None,
            known: BTreeMap::new(),
            furthest: BTreeMap::new(),
            tries: BTreeMap::new(),
            left_out: BTreeSet::new(),
            misses: 0,
            progressed: false,
            ending: false,
            end: End { because: None, retry_after_ms: None, stopped: false },
        }
    }

    /// Returns what was learnt of the line, for the next round.
    #[must_use]
    pub fn tuning(&self) -> Tuning {
        self.tuning
    }

    /// Returns the requests under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flying.len()
    }

    /// Takes what happened at `now_ms` (any clock that does not run back); says what to do.
    pub fn step(&mut self, event: Event, now_ms: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::Begun => {}
            Event::Stopped => {
                self.ending = true;
                self.end.stopped = true;
            }
            Event::Looked(work) => return self.decide(&work, now_ms),
            Event::Answered(number, answer) => {
                // An answer to what was never asked changes nothing.
                if let Some((request, sent_ms)) = self.flying.remove(&number) {
                    let took_ms = now_ms.saturating_sub(sent_ms);
                    self.answered(number, &request, answer, took_ms, &mut effects);
                }
            }
        }
        effects.push(Effect::Look);
        effects
    }

    fn decide(&mut self, work: &Work, now_ms: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut budget = work.budget_bytes;
        while !self.ending && self.flying.len() < self.lanes {
            let Some(request) = self.next(work, &mut budget) else { break };
            self.numbers = self.numbers.saturating_add(1);
            self.flying.insert(self.numbers, (request.clone(), now_ms));
            effects.push(Effect::Send(self.numbers, request));
        }
        if self.flying.is_empty() {
            effects.push(Effect::End(self.end));
        }
        effects
    }

    /// Returns what goes next, if anything may.
    fn next(&self, work: &Work, budget: &mut Option<u64>) -> Option<Request> {
        let flies = |kind: fn(&Request) -> bool| self.flying.values().any(|(one, _)| kind(one));
        if flies(|one| matches!(one, Request::Push { .. })) {
            return None;
        }
        if self.is_open(LOG) && (work.first.is_some() || self.again_from.is_some() || !self.greeted)
        {
            let from = self.again_from.filter(|seq| work.first.is_none_or(|first| *seq < first));
            return Some(Request::Push { from, records_max: self.tuning.records() });
        }
        if self.is_open(FEED) && self.feed_is_due(work) && !flies(|one| *one == Request::Pull) {
            return Some(Request::Pull);
        }
        if self.is_open(FILES) && !flies(|one| matches!(one, Request::Need(_))) {
            return self.next_file(work, budget);
        }
        None
    }

    fn is_open(&self, plane: usize) -> bool {
        self.open.get(plane).copied().unwrap_or(false)
    }

    fn feed_is_due(&self, work: &Work) -> bool {
        match self.feed_head {
            Some(head) => head > work.feed_cursor && self.pulled.is_none_or(|pulled| head > pulled),
            // Without a receipt HQ's feed is asked once.
            None => self.pulled.is_none(),
        }
    }

    fn next_file(&self, work: &Work, budget: &mut Option<u64>) -> Option<Request> {
        let flying: BTreeSet<Hash> =
            self.flying.values().filter_map(|(one, _)| one.file()).collect();
        let may_go = |file: &&FileWork| {
            let carried = file.urgent || work.allowance >= file.needs;
            carried && !flying.contains(&file.sha256) && !self.left_out.contains(&file.sha256)
        };
        // With nothing left for today only what is urgent goes, and the budget does not bind it.
        let affordable = |file: &&FileWork, left: Option<u64>| {
            file.urgent || left.is_none_or(|left| left >= BUDGET_BYTES_MIN.min(file.bytes))
        };
        let mut waiting = work.files.iter().filter(may_go).filter(|one| affordable(one, *budget));
        let file = waiting.next()?;
        let Some(offset) = self.known.get(&file.sha256).copied() else {
            let unknown = waiting.filter(|one| !self.known.contains_key(&one.sha256));
            let asked = std::iter::once(file).chain(unknown).map(|one| one.sha256);
            return Some(Request::Need(asked.take(NEED_MAX).collect()));
        };
        let mut bytes = self.tuning.chunk_bytes().min(file.bytes.saturating_sub(offset));
        if let Some(left) = budget {
            // Large chunks are for lines that cost nothing.
            bytes = bytes.min(CHUNK_BYTES);
            if !file.urgent {
                bytes = bytes.min(*left);
            }
            *left = left.saturating_sub(bytes);
        }
        Some(Request::Chunk { file: file.sha256, offset, bytes, whole: file.bytes })
    }

    fn answered(
        &mut self,
        number: u64,
        request: &Request,
        answer: Answer,
        took_ms: u64,
        effects: &mut Vec<Effect>,
    ) {
        match answer {
            Answer::Receipt { gained, last, feed_head } => {
                if gained == 0 && last.is_some() && self.again_from.is_none() {
                    return self.close(LOG, number);
                }
                self.progressed |= gained > 0 || !self.greeted;
                self.greeted = true;
                self.feed_head = Some(feed_head);
                // Records that wait have been reached: from here on they lead.
                let again = self.again_from.filter(|_| gained == 0).and(last);
                self.again_from = again.map(|seq| seq.saturating_add(1));
                self.tuning.pushed();
            }
            Answer::Pulled => {
                self.progressed = true;
                self.pulled = Some(self.feed_head.unwrap_or(0));
            }
            Answer::States(states) => {
                for (file, offset) in states {
                    self.reach(file, offset);
                }
                // What HQ holds whole is not listed again; if it is, it is not sent again.
                if let Request::Need(asked) = request {
                    let whole = asked.iter().filter(|one| !self.known.contains_key(one));
                    self.left_out.extend(whole);
                }
            }
            Answer::Chunk { offset, complete } => {
                let Request::Chunk { file, offset: from, bytes, .. } = request else { return };
                if offset <= *from && !complete {
                    return self.leave_out(*file, number);
                }
                self.misses = 0;
                self.reach(*file, offset);
                self.tuning.sent(*bytes, took_ms);
                if complete {
                    self.left_out.insert(*file);
                }
            }
            Answer::Failed(failure) => self.failed(number, request, failure, effects),
        }
    }

    fn failed(
        &mut self,
        number: u64,
        request: &Request,
        failure: Failure,
        effects: &mut Vec<Effect>,
    ) {
        match (failure, request) {
            (Failure::Cut, _) => {
                self.tuning.cut(request);
                if let Some(file) = request.file() {
                    // HQ may hold more than it could say.
                    self.known.remove(&file);
                }
                if !std::mem::take(&mut self.progressed) {
                    self.stop(number, None);
                }
            }
            (Failure::TooLarge, Request::Push { .. }) => {
                if !self.tuning.halve_records() {
                    self.close(LOG, number);
                }
            }
            (Failure::Gap(seq), Request::Push { .. }) if !self.rewound => {
                self.rewound = true;
                self.again_from = Some(seq);
            }
            (Failure::Offset(offset), Request::Chunk { file, .. }) => {
                if self.may_try_again(*file) {
                    self.known.insert(*file, offset);
                } else {
                    self.leave_out(*file, number);
                }
            }
            (Failure::Damaged, Request::Chunk { file, .. }) => {
                if self.may_try_again(*file) {
                    self.known.insert(*file, 0);
                } else {
                    self.left_out.insert(*file);
                    effects.push(Effect::Park(*file, number));
                }
            }
            (Failure::Parked, Request::Chunk { file, .. }) => {
                self.left_out.insert(*file);
            }
            // What stood before the parked record still goes.
            (Failure::Parked, Request::Push { .. }) => self.remember(number),
            (Failure::Item, Request::Chunk { file, .. }) => self.leave_out(*file, number),
            (Failure::Later(after_ms), _) => self.stop(number, after_ms),
            (Failure::Round, _) => self.stop(number, None),
            (_, Request::Push { .. }) => self.close(LOG, number),
            (_, Request::Pull) => self.close(FEED, number),
            (_, Request::Need(_) | Request::Chunk { .. }) => self.close(FILES, number),
        }
    }

    /// Notes where HQ stands; further than ever in this round is progress, also when the answer to
    /// the chunk that brought it there was lost.
    fn reach(&mut self, file: Hash, offset: u64) {
        self.known.insert(file, offset);
        let furthest = self.furthest.entry(file).or_default();
        self.progressed |= offset > *furthest;
        *furthest = offset.max(*furthest);
    }

    fn may_try_again(&mut self, file: Hash) -> bool {
        let tries = self.tries.entry(file).or_default();
        *tries = tries.saturating_add(1);
        *tries <= TRIES_MAX
    }

    fn leave_out(&mut self, file: Hash, number: u64) {
        self.left_out.insert(file);
        self.remember(number);
        self.misses = self.misses.saturating_add(1);
        if self.misses >= MISSES_MAX {
            self.close(FILES, number);
        }
    }

    fn remember(&mut self, number: u64) {
        self.end.because.get_or_insert(number);
    }

    fn close(&mut self, plane: usize, number: u64) {
        self.remember(number);
        if let Some(open) = self.open.get_mut(plane) {
            *open = false;
        }
    }

    fn stop(&mut self, number: u64, after_ms: Option<u64>) {
        self.remember(number);
        self.ending = true;
        self.end.retry_after_ms = self.end.retry_after_ms.max(after_ms);
    }
}
