//! The audit of reads: who read which personal data, when and why, each entry naming the one before.
//!
//! An entry is committed before what was asked for leaves HQ. Nothing is taken out of the middle
//! without breaking the chain, and nothing off its end without contradicting a head that HQ signed
//! and somebody fetched from `/hq/v1/reads`: a note like a checkpoint, of the origin
//! `{log}/reads`, with the number of entries and the hash of the last.

use serde::{Deserialize, Serialize};
use sync_model::canonical;
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::time::Timestamp;

use crate::error::HqError;
use crate::hq::{Hq, Inner};
use crate::store::{StoreError, Tx};

/// Largest entry.
const ENTRY_BYTES_MAX: usize = 16 * 1024;
/// Entries read together.
const PAGE: u64 = 1_000;
/// What the first entry names.
const GENESIS: &[u8] = b"xunzheng/reads";

/// One read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Its number, from 1.
    pub seq: u64,
    /// Hash of the entry before it.
    pub previous: Hash,
    /// HQ's clock.
    pub at: Timestamp,
    /// Who.
    pub account: String,
    /// In which role.
    pub role: String,
    /// Why, in his words at login.
    pub purpose: String,
    /// What was asked for, as the path of the request.
    pub what: String,
}

impl Inner {
    /// Writes down a read; what was read may be given out once this is committed.
    pub(crate) fn note_read(tx: &Tx<'_>, mut read: Read) -> Result<(), HqError> {
        let head = tx.read_head()?;
        let (last, previous) = head.unwrap_or_else(|| (0, Hash::of(GENESIS)));
        read.seq = last.saturating_add(1);
        read.previous = previous;
        let bytes = canonical::to_bytes(&read)?;
        tx.insert_read(read.seq, &Hash::of(&bytes), &bytes)?;
        Ok(())
    }
}

impl Hq {
    /// Returns the signed head of the audit of reads.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn reads_head(&self) -> Result<String, HqError> {
        let head = self.0.store.read::<_, HqError>(|tx| Ok(tx.read_head()?))?;
        let (size, root) = head.unwrap_or_else(|| (0, Hash::of(GENESIS)));
        let origin = format!("{}/reads", self.0.keys.log_origin());
        Ok(Checkpoint { origin, size, root }.sign(&self.0.keys.log))
    }

    /// Checks the whole audit of reads and hands each entry to `each`; returns how many there are.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] at the first entry that is missing or was changed.
    pub fn check_reads(&self, mut each: impl FnMut(&Read)) -> Result<u64, HqError> {
        let (mut last, mut previous) = (0, Hash::of(GENESIS));
        loop {
            let page = self.0.store.read::<_, HqError>(|tx| Ok(tx.reads_after(last, PAGE)?))?;
            if page.is_empty() {
                return Ok(last);
            }
            for (seq, hash, bytes) in page {
                let damaged = || StoreError::Damaged("audit of reads");
                let read: Read =
                    canonical::from_bytes(&bytes, ENTRY_BYTES_MAX).map_err(|_| damaged())?;
                let follows = read.seq == last.saturating_add(1) && read.previous == previous;
                if !follows || seq != read.seq || Hash::of(&bytes) != hash {
                    return Err(damaged().into());
                }
                each(&read);
                (last, previous) = (seq, hash);
            }
        }
    }
}
