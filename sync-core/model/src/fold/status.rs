//! The status of a case: a state machine that HQ owns.
//!
//! A device's act is a request. Requests count in the order of HQ's log, so every replica that
//! knows the places comes to the same status; what HQ does not hold yet is only waiting. A refused
//! request never unmakes the record behind it: the record stands, and the refusal says why the
//! status does not follow.

use serde::{Deserialize, Serialize};

use super::Source;
use super::order::Entry;
use crate::hash::Hash;
use crate::record::Act;

/// How far a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// 已立.
    Filed,
    /// 已告知.
    Noticed,
    /// 已听取陈述申辩.
    Heard,
    /// 已决定.
    Decided,
    /// 已送达.
    Delivered,
    /// 疑似重复处罚, until HQ has looked.
    UnderReview,
}

/// Why a request does not change the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// The case was not filed.
    NotFiled,
    /// 《行政处罚法》第四十四条: no prior notice.
    NoNotice,
    /// 《行政处罚法》第四十五条: the party was not heard.
    NotHeard,
    /// There is no decision.
    NoDecision,
    /// A decision stands already.
    AfterDecision,
}

/// One request in HQ's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Where it comes from.
    pub source: Source,
    /// Its place in HQ's log.
    pub log_index: u64,
    /// Kind of the act.
    pub kind: String,
    /// The status after it, or why it stays.
    pub outcome: Result<Status, Refused>,
}

pub(super) struct Followed {
    pub(super) status: Option<Status>,
    pub(super) requests: Vec<Request>,
    pub(super) waiting: Vec<Hash>,
}

/// Returns the status after `act`, `None` if the act asks for nothing.
fn step(status: Option<Status>, act: &Act) -> Option<Result<Status, Refused>> {
    use Status::{Decided, Delivered, Filed, Heard, Noticed, UnderReview};
    let outcome = match (act, status) {
        (Act::CaseFiled(_), None) => Ok(Filed),
        (Act::CaseFiled(_), Some(status)) => Ok(status),
        (
            Act::PriorNoticeGiven(_)
            | Act::DefenseHeard(_)
            | Act::DecisionIssued(_)
            | Act::DocumentDelivered(_),
            None,
        ) => Err(Refused::NotFiled),
        (Act::PriorNoticeGiven(_), Some(Filed)) => Ok(Noticed),
        // Told again: nobody falls back behind what he has had.
        (Act::PriorNoticeGiven(_), Some(status @ (Noticed | Heard))) => Ok(status),
        (Act::DefenseHeard(_), Some(Filed)) => Err(Refused::NoNotice),
        (Act::DefenseHeard(_), Some(Noticed | Heard)) => Ok(Heard),
        (Act::PriorNoticeGiven(_) | Act::DefenseHeard(_), Some(_)) => Err(Refused::AfterDecision),
        (Act::DecisionIssued(_), Some(Filed)) => Err(Refused::NoNotice),
        (Act::DecisionIssued(_), Some(Noticed)) => Err(Refused::NotHeard),
        (Act::DecisionIssued(_), Some(Heard)) => Ok(Decided),
        // 《行政处罚法》第二十九条: the second decision stands too, and somebody has to look.
        (Act::DecisionIssued(_), Some(Decided | Delivered | UnderReview)) => Ok(UnderReview),
        (Act::DocumentDelivered(_), Some(Decided | Delivered)) => Ok(Delivered),
        (Act::DocumentDelivered(_), Some(UnderReview)) => Ok(UnderReview),
        (Act::DocumentDelivered(_), Some(_)) => Err(Refused::NoDecision),
        _ => return None,
    };
    Some(outcome)
}

pub(super) fn follow(entries: &[Entry]) -> Followed {
    let mut placed: Vec<(u64, &Entry)> = Vec::new();
    let mut waiting = Vec::new();
    for entry in entries {
        match entry.log_index {
            Some(index) => placed.push((index, entry)),
            None if step(None, &entry.act).is_some() => waiting.push(entry.source.record),
            None => {}
        }
    }
    placed.sort_by_key(|(index, entry)| (*index, entry.source.record));
    let mut followed = Followed { status: None, requests: Vec::new(), waiting };
    for (log_index, entry) in placed {
        let Some(outcome) = step(followed.status, &entry.act) else { continue };
        if let Ok(status) = outcome {
            followed.status = Some(status);
        }
        let kind = entry.act.kind().to_owned();
        followed.requests.push(Request { source: entry.source, log_index, kind, outcome });
    }
    followed
}
