//! The answer to a push: where its records stand, and the proof of it.

use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::log::proof;
use sync_model::log::tree::{self, Nodes};
use sync_model::time::Timestamp;
use sync_model::wire::audit::ChainHead;
use sync_model::wire::push::{Receipt, ReceiptRun};

use super::Held;
use crate::error::HqError;
use crate::hq::Inner;
use crate::store::{LogNodes, StoreError, Tx, Wanted};

/// Most files that one receipt asks for.
const WANTED_MAX: u32 = 1000;

impl Inner {
    /// Makes the receipt of what was committed. It reads beside the writer: proofs need only what
    /// is never changed.
    pub(crate) fn receipt(
        &self,
        tx: &Tx<'_>,
        device: DeviceId,
        seen_size: Option<u64>,
        held: &Held,
        now: Timestamp,
    ) -> Result<Receipt, HqError> {
        let log = LogNodes::at(tx, held.size);
        let mut runs: Vec<ReceiptRun> = Vec::new();
        for (seq, log_index) in &held.places {
            match runs.last_mut() {
                Some(run) if run.log_index.saturating_add(run.count) == *log_index => {
                    run.count = run.count.saturating_add(1);
                }
                _ => runs.push(ReceiptRun {
                    first_seq: *seq,
                    count: 1,
                    log_index: *log_index,
                    proof: Vec::new(),
                }),
            }
        }
        // A device that saw a longer log gets no proof, and finds out that this one went back.
        let seen_size = seen_size.filter(|seen| *seen <= log.size());
        // Asked twice: once to learn which nodes are needed, so that they are read together.
        let places = Wanted::default();
        prove(&places, &runs, seen_size, log.size())?;
        let places = places.into_places();
        let (nodes, feed_head, wanted, archived_seq, policy, head) =
            tx.together::<_, StoreError>(|tx| {
                let nodes = LogNodes::read(tx, &places)?;
                let feed_head = tx.feed_head(device);
                let wanted = tx.wanted(device, WANTED_MAX)?;
                let (policy, head) = (Self::policy(tx)?, tx.head(device)?);
                let archived_seq = self.archived_seq(tx, device, head)?;
                Ok((nodes, feed_head?, wanted, archived_seq, policy, head))
            })?;
        log.know(nodes);
        let (proofs, consistency) = prove(&log, &runs, seen_size, log.size())?;
        for (run, proof) in runs.iter_mut().zip(proofs) {
            run.proof = proof;
        }
        Ok(Receipt {
            checkpoint: self.checkpoint(&log)?,
            runs,
            received_at: now,
            feed_head,
            wanted,
            consistency,
            archived_seq,
            policy,
            chain_head: head.map(|head| ChainHead { seq: head.seq, hash: head.hash }),
            word: None,
        })
    }
}

/// The proof of every run, and that of the log's growth.
type Proofs = (Vec<Vec<Hash>>, Option<Vec<Hash>>);

/// Makes every proof of a receipt from `nodes`, and asks for what the root needs.
fn prove<N: Nodes<Error = StoreError>>(
    nodes: &N,
    runs: &[ReceiptRun],
    seen_size: Option<u64>,
    size: u64,
) -> Result<Proofs, StoreError> {
    tree::root(nodes, size)?;
    let runs = runs.iter().map(|run| proof::range(nodes, run.log_index, run.count, size));
    let consistency = seen_size.map(|seen| proof::consistency(nodes, seen, size)).transpose()?;
    Ok((runs.collect::<Result<_, _>>()?, consistency))
}
