//! What must hold in every state, by the names of the design's invariants.

use std::collections::BTreeSet;

use stateright::Property;

use super::state::{MACHINES, Machine, Push, Rec, State, Status};
use super::{Action, Custody, Second};

/// Rounds after which everything that can arrive has arrived: one for each record, and one more.
const HEALING_ROUNDS: u8 = 4;

pub(super) fn all() -> Vec<Property<Custody>> {
    vec![
        Property::always("I1 a committed record waits here or is held by HQ", kept),
        Property::always("I2 no record stands twice in the log", once),
        Property::always("I3 a log that lost what was receipted is not believed", noticed),
        Property::always("I4 what a device shows as received HQ holds there", provable),
        Property::always("I5 the log has each device's records in chain order", ordered),
        Property::always("I7 once the line is good everything arrives or says why", heals),
        Property::always("I10 revoking ends nothing that was held before", stands),
        Property::eventually("I7 every machine comes to rest with a reason", rests),
    ]
}

fn held(state: &State, record: &Rec) -> bool {
    let hq = &state.hq;
    hq.log.contains(record) || hq.forks.contains(record) || hq.quarantine.contains(record)
}

fn records(state: &State) -> Vec<(Rec, Status)> {
    let mut found = Vec::new();
    for (at, machine) in (0..).zip(&state.machines) {
        let rows = (1..).zip(&machine.status);
        found.extend(rows.filter_map(|(seq, status)| Some((state.record(at, seq)?, *status))));
    }
    found
}

fn kept(_: &Custody, state: &State) -> bool {
    records(state).iter().all(|(record, status)| match status {
        Status::Pending => true,
        Status::Received(_) | Status::Parked => held(state, record) || state.hq.rolled_back,
        Status::Gone => false,
    })
}

fn once(_: &Custody, state: &State) -> bool {
    let distinct: BTreeSet<&Rec> = state.hq.log.iter().collect();
    distinct.len() == state.hq.log.len()
}

/// No machine takes over a head in which something receipted to it is missing.
fn noticed(model: &Custody, state: &State) -> bool {
    !model.roll_back
        || (0..).zip(&state.machines).all(|(at, machine)| {
            (1..).zip(&machine.status).all(|(seq, status)| match status {
                Status::Received(index) => {
                    machine.seen.get(usize::from(*index)).copied() == state.record(at, seq)
                }
                _ => true,
            })
        })
}

fn provable(_: &Custody, state: &State) -> bool {
    let at = |index: u8| state.hq.log.get(usize::from(index));
    state.hq.rolled_back
        || records(state).iter().all(|(record, status)| match status {
            Status::Received(index) => at(*index) == Some(record),
            _ => true,
        })
}

fn ordered(_: &Custody, state: &State) -> bool {
    (0..MACHINES).all(|device| {
        let mut last = None;
        let mut own = state.hq.log.iter().filter(|record| record.device == device);
        own.all(|record| {
            let follows = state.previous(*record) == last && (record.seq == 1) == last.is_none();
            last = Some(*record);
            follows
        })
    })
}

fn stands(_: &Custody, state: &State) -> bool {
    state.hq.rolled_back
        || (0..)
            .zip(&state.hq.revoked)
            .all(|(device, at): (u8, _)| at.is_none_or(|then| then == state.hq.held_of(device)))
}

/// From every state: nothing is lost from now on, and nobody does anything new.
fn heals(model: &Custody, state: &State) -> bool {
    if model.roll_back {
        // HQ stands at a log that devices rightly refuse; a person has to decide.
        return true;
    }
    let mut now = state.clone();
    for at in 0..MACHINES {
        model.write(&mut now, at);
    }
    model.apply(&mut now, Action::Settle);
    for _ in 0..HEALING_ROUNDS {
        (0..MACHINES).for_each(|at| round(model, &mut now, at));
    }
    settled(&now)
}

fn round(model: &Custody, state: &mut State, machine: u8) {
    let Some(holder) = state.machine(machine).filter(|holder| !holder.stopped && !holder.ended)
    else {
        return;
    };
    let Some((first, count)) = holder.batch() else { return };
    let to = Push { machine, first, count };
    let answer = super::rule::judge(state, to, model.flaw);
    model.read(state, super::Reply { to, answer });
    model.write(state, machine);
}

/// Everybody did all his work, and it is settled.
fn rests(model: &Custody, state: &State) -> bool {
    let done = |machine: &Machine| machine.length() == model.records || machine.ended;
    let first = state.machines.first().is_some_and(done);
    let second = state.machines.get(1).is_some_and(done);
    let all = first && (second || (model.second == Second::Copy && !state.is_copied()));
    model.roll_back || (all && settled(state))
}

/// Everything is receipted, or there is a reason that a person can be told.
fn settled(state: &State) -> bool {
    (0..).zip(&state.machines).all(|(at, machine)| {
        let told = machine.ended || machine.status.contains(&Status::Parked);
        let revoked = state.hq.revoked.get(usize::from(machine.device)).copied().flatten();
        (1..).zip(&machine.status).all(|(seq, status)| match status {
            Status::Received(_) | Status::Parked => true,
            Status::Gone => false,
            // Behind a parked record, or kept apart because the device was revoked.
            Status::Pending => {
                let apart = || state.record(at, seq).is_some_and(|one| held(state, &one));
                told || (revoked.is_some() && apart())
            }
        })
    })
}
