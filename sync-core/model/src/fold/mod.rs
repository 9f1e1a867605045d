//! What a case is, from the records of however many devices: one pure fold.
//!
//! The result depends on the set of records and their places in HQ's log, never on the order in
//! which they arrived: device, partner and HQ that hold the same set hold the same bytes. What was
//! signed is never merged: decisions, notices, hearings and deliveries all stand side by side. Of a
//! text that two officers wrote differently both versions are kept and one is shown; lists are sets
//! in which adding wins; the status follows from requests in the order of HQ's log.

mod order;
mod register;
mod status;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::canonical::{self, CanonicalError};
use crate::hash::Hash;
use crate::id::{CaseId, DeviceId, EvidenceId, OfficerId};
use crate::record::case::{DecisionIssued, DefenseHeard, PriorNoticeGiven};
use crate::record::document::{DocumentDelivered, NumberReserved, NumberVoided};
use crate::record::{Act, Record};
use crate::time::Timestamp;
use crate::wire::assignment::Party;

use order::Entry;
pub use register::{Register, Version};
pub use status::{Refused, Request, Status};

/// A record and where it stands in HQ's log, if the holder knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The record; its signature was checked by whoever kept it.
    pub record: Record,
    /// Index in HQ's log.
    pub log_index: Option<u64>,
}

/// Which record something comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// Place in the order of the case; see `order`.
    pub order: i64,
    /// The device.
    pub device: DeviceId,
    /// Place in its chain.
    pub seq: u64,
    /// The record.
    pub record: Hash,
}

/// Something signed that stands as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing<T> {
    /// Where it comes from.
    pub source: Source,
    /// When, by the device's clock.
    pub stated_at: Timestamp,
    /// What was signed.
    pub body: T,
}

/// A piece of evidence of the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The evidence.
    pub evidence: EvidenceId,
    /// Whether it is listed: some filing named it and no exclusion knew of that filing.
    pub listed: bool,
    /// Who named it.
    pub added: Vec<Source>,
    /// Who excluded it, and why.
    pub excluded: Vec<(Source, String)>,
}

/// What somebody has to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// 《行政处罚法》第二十九条: two decisions in one case; both stand until HQ has looked.
    PossibleDoublePenalty {
        /// The decision records.
        decisions: Vec<Hash>,
    },
}

/// A case as its records tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseState {
    /// The case.
    pub case: CaseId,
    /// Status by HQ's order; absent before HQ holds the filing.
    pub status: Option<Status>,
    /// What devices asked for, in HQ's order, with the outcome.
    pub requests: Vec<Request>,
    /// Requests that HQ does not hold yet, as far as the holder of this state knows.
    pub waiting: Vec<Hash>,
    /// 案由.
    pub matter: Register<String>,
    /// In whose name.
    pub authority: Register<String>,
    /// Whom.
    pub party: Register<Party>,
    /// What was done.
    pub violation: Register<String>,
    /// Where.
    pub place: Register<String>,
    /// When it was done.
    pub acted_at: Register<Timestamp>,
    /// Everybody who took part.
    pub officers: BTreeSet<OfficerId>,
    /// Evidence.
    pub evidence: Vec<Listed>,
    /// 告知.
    pub notices: Vec<Standing<PriorNoticeGiven>>,
    /// 陈述申辩.
    pub defenses: Vec<Standing<DefenseHeard>>,
    /// Numbers taken.
    pub numbers: Vec<Standing<NumberReserved>>,
    /// Numbers given up.
    pub voided: Vec<Standing<NumberVoided>>,
    /// 决定.
    pub decisions: Vec<Standing<DecisionIssued>>,
    /// 送达.
    pub deliveries: Vec<Standing<DocumentDelivered>>,
    /// What somebody has to look at.
    pub reviews: Vec<Review>,
}

impl CaseState {
    /// Returns the canonical bytes, equal on every replica that holds the same records.
    ///
    /// # Errors
    /// [`CanonicalError`] if a text has no canonical form, which a signed one always has.
    pub fn bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical::to_bytes(self)
    }
}

