//! The comparison itself: no store, no network, only what one side holds and a way to ask the other.

use std::collections::{BTreeMap, BTreeSet};

use negentropy::{Id, Negentropy, NegentropyStorageVector};
use serde_bytes::ByteBuf;
use sync_model::hash::Hash;
use sync_model::wire::audit::{AUDIT_FRAME_BYTES, AuditReply, AuditRequest, ChainHead, SeqRun};

use crate::error::SyncError;

/// Most requests of one audit. Equal chains need one, gaps two, a wholly different chain about one
/// for every 60 KiB of hashes.
const REQUESTS_MAX: usize = 256;

/// What the comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Requests made.
    pub requests: u64,
    /// Records here that HQ does not hold at all.
    pub absent: Vec<SeqRun>,
    /// Records here in whose place HQ holds another.
    pub differing: Vec<u64>,
    /// Records at HQ that are not here.
    pub unknown: Vec<Hash>,
    /// End of the chain at HQ.
    pub hq_head: Option<ChainHead>,
}

impl Comparison {
    /// Says whether both sides hold the same.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.absent.is_empty() && self.differing.is_empty() && self.unknown.is_empty()
    }
}

/// Compares `own` (seq and hash, ascending, up to `last_seq`) with what the other side holds.
///
/// # Errors
/// What `ask` returns; [`SyncError::Garbage`] if the answers do not lead to an end.
pub fn compare(
    own: &[(u64, Hash)],
    last_seq: u64,
    mut ask: impl FnMut(&AuditRequest) -> Result<AuditReply, SyncError>,
) -> Result<Comparison, SyncError> {
    let mut found = Comparison::default();
    let mut absent: BTreeSet<u64> = BTreeSet::new();
    let (mut have, mut need) = (Vec::new(), Vec::new());
    let mut set = Set::of(own, &absent)?;
    let mut frame = set.first()?;
    for _ in 0..REQUESTS_MAX {
        let named = u64::try_from(absent.len()).unwrap_or(u64::MAX);
        let request = AuditRequest { last_seq, absent: named, frame: ByteBuf::from(frame) };
        let reply = ask(&request)?;
        found.requests = found.requests.saturating_add(1);
        found.hq_head = reply.head.or(found.hq_head);
        if !reply.absent.is_empty() {
            note_absent(own, last_seq, &reply.absent, &mut absent)?;
            have.clear();
            need.clear();
            set = Set::of(own, &absent)?;
            frame = set.first()?;
            continue;
        }
        let next = match reply.frame {
            Some(bytes) => set.next(&bytes, &mut have, &mut need)?,
            None => None,
        };
        match next {
            Some(next) => frame = next,
            None => {
                let seqs: BTreeMap<Hash, u64> =
                    own.iter().map(|(seq, hash)| (*hash, *seq)).collect();
                found.absent = SeqRun::join(absent);
                let differing: BTreeSet<u64> =
                    have.iter().filter_map(|hash| seqs.get(hash).copied()).collect();
                found.differing = differing.into_iter().collect();
                found.unknown = need;
                found.unknown.sort_unstable();
                found.unknown.dedup();
                return Ok(found);
            }
        }
    }
    Err(SyncError::Garbage("audit comes to no end".to_owned()))
}

/// Adds what HQ says it lacks; it can only lack what is here and was not named before.
fn note_absent(
    own: &[(u64, Hash)],
    last_seq: u64,
    runs: &[SeqRun],
    absent: &mut BTreeSet<u64>,
) -> Result<(), SyncError> {
    const WRONG: &str = "audit names records that do not exist";
    let before = absent.len();
    for run in runs {
        if run.count == 0 || run.first == 0 || run.last() > last_seq {
            return Err(SyncError::Garbage(WRONG.to_owned()));
        }
        let from = own.partition_point(|(seq, _)| *seq < run.first);
        let to = own.partition_point(|(seq, _)| *seq <= run.last());
        absent.extend(own.get(from..to).unwrap_or_default().iter().map(|(seq, _)| *seq));
    }
    if absent.len() == before { Err(SyncError::Garbage(WRONG.to_owned())) } else { Ok(()) }
}

struct Set(Negentropy<'static, NegentropyStorageVector>);

fn broken(error: &negentropy::Error) -> SyncError {
    SyncError::Garbage(format!("audit message: {error}"))
}

impl Set {
    fn of(own: &[(u64, Hash)], absent: &BTreeSet<u64>) -> Result<Self, SyncError> {
        let mut storage = NegentropyStorageVector::with_capacity(own.len());
        for (seq, hash) in own.iter().filter(|(seq, _)| !absent.contains(seq)) {
            storage.insert(*seq, Id::from_byte_array(hash.0)).map_err(|error| broken(&error))?;
        }
        storage.seal().map_err(|error| broken(&error))?;
        let limit = u64::try_from(AUDIT_FRAME_BYTES).unwrap_or(0);
        Negentropy::owned(storage, limit).map(Self).map_err(|error| broken(&error))
    }

    fn first(&mut self) -> Result<Vec<u8>, SyncError> {
        self.0.initiate().map_err(|error| broken(&error))
    }

    fn next(
        &mut self,
        frame: &[u8],
        have: &mut Vec<Hash>,
        need: &mut Vec<Hash>,
    ) -> Result<Option<Vec<u8>>, SyncError> {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let next = self
            .0
            .reconcile_with_ids(frame, &mut ours, &mut theirs)
            .map_err(|error| broken(&error))?;
        have.extend(ours.into_iter().map(|id| Hash(id.to_bytes())));
        need.extend(theirs.into_iter().map(|id| Hash(id.to_bytes())));
        Ok(next)
    }
}
