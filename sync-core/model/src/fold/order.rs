//! Which records count for a case, and in which order.
//!
//! Proven order comes first: within a device the chain; between devices, a record that states a
//! head of HQ's log was made after every record that this head covers. Only what no proof orders is
//! ordered by the stated time, then device, then seq. A record's place is at least one behind
//! whatever it is proven to follow, so a clock that runs ahead wins only until the next device has
//! spoken with HQ, and a clock in doubt has no say beyond the proven order.

use std::collections::{BTreeMap, BTreeSet};

use super::{Placed, Source, Standing, named};
use crate::hash::Hash;
use crate::id::{CaseId, DeviceId};
use crate::record::{Act, Record};
use crate::time::TimeQuality;

/// One record of the case, in its place.
pub(super) struct Entry {
    pub(super) source: Source,
    pub(super) log_index: Option<u64>,
    pub(super) record: Record,
    pub(super) act: Act,
}

impl Entry {
    pub(super) fn standing<T: Clone>(&self, body: &T) -> Standing<T> {
        let stated_at = self.record.envelope.recorded.wall_at;
        Standing { source: self.source, stated_at, body: body.clone() }
    }

    /// Says whether this record is proven to be older than `later`.
    pub(super) fn is_before(&self, later: &Self) -> bool {
        if self.source.device == later.source.device {
            return self.source.seq < later.source.seq;
        }
        self.log_index.is_some_and(|index| index < covers(&later.record, later.log_index))
    }
}

/// Returns how many leaves of HQ's log are proven to be older than the record. No honest record
/// states a head that covers itself.
fn covers(record: &Record, log_index: Option<u64>) -> u64 {
    let stated = record.envelope.hq_seen.map_or(0, |head| head.size);
    stated.min(log_index.unwrap_or(u64::MAX))
}

/// Returns the records of the case in ascending order, each once.
pub(super) fn arrange(case: CaseId, records: impl IntoIterator<Item = Placed>) -> Vec<Entry> {
    let mut known: BTreeMap<Hash, Placed> = BTreeMap::new();
    for placed in records {
        let held = known.entry(placed.record.hash).or_insert_with(|| placed.clone());
        // Whoever knows the place says it; of two claims the smaller, so that order never matters.
        held.log_index = match (held.log_index, placed.log_index) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    let mut chosen = choose(case, known.into_values().map(Candidate::of).collect());
    chosen.sort_by_key(|candidate| {
        let envelope = &candidate.record.envelope;
        let index = candidate.log_index.unwrap_or(u64::MAX);
        (index, envelope.device, envelope.seq, candidate.record.hash)
    });
    let mut entries = place(chosen);
    entries.sort_by_key(|entry| entry.source);
    entries
}

/// A record with its act, read once.
struct Candidate {
    record: Record,
    log_index: Option<u64>,
    act: Act,
}

impl Candidate {
    fn of(placed: Placed) -> Self {
        let act = placed.record.envelope.act();
        Self { record: placed.record, log_index: placed.log_index, act }
    }
}

/// Keeps what belongs to the case: what names it, and what happened to its evidence and documents.
fn choose(case: CaseId, candidates: Vec<Candidate>) -> Vec<Candidate> {
    let (mut own, others): (Vec<Candidate>, Vec<Candidate>) =
        candidates.into_iter().partition(|one| named(&one.record, &one.act) == Some(case));
    let (mut documents, mut evidence) = (BTreeSet::new(), BTreeSet::new());
    for one in &own {
        match &one.act {
            Act::NumberReserved(body) => documents.extend([body.document]),
            Act::DecisionIssued(body) => documents.extend([body.document]),
            Act::CaseFiled(body) => evidence.extend(body.evidence.iter().copied()),
            _ => {}
        }
    }
    own.extend(others.into_iter().filter(|one| match &one.act {
        Act::EvidenceExcluded(body) => evidence.contains(&body.evidence),
        Act::DocumentDelivered(body) => documents.contains(&body.document),
        _ => false,
    }));
    own
}

/// Gives each record its place: its stated time, but behind all that it is proven to follow.
fn place(sorted: Vec<Candidate>) -> Vec<Entry> {
    let mut of_device: BTreeMap<DeviceId, i64> = BTreeMap::new();
    // For each placed record the greatest order among all up to it, by ascending log index.
    let mut reached: Vec<(u64, i64)> = Vec::new();
    let mut entries = Vec::with_capacity(sorted.len());
    for Candidate { record, log_index, act } in sorted {
        let envelope = &record.envelope;
        let covered = covers(&record, log_index);
        let end = reached.partition_point(|(index, _)| *index < covered);
        let proven = end.checked_sub(1).and_then(|last| reached.get(last)).map(|(_, order)| *order);
        let after = proven.max(of_device.get(&envelope.device).copied());
        let behind = after.map_or(0, |order| order.saturating_add(1));
        let order = match envelope.recorded.quality {
            TimeQuality::Suspect => behind,
            _ if after.is_none() => envelope.recorded.wall_at.0,
            _ => envelope.recorded.wall_at.0.max(behind),
        };
        let own = of_device.entry(envelope.device).or_insert(order);
        *own = order.max(*own);
        if let Some(index) = log_index {
            let highest = reached.last().map_or(order, |(_, highest)| order.max(*highest));
            reached.push((index, highest));
        }
        let (device, seq, hash) = (envelope.device, envelope.seq, record.hash);
        let source = Source { order, device, seq, record: hash };
        entries.push(Entry { source, log_index, record, act });
    }
    entries
}
