//! The audit plane: device and HQ compare a whole chain in few bytes and find what is not on both
//! sides; and what HQ orders a device to do about its chain.
//!
//! A device's records are numbered without a gap, so HQ names what it lacks by number; only where
//! the numbers agree and the contents do not, the sets of hashes are compared (Negentropy, range-based
//! set reconciliation, arXiv 2212.13567).

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::hash::Hash;

/// Largest Negentropy message either side makes or takes.
pub const AUDIT_FRAME_BYTES: usize = 64 * 1024;
/// Most runs of numbers in one reply.
pub const AUDIT_RUNS_MAX: usize = 4_000;
/// Largest audit body.
pub const AUDIT_BYTES_MAX: usize = 128 * 1024;
/// Longest chain that is compared in one audit: a device's records of many years.
pub const AUDIT_RECORDS_MAX: u64 = 4_000_000;

/// Records that stand side by side in a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeqRun {
    /// Seq of the first.
    pub first: u64,
    /// How many.
    pub count: u64,
}

impl SeqRun {
    /// Returns the seq of the last one.
    #[must_use]
    pub fn last(self) -> u64 {
        self.first.saturating_add(self.count).saturating_sub(1)
    }

    /// Joins numbers in ascending order to runs.
    #[must_use]
    pub fn join(seqs: impl IntoIterator<Item = u64>) -> Vec<Self> {
        let mut runs: Vec<Self> = Vec::new();
        for seq in seqs {
            match runs.last_mut() {
                Some(run) if run.last().saturating_add(1) == seq => {
                    run.count = run.count.saturating_add(1);
                }
                _ => runs.push(Self { first: seq, count: 1 }),
            }
        }
        runs
    }
}

/// The end of a chain as somebody holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// Sequence number of the last record.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

/// One step of the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRequest {
    /// The device's last receipted record; the audit is about seq 1 to this one.
    pub last_seq: u64,
    /// How many of them HQ has named as absent in this audit; the device left them out of `frame`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub absent: u64,
    /// A Negentropy message over (seq, record hash).
    pub frame: ByteBuf,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// Runs as steps, so that a scattered hundred stays small: distance from the end of the run before,
/// then how many, and so on.
mod steps {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{AUDIT_RUNS_MAX, SeqRun};

    pub(super) fn serialize<S: Serializer>(runs: &[SeqRun], to: S) -> Result<S::Ok, S::Error> {
        let mut end = 0_u64;
        let mut steps = Vec::with_capacity(runs.len().saturating_mul(2));
        for run in runs {
            steps.push(run.first.saturating_sub(end));
            steps.push(run.count);
            end = run.last();
        }
        steps.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<SeqRun>, D::Error> {
        let steps = Vec::<u64>::deserialize(from)?;
        if steps.len() > AUDIT_RUNS_MAX.saturating_mul(2) {
            return Err(D::Error::custom("too many runs"));
        }
        let mut end = 0_u64;
        let mut runs = Vec::with_capacity(steps.len() / 2);
        for step in steps.chunks(2) {
            let &[distance, count] = step else { return Err(D::Error::custom("half a run")) };
            let first = end.checked_add(distance).ok_or_else(|| D::Error::custom("too far"))?;
            let run = SeqRun { first, count };
            if count == 0 || first.checked_add(count).is_none() {
                return Err(D::Error::custom("run of no length"));
            }
            end = run.last();
            runs.push(run);
        }
        Ok(runs)
    }
}

/// HQ's answer: what it lacks, or the next message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReply {
    /// End of the device's chain at HQ, where it is another place than the request's last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<ChainHead>,
    /// Seqs that HQ lacks; with any of them there is no message.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "steps")]
    pub absent: Vec<SeqRun>,
    /// The next message; absent when there is nothing more to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<ByteBuf>,
}

/// What HQ orders a device to do about its chain; travels in the feed beside a message in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Compare the whole chain at the next round.
    Audit,
    /// Two records of this device stand at one place: the device was copied or restored. Whoever
    /// holds `other` stops sending records; whoever holds `held` goes on and tells command.
    ForkSeen {
        /// The place.
        seq: u64,
        /// The record that stands in the log.
        held: Hash,
        /// The record that does not.
        other: Hash,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical;

    #[test]
    fn runs_travel_as_steps_and_hostile_steps_are_refused() {
        let absent = vec![SeqRun { first: 1, count: 2 }, SeqRun { first: 90, count: 1 }];
        let reply = AuditReply { head: None, absent, frame: None };
        let bytes = canonical::to_bytes(&reply).unwrap();
        assert_eq!(canonical::from_bytes::<AuditReply>(&bytes, 100), Ok(reply));
        for steps in [vec![1], vec![1, 0], vec![u64::MAX, 1], vec![5, u64::MAX]] {
            let map = std::collections::BTreeMap::from([("absent", steps)]);
            let bytes = canonical::to_bytes(&map).unwrap();
            assert!(canonical::from_bytes::<AuditReply>(&bytes, 100).is_err());
        }
    }

    #[test]
    fn numbers_join_to_runs() {
        let run = |first, count| SeqRun { first, count };
        assert_eq!(SeqRun::join([1, 2, 3, 7, 9, 10]), [run(1, 3), run(7, 1), run(9, 2)]);
        assert_eq!(SeqRun::join([]), []);
        assert_eq!(run(9, 2).last(), 10);
    }
}
