//! One sync round, top to bottom: push records → push files → pull the feed → note the time.
//!
//! Every phase can be cut anywhere and starts again from what is on disk:
//!
//! | the power fails after | on disk | the next round |
//! |---|---|---|
//! | records sent, reply lost | records pending here, held at HQ | sends them again; HQ answers the same indices |
//! | receipt verified, not kept | the same | the same |
//! | receipt kept | records received | goes on with the next |
//! | chunk sent, reply lost | HQ promised more than is noted here | asks HQ where it stands, goes on there |
//! | feed page read, not kept | cursor unmoved | reads the page again |
//! | feed page kept | cursor moved in the same transaction | reads the next page |

mod activate;
mod ask;
mod blobs;
mod chain;
mod growth;
mod http;
mod pull;
mod push;
mod rulebook;
pub mod schedule;

#[cfg(test)]
pub(crate) mod tests;

use serde::Serialize;
use sync_model::wire::push::Receipt;

use crate::error::SyncError;
use crate::store::Store;

pub use activate::{activate, enroll};
pub(crate) use ask::{ask, ask_chunk};
pub use http::{Exchange, HqClient, Method, Reply, Transport};

/// What a round has done so far; shown while it runs and printed after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Records receipted in this round.
    pub records: u64,
    /// Records still pending when the round looked.
    pub records_waiting: u64,
    /// Files completed in this round.
    pub blobs: u64,
    /// Bytes of files sent in this round.
    pub blob_bytes: u64,
    /// Feed items put to use.
    pub feed_items: u64,
    /// Records that HQ does not accept as they are, told in this round.
    pub refusals: u64,
}

/// Does one round. What it achieved before an error stays achieved.
///
/// # Errors
/// [`SyncError`]; see its `outcome`.
pub fn round(
    store: &Store,
    client: &HqClient,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Progress, SyncError> {
    let mut progress = Progress::default();
    let pushed =
        chain::may_push(store).and_then(|()| push::push(store, client, &mut progress, watch));
    if let Err(error) = &pushed {
        chain::note_refusal(store, error)?;
    }
    // A record that HQ will not take stops the chain behind it, but neither files nor the feed.
    let pushed = match pushed {
        Err(error) if !is_about_records(&error) => return Err(error),
        other => other,
    };
    blobs::push_blobs(store, client, &mut progress, watch)?;
    pull::pull(store, client, &mut progress, watch)?;
    if let Ok(receipt) = &pushed {
        chain::note_receipt(store, receipt)?;
    }
    chain::other_planes(store, client)?;
    // Acceptance of what was just pushed may have come with the feed; nothing more to send for it.
    note_time(store, &pushed?)?;
    Ok(progress)
}

fn is_about_records(error: &SyncError) -> bool {
    use sync_model::wire::problem::ProblemCode::{BadRecord, Fork, Gap};
    match error {
        SyncError::Problem(problem) => matches!(problem.code, BadRecord | Fork | Gap),
        SyncError::Stopped(_) => true,
        _ => false,
    }
}

fn note_time(store: &Store, receipt: &Receipt) -> Result<(), SyncError> {
    Ok(store.note_round(receipt.received_at)?)
}
