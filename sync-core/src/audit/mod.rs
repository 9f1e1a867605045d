//! The audit plane on the device: weekly, after a restore and when HQ orders it, the whole chain is
//! compared with what HQ holds.
//!
//! What HQ lost goes pending again and is sent again. What HQ holds and this device does not shows
//! that the device was restored from a backup: from there on its chain would fork, so it takes no
//! new record until it is enrolled anew ([`crate::store::ChainStop`]). Receipts say what HQ promised;
//! the audit asks whether it still holds it.

mod compare;

use serde::Serialize;
use sync_model::time::Timestamp;
use sync_model::wire::audit::{AuditReply, AuditRequest};

use crate::error::{StoreError, SyncError};
use crate::store::{ChainStop, StopKind, Store};
use crate::sync::{HqClient, ask};

pub use compare::{Comparison, compare};

/// How often without an order.
const EVERY_MS: i64 = 7 * 24 * 3600 * 1000;

/// What an audit found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Records compared.
    pub records: u64,
    /// Requests made.
    pub requests: u64,
    /// Records that HQ had lost and that are pending again.
    pub again: u64,
    /// Records in whose place HQ holds another.
    pub differing: u64,
    /// Records at HQ that are not here.
    pub unknown: u64,
}

impl Audit {
    /// Says whether both sides hold the same.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.again == 0 && self.differing == 0 && self.unknown == 0
    }
}

/// Says whether an audit is due: one was ordered, or the last is a week old. The first week begins
/// with the first round.
///
/// # Errors
/// [`StoreError`].
pub fn is_due(store: &Store) -> Result<bool, StoreError> {
    let now = store.clock().now().wall_at;
    store.read(|r| {
        if r.last_receipted()? == 0 {
            return Ok(false);
        }
        if r.audit_ordered()? {
            return Ok(true);
        }
        // A clock that was set back must not put the next audit off for years.
        let fresh = |at: Timestamp| (0..EVERY_MS).contains(&now.since_ms(at));
        Ok(r.audited_at()?.is_some_and(|at| !fresh(at)))
    })
}

/// Compares the chain with HQ and puts right what can be put right.
///
/// # Errors
/// [`SyncError`]; nothing is changed here before the comparison has come to its end.
pub fn run(store: &Store, client: &HqClient) -> Result<Audit, SyncError> {
    let enrollment = store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?;
    let (last, own, head) = store.read(|r| {
        let last = r.last_receipted()?;
        Ok::<_, StoreError>((last, r.chain_hashes(last)?, r.head()?))
    })?;
    let device = Some(enrollment.certificate.device);
    let found = compare(&own, last, |request: &AuditRequest| -> Result<AuditReply, SyncError> {
        ask(client, device, store.device_key(), "/audit", request)
    })?;
    let again = store.resend(&found.absent)?;
    let head = head.map_or(0, |head| head.seq);
    let behind = found.hq_head.filter(|hq| hq.seq > head);
    if behind.is_some() || !found.unknown.is_empty() {
        let seq = found.differing.first().copied().unwrap_or(head.saturating_add(1));
        store.stop_chain(&ChainStop { kind: StopKind::Restored, seq })?;
    }
    store.note_audit()?;
    let count = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
    let ahead = behind.map_or(0, |hq| hq.seq.saturating_sub(head));
    Ok(Audit {
        records: count(own.len()),
        requests: found.requests,
        again,
        differing: count(found.differing.len()),
        unknown: count(found.unknown.len()).saturating_add(ahead),
    })
}
