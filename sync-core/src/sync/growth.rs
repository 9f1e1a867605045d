//! A log that only grows: a checkpoint counts only if it provably extends the newest one seen.
//!
//! HQ sends the proof with the receipt. One that does not (version 0.1 did not) is asked for it; one
//! that cannot give it has rolled its log back or forked it, and nothing it says is kept.

use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof::consistency_holds;
use sync_model::record::LogHead;

use super::http::{Call, HqClient, Method, decode};
use crate::error::SyncError;
use crate::store::{Enrollment, Store};

/// Checks that `checkpoint` extends what this device has seen; `offered` is the proof that came
/// with it.
///
/// # Errors
/// [`SyncError::BadProof`] if the log went back, forked, or does not prove that it grew.
pub(super) fn check(
    store: &Store,
    client: &HqClient,
    enrollment: &Enrollment,
    checkpoint: &Checkpoint,
    offered: Option<&[Hash]>,
) -> Result<(), SyncError> {
    let Some(seen) = store.read(|r| r.log_head())? else { return Ok(()) };
    let forked = checkpoint.size == seen.size && checkpoint.root != seen.root;
    if checkpoint.size < seen.size || forked {
        return Err(SyncError::BadProof("checkpoint contradicts one seen before"));
    }
    // Every log grows from the empty one.
    if seen.size == 0 || checkpoint.size == seen.size {
        return Ok(());
    }
    if offered.is_some_and(|proof| holds(&seen, checkpoint, proof)) {
        return Ok(());
    }
    // Another receipt may have moved the head since this one was asked for.
    let proof = ask(store, client, enrollment, &seen, checkpoint)?;
    if holds(&seen, checkpoint, &proof) {
        Ok(())
    } else {
        Err(SyncError::BadProof("log did not grow from the one seen before"))
    }
}

fn holds(seen: &LogHead, checkpoint: &Checkpoint, proof: &[Hash]) -> bool {
    consistency_holds(seen.size, seen.root, checkpoint.size, checkpoint.root, proof)
}

fn ask(
    store: &Store,
    client: &HqClient,
    enrollment: &Enrollment,
    seen: &LogHead,
    checkpoint: &Checkpoint,
) -> Result<Vec<Hash>, SyncError> {
    let path = format!("/log/consistency?from={}&to={}", seen.size, checkpoint.size);
    let device = Some(enrollment.certificate.device);
    match client.send(device, store.device_key(), Call::new(Method::Get, path, &[])) {
        Ok(reply) => decode(&reply),
        Err(SyncError::Problem(problem)) if !problem.is_transient() => {
            Err(SyncError::BadProof("HQ does not prove that its log grew"))
        }
        Err(error) => Err(error),
    }
}
