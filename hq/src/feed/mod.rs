//! Issues feed items: numbered, signed by the feed key, for one device or for all.

mod rulebook;

pub use rulebook::PackedRulebook;
pub(crate) use rulebook::PackedRulebooks;
use sync_model::canonical;
use sync_model::cose::{self, Context};
use sync_model::id::DeviceId;
use sync_model::time::Timestamp;
use sync_model::wire::FEED_BYTES_MAX;
use sync_model::wire::feed::{FeedBody, FeedItem, FeedPage};

use crate::error::{AdminError, HqError};
use crate::hq::{Hq, Inner};
use crate::store::Tx;

/// Room in a page for its own frame around the items.
const PAGE_FRAME_BYTES: usize = 64 * 1024;
/// Most items of a page.
const ITEMS_MAX: u64 = 500;

/// Kind of an item that carries a whole rulebook.
const RULEBOOK: &str = "rulebook";

fn kind(body: &FeedBody) -> &'static str {
    match body {
        FeedBody::Rulebook(_) => RULEBOOK,
        FeedBody::Assignment(_) => "assignment",
        FeedBody::NumberLease(_) => "number_lease",
        FeedBody::Credential(_) => "credential",
        FeedBody::Acceptance(_) => "acceptance",
        FeedBody::Command(_) => "command",
        FeedBody::RulebookNamed(_) => "rulebook_named",
        FeedBody::Partner(_) => "partner",
        FeedBody::Day(_) => "day",
        FeedBody::Order(_) => "order",
        FeedBody::Status(_) => "status",
    }
}

/// How a device takes rulebooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rulebooks {
    /// Whole, in the feed; devices of version 0.1 know no other way.
    Whole,
    /// By name, fetched apart.
    Named,
}

impl Inner {
    /// Signs and adds an item; returns its index.
    pub(crate) fn issue(
        &self,
        tx: &Tx<'_>,
        device: Option<DeviceId>,
        body: FeedBody,
        now: Timestamp,
    ) -> Result<u64, HqError> {
        let kind = kind(&body);
        let index = tx.next_feed_index()?;
        let item = FeedItem { index, device, issued_at: now, body };
        let payload = canonical::to_bytes(&item)?;
        let bytes = cose::sign(Context::Feed, &payload, &self.keys.feed)?;
        // A device could never receive a larger one.
        if bytes.len() > FEED_BYTES_MAX - PAGE_FRAME_BYTES
            || cose::Unverified::parse(&bytes).is_err()
        {
            return Err(AdminError::OutOfRange("feed item is too large for a page").into());
        }
        tx.insert_feed_item(index, device, kind, &bytes)?;
        Ok(index)
    }
}

impl Hq {
    /// Returns the page of the device's feed after `after`.
    /// Without `all` only what a device of protocol 1 can read.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn feed(
        &self,
        device: DeviceId,
        after: u64,
        limit: u64,
        rulebooks: Rulebooks,
        all: bool,
    ) -> Result<FeedPage, HqError> {
        let limit = limit.clamp(1, ITEMS_MAX);
        let bytes_max = FEED_BYTES_MAX - PAGE_FRAME_BYTES;
        let hq_at = self.now();
        self.0.store.read(|tx| {
            let items = tx.feed_after(device, after, limit, bytes_max, all)?;
            let head = tx.feed_head(device)?;
            let items = items.into_iter().map(|item| {
                let named = rulebooks == Rulebooks::Named && item.kind == RULEBOOK;
                let bytes = if named { self.0.named(&item)? } else { item.bytes };
                Ok(bytes.into())
            });
            let items = items.collect::<Result<_, HqError>>()?;
            Ok(FeedPage { items, head, hq_at })
        })
    }
}