/// Returns the case that `record` belongs to by its envelope or its act.
#[must_use]
pub fn case_of(record: &Record) -> Option<CaseId> {
    named(record, &record.envelope.act())
}

fn named(record: &Record, act: &Act) -> Option<CaseId> {
    let named = match act {
        Act::CaseFiled(body) => Some(body.case),
        Act::PriorNoticeGiven(body) => Some(body.case),
        Act::DefenseHeard(body) => Some(body.case),
        Act::NumberReserved(body) => Some(body.case),
        Act::DecisionIssued(body) => Some(body.case),
        _ => None,
    };
    named.or(record.envelope.case)
}

/// Folds `records`, in any order, with duplicates, with others' records among them, to the case.
#[must_use]
pub fn fold(case: CaseId, records: impl IntoIterator<Item = Placed>) -> CaseState {
    let entries = order::arrange(case, records);
    let status = status::follow(&entries);
    let mut state = CaseState {
        case,
        status: status.status,
        requests: status.requests,
        waiting: status.waiting,
        matter: Register::default(),
        authority: Register::default(),
        party: Register::default(),
        violation: Register::default(),
        place: Register::default(),
        acted_at: Register::default(),
        officers: BTreeSet::new(),
        evidence: evidence(&entries),
        notices: Vec::new(),
        defenses: Vec::new(),
        numbers: Vec::new(),
        voided: Vec::new(),
        decisions: Vec::new(),
        deliveries: Vec::new(),
        reviews: Vec::new(),
    };
    // In ascending order, so that of each register the last version written is the one shown.
    for entry in &entries {
        take(&mut state, entry);
    }
    let decided: Vec<Hash> = state.decisions.iter().map(|one| one.source.record).collect();
    if decided.len() > 1 {
        state.reviews.push(Review::PossibleDoublePenalty { decisions: decided });
    }
    state
}

fn take(state: &mut CaseState, entry: &Entry) {
    let source = entry.source;
    state.officers.extend(entry.record.envelope.officers.iter().copied());
    match &entry.act {
        Act::CaseFiled(body) => {
            state.matter.write(source, body.matter.clone());
            state.authority.write(source, body.authority.clone());
            state.party.write(source, body.party.clone());
            state.violation.write(source, body.violation.clone());
            state.place.write(source, body.place.clone());
            state.acted_at.write(source, body.acted_at);
        }
        Act::PriorNoticeGiven(body) => state.notices.push(entry.standing(body)),
        Act::DefenseHeard(body) => state.defenses.push(entry.standing(body)),
        Act::NumberReserved(body) => state.numbers.push(entry.standing(body)),
        Act::NumberVoided(body) => state.voided.push(entry.standing(body)),
        Act::DecisionIssued(body) => state.decisions.push(entry.standing(body)),
        Act::DocumentDelivered(body) => state.deliveries.push(entry.standing(body)),
        _ => {}
    }
}

/// An add-wins set: an exclusion takes back only the additions it came after.
fn evidence(entries: &[Entry]) -> Vec<Listed> {
    let mut named = BTreeSet::new();
    for entry in entries {
        if let Act::CaseFiled(body) = &entry.act {
            named.extend(body.evidence.iter().copied());
        }
    }
    let of = |evidence: EvidenceId| {
        let adds: Vec<&Entry> = entries
            .iter()
            .filter(
                |entry| matches!(&entry.act, Act::CaseFiled(body) if body.evidence.contains(&evidence)),
            )
            .collect();
        let removals: Vec<(&Entry, &String)> = entries
            .iter()
            .filter_map(|entry| match &entry.act {
                Act::EvidenceExcluded(body) if body.evidence == evidence => {
                    Some((entry, &body.reason))
                }
                _ => None,
            })
            .collect();
        let stands = |add: &&Entry| !removals.iter().any(|(removal, _)| add.is_before(removal));
        Listed {
            evidence,
            listed: adds.iter().any(stands),
            added: adds.iter().map(|entry| entry.source).collect(),
            excluded: removals
                .iter()
                .map(|(entry, reason)| (entry.source, (*reason).clone()))
                .collect(),
        }
    };
    named.into_iter().map(of).collect()
}
