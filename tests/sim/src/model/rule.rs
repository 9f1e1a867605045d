//! The rules of both ends, as `hq/src/push.rs` and `sync-core/src/sync/push.rs` follow them, and
//! the same rules each broken in one place.

use super::state::{Answer, Log, Machine, Push, Rec, Reply, State, Status};

/// A rule to break; the checker must find what comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// HQ answers what it has not committed.
    AnswerBeforeCommit,
    /// HQ appends a record that it holds already.
    AppendAgain,
    /// HQ replaces what a fork contradicts.
    OverwriteFork,
    /// HQ takes a fork for a repetition.
    OverlookFork,
    /// HQ takes records whose predecessors it does not hold.
    OverlookGap,
    /// Revoking erases what the device had sent.
    EraseRevoked,
    /// What a revoked device sends is refused without being kept.
    TurnAwayRevoked,
    /// HQ goes on taking records of a revoked device.
    OverlookRevocation,
    /// The device believes a receipt before it verified the proof.
    BelieveUnverified,
    /// The device takes a record off the outbox before it has written the receipt.
    ForgetBeforeKeeping,
    /// The device gives up after an answer that is not a receipt.
    GiveUp,
    /// The device asks no proof that the log grew from the head it saw, only that it is no shorter.
    TrustGrowth,
}

/// Every rule that can be broken.
pub const FLAWS: [Flaw; 12] = [
    Flaw::AnswerBeforeCommit,
    Flaw::AppendAgain,
    Flaw::OverwriteFork,
    Flaw::OverlookFork,
    Flaw::OverlookGap,
    Flaw::EraseRevoked,
    Flaw::TurnAwayRevoked,
    Flaw::OverlookRevocation,
    Flaw::BelieveUnverified,
    Flaw::ForgetBeforeKeeping,
    Flaw::GiveUp,
    Flaw::TrustGrowth,
];

/// HQ judges a push, changes what is on its disk and says what it answers.
pub(super) fn judge(state: &mut State, push: Push, flaw: Option<Flaw>) -> Answer {
    let records = state.records(push);
    let device = state.machine(push.machine).map_or(0, |machine| machine.device);
    let revoked = state.hq.revoked.get(usize::from(device)).copied().flatten().is_some();
    if revoked && flaw != Some(Flaw::OverlookRevocation) {
        // What stood before the revocation is receipted as ever.
        let held: Vec<(u8, u8)> = records
            .iter()
            .map_while(|record| {
                let (index, held) = position(&state.hq.log, device, record.seq)?;
                (held == *record).then_some((record.seq, index))
            })
            .collect();
        if !held.is_empty() {
            return Answer::Held(held, state.hq.log.clone());
        }
        if flaw == Some(Flaw::TurnAwayRevoked) {
            return Answer::Revoked { kept: false };
        }
        state.hq.quarantine.extend(records);
        return Answer::Revoked { kept: true };
    }
    let mut places = Vec::new();
    for (at, record) in records.iter().enumerate() {
        if let Some((index, held)) = position(&state.hq.log, device, record.seq) {
            if held == *record && flaw == Some(Flaw::AppendAgain) {
                state.hq.log.push(*record);
            } else if held != *record && flaw != Some(Flaw::OverlookFork) {
                if flaw == Some(Flaw::OverwriteFork) {
                    state.hq.log.retain(|one| *one != held);
                    state.hq.log.push(*record);
                } else {
                    state.hq.forks.extend(records.get(at..).unwrap_or_default());
                }
                return Answer::Fork(record.seq);
            }
            places.push((record.seq, index));
            continue;
        }
        let last = state.hq.log.iter().rev().find(|one| one.device == device).copied();
        let expected = last.map_or(1, |last| last.seq + 1);
        if record.seq != expected && flaw != Some(Flaw::OverlookGap) {
            return Answer::Gap(expected);
        }
        if state.previous(*record) != last && flaw != Some(Flaw::OverlookGap) {
            state.hq.quarantine.insert(*record);
            return Answer::Bad(record.seq);
        }
        places.push((record.seq, u8::try_from(state.hq.log.len()).unwrap_or(u8::MAX)));
        state.hq.log.push(*record);
    }
    Answer::Held(places, state.hq.log.clone())
}

fn position(log: &[Rec], device: u8, seq: u8) -> Option<(u8, Rec)> {
    let index = log.iter().position(|one| (one.device, one.seq) == (device, seq))?;
    Some((u8::try_from(index).ok()?, *log.get(index)?))
}

/// The device looks at a reply; `true` if it may be written down.
pub(super) fn believes(state: &State, reply: &Reply, flaw: Option<Flaw>) -> bool {
    let Some(machine) = state.machine(reply.to.machine) else { return false };
    let Answer::Held(places, head) = &reply.answer else { return true };
    if flaw == Some(Flaw::BelieveUnverified) {
        return true;
    }
    let (first, count) = machine.batch().unwrap_or((1, 0));
    let proven = |(seq, index): &(u8, u8)| {
        let sent = (first..first.saturating_add(count)).contains(seq);
        let leaf = state.record(reply.to.machine, *seq);
        sent && leaf.is_some() && head.get(usize::from(*index)).copied() == leaf
    };
    grew(&machine.seen, head, flaw) && places.iter().all(proven)
}

/// Says whether `new` holds all of `old` at its beginning.
fn grew(old: &Log, new: &Log, flaw: Option<Flaw>) -> bool {
    if flaw == Some(Flaw::TrustGrowth) {
        return new.len() > old.len() || new == old;
    }
    new.starts_with(old)
}

/// The device writes down what it believes.
pub(super) fn keep(machine: &mut Machine, reply: &Reply, heads: bool, flaw: Option<Flaw>) {
    match &reply.answer {
        Answer::Held(places, head) => {
            for (seq, index) in places {
                if !matches!(machine.status(*seq), Some(Status::Received(_))) {
                    machine.set(*seq, Status::Received(*index));
                }
            }
            if heads {
                machine.seen.clone_from(head);
            }
        }
        Answer::Fork(seq) | Answer::Bad(seq) => {
            if machine.status(*seq) == Some(Status::Pending) {
                machine.set(*seq, Status::Parked);
            }
        }
        // HQ names what it keeps apart, and signs that.
        Answer::Revoked { kept: true } => {
            for seq in reply.to.first..reply.to.first.saturating_add(reply.to.count) {
                if machine.status(seq) == Some(Status::Pending) {
                    machine.set(seq, Status::Parked);
                }
            }
        }
        Answer::Gap(_) | Answer::Revoked { kept: false } => {}
    }
    if flaw == Some(Flaw::GiveUp) && !matches!(reply.answer, Answer::Held(..)) {
        machine.stopped = true;
    }
}
