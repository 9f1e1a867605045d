//! One sync round: records, then the feed, then files, each as far as line and rules allow.
//!
//! [`machine`] decides and knows neither clock, disk nor network; [`round`] drives it. Every request
//! can be cut anywhere and starts again from what is on disk:
//!
//! | the power fails after | on disk | the next round |
//! |---|---|---|
//! | records sent, reply lost | records pending here, held at HQ | sends them again; HQ answers the same indices |
//! | receipt verified, not kept | the same | the same |
//! | receipt kept | records received | goes on with the next |
//! | receipt kept, clock or rules not | records received | hears clock and rules from its first receipt |
//! | metered bytes counted, chunk not sent | the day has fewer bytes left | sends no more than allowed |
//! | chunk sent, reply lost | HQ promised more than is noted here | asks HQ where it stands, goes on there |
//! | feed page read, not kept | cursor unmoved | reads the page again |
//! | feed page kept | cursor moved in the same transaction | reads the next page |
//! | removal of an original noted, not done | row says removed, file there | the next sweep unlinks it |
//! | line's tuning not kept | older tuning | learns again |

mod activate;
mod ahead;
mod ask;
mod blobs;
mod chain;
mod failure;
mod fetch;
mod growth;
mod http;
pub mod machine;
mod network;
mod pull;
mod push;
mod round;
mod rulebook;
pub mod schedule;
pub(crate) mod tuning;
mod waiting;

#[cfg(test)]
pub(crate) mod tests;

use serde::Serialize;
use sync_model::wire::policy::NetworkKind;

use crate::error::SyncError;
use crate::store::Store;

pub use activate::{activate, enroll};
pub(crate) use ask::{ask, ask_chunk};
pub use fetch::fetch_original;
pub use http::{AUTHORITY_FILE, Exchange, HqClient, Method, Reply, Transport};
pub use network::{Network, NetworkFile, SystemNetwork};
pub use round::Options;
pub use tuning::Tuning;
pub use waiting::{Allowed, Held, Waiting, waiting};

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
    /// Files that still may go.
    pub blobs_waiting: u64,
    /// Their bytes.
    pub blob_bytes_waiting: u64,
    /// Files that HQ's rules hold back on this network.
    pub blobs_held: u64,
    /// Their bytes.
    pub blob_bytes_held: u64,
    /// Feed items put to use.
    pub feed_items: u64,
    /// Records that HQ does not accept as they are, told in this round.
    pub refusals: u64,
    /// Originals removed here, since HQ has archived them for long enough.
    pub originals_removed: u64,
    /// Whether the round was stopped from here.
    pub stopped: bool,
}

/// Does one round over a network that may carry everything. What it achieved before an error stays
/// achieved.
///
/// # Errors
/// [`SyncError`]; see its `outcome`.
pub fn round(
    store: &Store,
    client: &HqClient,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Progress, SyncError> {
    let options =
        Options { network: &NetworkKind::Unknown, lanes: machine::LANES, stop: &|| false };
    round_with(store, client, &options, watch)
}

/// Does one round as HQ's rules let this network carry it.
///
/// # Errors
/// [`SyncError`]; see its `outcome`.
pub fn round_with(
    store: &Store,
    client: &HqClient,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Progress, SyncError> {
    round::run(store, client, options, watch)
}
