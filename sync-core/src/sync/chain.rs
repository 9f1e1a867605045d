//! Whether the chain may go on: what a receipt or a refusal says about this device itself, and the
//! planes that follow the records (audit, partners' copies).
//!
//! A device whose chain ended sends no record any more, and goes on sending files and reading the
//! feed: what it holds is not lost, and what is to be done is said.

use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::Receipt;

use super::http::HqClient;
use crate::error::SyncError;
use crate::store::{ChainStop, StopKind, Store};
use crate::{audit, partner};

/// Says whether records may be sent.
///
/// # Errors
/// [`SyncError::Stopped`].
pub(super) fn may_push(store: &Store) -> Result<(), SyncError> {
    match store.read(|r| r.chain_stop())? {
        Some(stop) => Err(SyncError::Stopped(stop)),
        None => Ok(()),
    }
}

/// Draws the consequence of what HQ said about records: at the first fork the log plane ends.
pub(super) fn note_refusal(store: &Store, error: &SyncError) -> Result<(), SyncError> {
    if let SyncError::Problem(problem) = error
        && problem.code == ProblemCode::Fork
    {
        let seq = problem.seq.unwrap_or(0);
        store.stop_chain(&ChainStop { kind: StopKind::Copied, seq })?;
    }
    Ok(())
}

/// Compares the end of the chain at HQ with the one here: a device that was restored from a backup
/// finds out before it writes anything new.
pub(super) fn note_receipt(store: &Store, receipt: &Receipt) -> Result<(), SyncError> {
    let Some(at_hq) = receipt.chain_head else { return Ok(()) };
    let (head, last, here) = store.read(|r| {
        let here = r.records_from(at_hq.seq, 1)?.into_iter().next();
        Ok::<_, crate::error::StoreError>((r.head()?, r.last_receipted()?, here))
    })?;
    if head.is_none_or(|head| head.seq < at_hq.seq) {
        let seq = head.map_or(1, |head| head.seq.saturating_add(1));
        store.stop_chain(&ChainStop { kind: StopKind::Restored, seq })?;
    } else if here.is_some_and(|here| here.seq == at_hq.seq && here.hash != at_hq.hash) {
        store.stop_chain(&ChainStop { kind: StopKind::Copied, seq: at_hq.seq })?;
    } else if at_hq.seq < last {
        // HQ receipted more than it holds: it was restored. The audit says what to send again.
        store.order_audit()?;
    }
    Ok(())
}

/// Compares the chain with HQ if that is due, and brings partners' records. An old HQ knows neither
/// and loses nothing by it.
pub(super) fn other_planes(store: &Store, client: &HqClient) -> Result<(), SyncError> {
    let unknown = |error: &SyncError| matches!(error, SyncError::Problem(problem) if problem.code == ProblemCode::NotFound);
    if store.read(|r| r.audited_at())?.is_none() && !store.read(|r| r.audit_ordered())? {
        store.note_audit()?;
    }
    if audit::is_due(store)? {
        match audit::run(store, client) {
            Err(error) if unknown(&error) => store.note_audit()?,
            other => {
                other?;
            }
        }
    }
    partner::bring(store, client)?;
    Ok(())
}
