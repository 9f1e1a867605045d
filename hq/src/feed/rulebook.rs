//! Rulebooks by name: immutable, compressed, and as what changed since another one.
//!
//! The feed item of a device that asks for names carries hash, version and signature; the bytes are
//! fetched by the hash, so that any cache between may hold them and nobody can change them. A
//! difference (zstd with the older rulebook as prefix) is a convenience: whatever it gives is
//! checked against the hash, and the whole is there as well.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, PoisonError};

use sync_model::canonical;
use sync_model::cose::{self, Context};
use sync_model::hash::Hash;
use sync_model::wire::feed::{FeedBody, FeedItem, RulebookName};
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::{FEED_BYTES_MAX, RULEBOOK_WINDOW_LOG};

use crate::error::{HqError, refuse};
use crate::hq::{Hq, Inner};
use crate::store::{FeedRow, StoreError};

/// Compression: a rulebook is packed once and fetched by every device.
const LEVEL: i32 = 19;
/// Packed rulebooks and named items kept in memory.
const KEPT: usize = 8;

/// A rulebook as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedRulebook {
    /// Compressed bytes.
    pub bytes: Vec<u8>,
    /// What they differ from; `None` for the whole.
    pub from: Option<Hash>,
}

/// Packed rulebooks at hand, by hash and what they are to differ from.
pub(crate) type PackedRulebooks = HashMap<(Hash, Option<Hash>), Arc<PackedRulebook>>;

impl Inner {
    /// Returns the item that names the rulebook which `row` carries; the same bytes each time.
    pub(super) fn named(&self, row: &FeedRow) -> Result<Vec<u8>, HqError> {
        let kept = self.named_items.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = kept.get(&row.index) {
            return Ok(bytes.clone());
        }
        drop(kept);
        let whole = cose::Unverified::parse(&row.bytes)?;
        let item: FeedItem = canonical::from_bytes(whole.payload(), FEED_BYTES_MAX)?;
        let FeedBody::Rulebook(rulebook) = item.body else {
            return Err(StoreError::Damaged("feed item").into());
        };
        let bytes = canonical::to_bytes(&rulebook)?;
        let name = RulebookName {
            hash: Hash::of(&bytes),
            version: rulebook.version,
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        };
        let item = FeedItem { body: FeedBody::RulebookNamed(name), ..item };
        let signed = cose::sign(Context::Feed, &canonical::to_bytes(&item)?, &self.keys.feed)?;
        let mut kept = self.named_items.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(row.index, signed.clone());
        Ok(signed)
    }
}

impl Hq {
    /// Returns a rulebook, as what changed since `from` if HQ knows that one.
    ///
    /// # Errors
    /// [`ProblemCode::NotFound`] if HQ never issued it.
    pub fn packed_rulebook(
        &self,
        hash: &Hash,
        from: Option<&Hash>,
    ) -> Result<Arc<PackedRulebook>, HqError> {
        let key = (*hash, from.copied());
        let kept = self.0.packed.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(packed) = kept {
            return Ok(packed);
        }
        let (whole, older) = self.0.store.read::<_, HqError>(|tx| {
            let older = from.map(|from| tx.rulebook(from)).transpose()?.flatten();
            Ok((tx.rulebook(hash)?, older))
        })?;
        let whole = whole.ok_or_else(|| refuse(ProblemCode::NotFound, "no such rulebook"))?;
        if Hash::of(&whole) != *hash {
            return Err(StoreError::Damaged("rulebook").into());
        }
        let bytes = pack(&whole, older.as_deref().unwrap_or_default())
            .map_err(HqError::io("compress rulebook"))?;
        let from = older.and(from).copied();
        let packed = Arc::new(PackedRulebook { bytes, from });
        let mut kept = self.0.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&packed));
        Ok(packed)
    }
}

fn pack(whole: &[u8], older: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::with_ref_prefix(Vec::new(), LEVEL, older)?;
    encoder.window_log(RULEBOOK_WINDOW_LOG)?;
    encoder.long_distance_matching(true)?;
    encoder.include_contentsize(true)?;
    encoder.set_pledged_src_size(u64::try_from(whole.len()).ok())?;
    encoder.write_all(whole)?;
    encoder.finish()
}
