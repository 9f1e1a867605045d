//! Every order of events of push, receipt, fork, revocation and restart, tried exhaustively.
//!
//! Two machines commit three records each; the second is a device of its own or a copy of the
//! first. The network loses, duplicates and reorders at will and forges receipts; a machine may
//! stop between reading a reply and writing it down; HQ restarts once, anywhere between taking
//! records in and answering, and may revoke each device at any point. A run of its own lets HQ come
//! back from an older copy of itself.
//!
//! [`property`] states what must hold in every state, [`rule::Flaw`] breaks one rule at a time so
//! that the checker shows that it can fail, and [`trace`] turns paths through the model into cases
//! for the real code.

mod property;
pub mod rule;
pub mod state;
pub mod trace;

use stateright::{Model, Property};

use rule::{Flaw, believes, judge, keep};
use state::{Answer, MACHINES, Machine, Push, RECORDS, Reply, State, Status};

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The machine commits a record.
    Commit(u8),
    /// The second machine comes into being as a copy of the first.
    Copy,
    /// A push reaches HQ, which takes it in.
    Take(Push),
    /// HQ commits what it took in, and can answer.
    Settle,
    /// HQ's process ends and starts again.
    RestartHq,
    /// HQ is put back to when its log had this size.
    RollBackHq(u8),
    /// HQ's administrator revokes the device.
    Revoke(u8),
    /// A reply reaches the machine, which verifies it.
    Read(Reply),
    /// The machine writes down what it read.
    Keep(u8),
    /// The machine stops and starts again.
    Restart(u8),
}

/// What the second machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Second {
    /// A device of its own.
    Own,
    /// A copy of the first, made at any point.
    Copy,
}

/// The model and its limits.
#[derive(Clone, Copy, Debug)]
pub struct Custody {
    /// Records for each machine.
    pub records: u8,
    /// Restarts of HQ.
    pub restarts: u8,
    /// What the second machine is.
    pub second: Second,
    /// How many devices may be revoked.
    pub revocations: u8,
    /// Whether a machine may stop between reading and writing down. Where it may not, a reply that
    /// was read and not written is a reply that never came, which is tried anyway.
    pub memory: bool,
    /// Whether HQ may come back from an older copy of itself, once.
    pub roll_back: bool,
    /// The rule that is broken.
    pub flaw: Option<Flaw>,
}

impl Custody {
    /// Returns the model as the design asks for it: 2 machines, 3 records each, 1 restart.
    #[must_use]
    pub fn whole(second: Second) -> Self {
        Self {
            records: RECORDS,
            restarts: 1,
            second,
            // Which of the two makes no difference; the small model revokes both.
            revocations: 1,
            memory: false,
            roll_back: false,
            flaw: None,
        }
    }

    /// Returns a smaller model in which machines also stop with a reply in memory.
    #[must_use]
    pub fn small(second: Second) -> Self {
        let revocations = if second == Second::Copy { 1 } else { MACHINES };
        Self { records: 2, memory: true, revocations, ..Self::whole(second) }
    }

    /// Returns a small model in which HQ may come back from an older copy of itself.
    #[must_use]
    pub fn rolled_back() -> Self {
        Self { roll_back: true, memory: false, revocations: 0, ..Self::small(Second::Own) }
    }

    /// Returns the model with one rule broken, and what it takes to see that.
    #[must_use]
    pub fn broken(flaw: Flaw) -> Self {
        let model = match flaw {
            Flaw::OverwriteFork | Flaw::OverlookFork => Self::small(Second::Copy),
            Flaw::TrustGrowth => Self::rolled_back(),
            _ => Self::small(Second::Own),
        };
        Self { flaw: Some(flaw), ..model }
    }
}

impl Model for Custody {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let machines = (0..MACHINES).map(Machine::new).collect();
        vec![State { machines, hq: state::Hq::default() }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (at, machine) in (0..).zip(&state.machines) {
            if self.exists(state, at) && machine.length() < self.records && !machine.ended {
                actions.push(Action::Commit(at));
            }
            if machine.hand.is_some() {
                actions.extend([Action::Keep(at), Action::Restart(at)]);
            } else {
                actions.extend(self.arriving(state, at).into_iter().map(Action::Read));
            }
            if state.hq.group.is_none() {
                let runs = self.pushes(state, at).into_iter();
                actions.extend(runs.filter(|push| self.matters(state, *push)).map(Action::Take));
            }
        }
        if self.second == Second::Copy && !state.is_copied() {
            actions.push(Action::Copy);
        }
        if state.hq.group.is_some() {
            actions.push(Action::Settle);
        }
        // A restart with nothing in memory changes nothing.
        let volatile = state.hq.group.is_some() || state.hq.early.is_some();
        if state.hq.restarts < self.restarts && volatile {
            actions.push(Action::RestartHq);
        }
        if self.roll_back && !state.hq.rolled_back {
            let size = u8::try_from(state.hq.log.len()).unwrap_or(u8::MAX);
            actions.extend((0..size).map(Action::RollBackHq));
        }
        actions.extend((0..self.revocations).map(Action::Revoke));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        self.apply(&mut next, action);
        // What changes nothing is no step; so every path ends.
        (next != *last).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        property::all()
    }
}

