//! The audit plane at HQ: what of a device's chain is missing here, or is not the same.
//!
//! Nothing is kept between two requests. One request reads the hashes of this one chain, page by
//! page, and no record; memory grows with the chain of the one device and with nothing else.

use negentropy::{Id, Negentropy, NegentropyStorageVector};
use serde_bytes::ByteBuf;
use sync_model::canonical;
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::wire::audit::{
    AUDIT_BYTES_MAX, AUDIT_FRAME_BYTES, AUDIT_RECORDS_MAX, AUDIT_RUNS_MAX, AuditReply,
    AuditRequest, ChainHead, Order, SeqRun,
};
use sync_model::wire::feed::FeedBody;
use sync_model::wire::problem::{Problem, ProblemCode};

use crate::error::{HqError, refuse};
use crate::hq::Hq;

/// Answers one step about a chain of which HQ holds `own` (seq and hash, ascending, up to the seq
/// that the request names).
///
/// # Errors
/// A [`Problem`] if the message is not one of the comparison.
pub fn answer_audit(
    own: &[(u64, Hash)],
    head: Option<ChainHead>,
    request: &AuditRequest,
) -> Result<AuditReply, Problem> {
    let malformed = |what: String| Problem::new(ProblemCode::Malformed, what);
    if request.last_seq > AUDIT_RECORDS_MAX || request.frame.len() > AUDIT_FRAME_BYTES {
        return Err(Problem::new(ProblemCode::TooLarge, "audit is too large"));
    }
    let head = head.filter(|head| head.seq != request.last_seq);
    let held = u64::try_from(own.len()).unwrap_or(u64::MAX);
    if request.last_seq.saturating_sub(held) > request.absent {
        let absent = holes(own, request.last_seq);
        return Ok(AuditReply { head, absent, frame: None });
    }
    let broken = |error: negentropy::Error| malformed(format!("audit message: {error}"));
    let mut storage = NegentropyStorageVector::with_capacity(own.len());
    for (seq, hash) in own {
        storage.insert(*seq, Id::from_byte_array(hash.0)).map_err(broken)?;
    }
    storage.seal().map_err(broken)?;
    let limit = u64::try_from(AUDIT_FRAME_BYTES).unwrap_or(0);
    let mut side = Negentropy::owned(storage, limit).map_err(broken)?;
    let frame = side.reconcile(&request.frame).map_err(broken)?;
    // The version alone says that there is nothing more to say.
    let frame = (frame.len() > 1).then(|| ByteBuf::from(frame));
    Ok(AuditReply { head, absent: Vec::new(), frame })
}

/// Returns the places from 1 to `last` that are not in `own`, at most [`AUDIT_RUNS_MAX`] runs.
fn holes(own: &[(u64, Hash)], last: u64) -> Vec<SeqRun> {
    let mut runs = Vec::new();
    let mut next: u64 = 1;
    let end = last.saturating_add(1);
    for seq in own.iter().map(|(seq, _)| *seq).chain([end]) {
        if seq > next && runs.len() < AUDIT_RUNS_MAX {
            runs.push(SeqRun { first: next, count: seq.saturating_sub(next) });
        }
        next = seq.saturating_add(1);
    }
    runs
}

impl Hq {
    /// Answers one step of a device's audit of its own chain.
    ///
    /// # Errors
    /// A problem: malformed, too large.
    pub(crate) fn audit(&self, device: DeviceId, body: &[u8]) -> Result<AuditReply, HqError> {
        let request: AuditRequest = canonical::from_bytes(body, AUDIT_BYTES_MAX)
            .map_err(|error| refuse(ProblemCode::Malformed, &error.to_string()))?;
        if request.last_seq > AUDIT_RECORDS_MAX {
            return Err(refuse(ProblemCode::TooLarge, "audit is too large"));
        }
        let (own, head) = self.0.store.read::<_, HqError>(|tx| {
            Ok((tx.chain_hashes(device, request.last_seq)?, tx.head(device)?))
        })?;
        let head = head.map(|head| ChainHead { seq: head.seq, hash: head.hash });
        answer_audit(&own, head, &request).map_err(Into::into)
    }

    /// Orders the device to compare its whole chain at its next round.
    ///
    /// # Errors
    /// If there is no such device or the store cannot be written.
    pub fn order_audit(&self, device: DeviceId) -> Result<u64, HqError> {
        self.tell(device, FeedBody::Order(Order::Audit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_named_as_runs_in_order() {
        let own: Vec<(u64, Hash)> = [2, 3, 6].into_iter().map(|seq| (seq, Hash::ZERO)).collect();
        let run = |first, count| SeqRun { first, count };
        assert_eq!(holes(&own, 8), [run(1, 1), run(4, 2), run(7, 2)]);
        assert_eq!(holes(&own, 6), [run(1, 1), run(4, 2)]);
        assert_eq!(holes(&[], 0), []);
    }

    #[test]
    fn a_foreign_message_is_malformed_and_nothing_else() {
        for frame in [vec![], vec![0x61], vec![0x61, 0, 0, 9], vec![0xff; 100], vec![0x61; 60_000]]
        {
            let request = AuditRequest { last_seq: 0, absent: 0, frame: ByteBuf::from(frame) };
            let answer = answer_audit(&[], None, &request);
            assert!(
                answer.is_ok_and(|reply| reply.absent.is_empty()) || {
                    let problem = answer_audit(&[], None, &request).unwrap_err();
                    problem.code == ProblemCode::Malformed
                }
            );
        }
    }
}
