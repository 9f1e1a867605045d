//! The feed plane: signed items come down, page by page; page and cursor commit together.

use sync_model::wire::feed::FeedPage;

use super::Progress;
use super::http::{Call, HqClient, Method, decode};
use super::rulebook;
use crate::error::{StoreError, SyncError};
use crate::store::Store;

/// Items in one page.
const PAGE_ITEMS: u64 = 200;

pub(super) fn pull(
    store: &Store,
    client: &HqClient,
    progress: &mut Progress,
    watch: &mut dyn FnMut(&Progress),
) -> Result<(), SyncError> {
    let enrollment = store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?;
    loop {
        let cursor = store.read(|r| r.feed_cursor())?;
        // An HQ that does not know names sends rulebooks whole.
        let path = format!("/feed?after={cursor}&limit={PAGE_ITEMS}&rulebooks=2");
        let call = Call::new(Method::Get, path, &[]);
        let device = Some(enrollment.certificate.device);
        let page: FeedPage = decode(&client.send(device, store.device_key(), call)?)?;
        if page.items.is_empty() {
            return Ok(());
        }
        let rulebooks = rulebook::fetch_named(store, client, &enrollment, &page)?;
        let batch = store.take_feed_with(&page, &rulebooks).map_err(|error| match error {
            StoreError::Cose(_) => SyncError::BadProof("feed item"),
            // A later HQ may say what this program does not know; nothing here is damaged.
            StoreError::BadStored(what) => SyncError::Garbage(format!("{what} cannot be read")),
            error => error.into(),
        })?;
        progress.feed_items += batch.items;
        progress.refusals += batch.refusals;
        watch(progress);
        if batch.items == 0 {
            return Err(SyncError::Garbage("feed page brings nothing new".to_owned()));
        }
        if store.read(|r| r.feed_cursor())? >= page.head {
            return Ok(());
        }
    }
}