impl Custody {
    fn exists(&self, state: &State, at: u8) -> bool {
        at == 0 || self.second == Second::Own || state.is_copied()
    }

    fn pushes(&self, state: &State, at: u8) -> Vec<Push> {
        if !self.exists(state, at) || state.machine(at).is_none_or(|machine| machine.stopped) {
            return vec![];
        }
        let mut pushes = state.runs(at);
        if self.roll_back {
            pushes.push(Push { machine: at, first: 1, count: 0 });
        }
        pushes
    }

    /// Says whether HQ has anything to write for this push.
    fn matters(&self, state: &State, push: Push) -> bool {
        let mut after = state.clone();
        judge(&mut after, push, self.flaw);
        after.hq != state.hq
    }

    /// Returns the replies that may reach the machine now: what HQ says to each push that it has
    /// settled, and a forged receipt. What would change nothing at the machine is left out.
    fn arriving(&self, state: &State, at: u8) -> Vec<Reply> {
        if state.machine(at).is_none_or(|machine| machine.ended) {
            return vec![];
        }
        let mut replies: Vec<Reply> = Vec::new();
        for push in self.pushes(state, at) {
            if !self.matters(state, push) {
                let answer = judge(&mut state.clone(), push, self.flaw);
                replies.push(Reply { to: push, answer });
            }
        }
        replies.extend(state.hq.early.iter().filter(|reply| reply.to.machine == at).cloned());
        replies.extend(forged(state, at));
        replies.retain(|reply| {
            let mut after = state.clone();
            self.read(&mut after, reply.clone());
            self.write(&mut after, at);
            after != *state
        });
        replies
    }
}

/// A receipt for what waits, under a head that nobody signed.
fn forged(state: &State, at: u8) -> Option<Reply> {
    let machine = state.machine(at)?;
    let (first, count) = machine.batch()?;
    let size = u8::try_from(machine.seen.len()).unwrap_or(u8::MAX);
    let answer = Answer::Held(vec![(first, size)], machine.seen.clone());
    Some(Reply { to: Push { machine: at, first, count }, answer })
}

impl Custody {
    fn apply(&self, state: &mut State, action: Action) {
        match action {
            Action::Commit(at) => {
                if let Some(machine) = state.machines.get_mut(usize::from(at)) {
                    machine.status.push(Status::Pending);
                }
            }
            Action::Copy => {
                let first = state.machine(0).cloned();
                if let (Some(first), Some(second)) = (first, state.machines.get_mut(1)) {
                    *second = Machine { copied: first.length(), hand: None, ..first };
                }
            }
            Action::Take(push) => {
                state.hq.group = Some(push);
                if self.flaw == Some(Flaw::AnswerBeforeCommit) {
                    let answer = judge(&mut state.clone(), push, self.flaw);
                    state.hq.early = Some(Reply { to: push, answer });
                }
            }
            Action::Settle => {
                if let Some(push) = state.hq.group.take() {
                    judge(state, push, self.flaw);
                }
            }
            Action::RestartHq => {
                state.hq.group = None;
                state.hq.restarts += 1;
            }
            Action::RollBackHq(size) => {
                state.hq.log.truncate(usize::from(size));
                state.hq.rolled_back = true;
            }
            Action::Revoke(device) => self.revoke(state, device),
            Action::Read(reply) => {
                let at = reply.to.machine;
                self.read(state, reply);
                if !self.memory {
                    self.write(state, at);
                }
            }
            Action::Keep(at) => self.write(state, at),
            Action::Restart(at) => {
                if let Some(machine) = state.machines.get_mut(usize::from(at)) {
                    machine.hand = None;
                }
            }
        }
    }

    fn revoke(&self, state: &mut State, device: u8) {
        let held = state.hq.held_of(device);
        if let Some(revoked) = state.hq.revoked.get_mut(usize::from(device)) {
            revoked.get_or_insert(held);
        }
        if self.flaw == Some(Flaw::EraseRevoked) {
            state.hq.log.retain(|record| record.device != device);
        }
    }

    fn read(&self, state: &mut State, reply: Reply) {
        if !believes(state, &reply, self.flaw) {
            return;
        }
        let Some(machine) = state.machines.get_mut(usize::from(reply.to.machine)) else { return };
        if self.flaw == Some(Flaw::ForgetBeforeKeeping)
            && let Answer::Held(places, _) = &reply.answer
        {
            for (seq, _) in places {
                machine.set(*seq, Status::Gone);
            }
        }
        machine.hand = Some(reply);
    }

    fn write(&self, state: &mut State, at: u8) {
        if let Some(machine) = state.machines.get_mut(usize::from(at))
            && let Some(reply) = machine.hand.take()
        {
            keep(machine, &reply, self.roll_back, self.flaw);
            let against = match &reply.answer {
                Answer::Held(_, head) => state.contradicts(head, at),
                Answer::Fork(_) => true,
                _ => false,
            };
            if let Some(machine) = state.machines.get_mut(usize::from(at)) {
                machine.ended |= against && !self.roll_back;
            }
        }
    }
}
