//! A push of a revoked device, or of one whose certificate ended too long ago: revocation ends the authority to send, not the duty to keep evidence.
//!
//! What the log holds already is receipted as ever: no revocation voids it (I-3). Everything else is
//! kept in quarantine, and the device gets HQ's signed word for it.

use serde_bytes::ByteBuf;
use sync_model::hash::Hash;
use sync_model::time::Timestamp;
use sync_model::wire::custody::KeptApart;
use sync_model::wire::problem::{Problem, ProblemCode};

use super::open::Batch;
use super::plan::Plan;
use super::{Held, Outcome};
use crate::certify::Standing;
use crate::error::HqError;
use crate::hq::Inner;
use crate::store::Tx;

const REVOKED: &str = "device was revoked";
/// So that whoever looks into the quarantine knows that nobody took the device's authority away.
const LAPSED: &str = "certificate ended more than 90 days ago: readmit the device";

impl Inner {
    /// `sizes` are the leaves of the log now and when the device was revoked.
    pub(super) fn take_from_revoked(
        &self,
        tx: &Tx<'_>,
        batch: &Batch,
        plan: Plan<'_>,
        sizes: (u64, u64),
        now: Timestamp,
    ) -> Result<Outcome, HqError> {
        let (size, revoked_size) = sizes;
        let mut places = plan.places;
        places.retain(|(_, index)| *index < size);
        if !places.is_empty() {
            // The device sends what is left by itself and learns the rest then.
            return Ok(Outcome::Held(Held { places, size }));
        }
        let reason = if batch.device.standing(now) == Standing::Lapsed { LAPSED } else { REVOKED };
        let device = batch.device.device;
        let mut records = Vec::new();
        let unattributable = batch.unattributable.iter().map(|(bytes, _)| bytes.as_slice());
        for bytes in batch.records.iter().map(|one| one.bytes.as_slice()).chain(unattributable) {
            if tx.keep_in_quarantine(device, bytes, reason, now)? {
                records.push(Hash::of(bytes));
            }
        }
        let mut problem = Problem::new(ProblemCode::Revoked, reason);
        if !records.is_empty() {
            let kept = KeptApart { device, records, revoked_size, kept_at: now };
            problem.kept = Some(ByteBuf::from(kept.sign(&self.keys.log)?));
        }
        Ok(Outcome::Refused(problem))
    }
}
