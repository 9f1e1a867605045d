//! The audit: what it costs to name a hundred records that HQ lost among 100,000, and that any
//! single one is named.

use std::time::Instant;

use anyhow::bail;
use hq::answer_audit;
use sync_core::SyncError;
use sync_core::audit::{Comparison, compare};
use sync_model::canonical;
use sync_model::hash::Hash;
use sync_model::wire::audit::{AUDIT_BYTES_MAX, AuditReply, AuditRequest, ChainHead, SeqRun};

/// Records on each side.
const RECORDS: u64 = 100_000;
/// Single losses that are tried.
const SINGLE: u64 = 100;

type Chain = Vec<(u64, Hash)>;

/// What one comparison cost.
pub(super) struct Cost {
    pub(super) bytes: usize,
    pub(super) requests: u64,
    pub(super) seconds: f64,
}

/// Compares both sides by the wire's own bytes; the found must be exactly `lost`.
fn named(device: &Chain, lost: impl Fn(u64) -> bool) -> anyhow::Result<Cost> {
    let held: Chain = device.iter().filter(|(seq, _)| !lost(*seq)).copied().collect();
    let head = held.last().map(|(seq, hash)| ChainHead { seq: *seq, hash: *hash });
    let (mut bytes, began) = (0, Instant::now());
    let garbage = |error: &dyn std::fmt::Display| SyncError::Garbage(error.to_string());
    let ask = |request: &AuditRequest| -> Result<AuditReply, SyncError> {
        let sent = canonical::to_bytes(request).map_err(|error| garbage(&error))?;
        let request = canonical::from_bytes(&sent, AUDIT_BYTES_MAX).map_err(|e| garbage(&e))?;
        let reply = answer_audit(&held, head, &request).map_err(SyncError::Problem)?;
        let answered = canonical::to_bytes(&reply).map_err(|error| garbage(&error))?;
        bytes += sent.len() + answered.len();
        canonical::from_bytes(&answered, AUDIT_BYTES_MAX).map_err(|error| garbage(&error))
    };
    let found: Comparison = compare(device, RECORDS, ask)?;
    let seconds = began.elapsed().as_secs_f64();
    if found.absent != SeqRun::join((1..=RECORDS).filter(|seq| lost(*seq))) {
        bail!("the audit named {:?}", found.absent);
    }
    Ok(Cost { bytes, requests: found.requests, seconds })
}

/// Names a hundred scattered losses, then single ones at places over the whole chain.
pub(super) fn run() -> anyhow::Result<(Cost, u64)> {
    let device: Chain = (1..=RECORDS).map(|seq| (seq, Hash::of(&seq.to_be_bytes()))).collect();
    let hundred = named(&device, |seq| seq % 1000 == 500)?;
    for trial in 0..SINGLE {
        // Spread over the chain, first and last included.
        let lost = 1 + trial * (RECORDS - 1) / (SINGLE - 1);
        named(&device, |seq| seq == lost)?;
    }
    Ok((hundred, SINGLE))
}
