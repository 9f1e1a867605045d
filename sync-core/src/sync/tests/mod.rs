//! Tests of a round against an HQ that is right, and against every way it can be wrong.

mod ahead;
mod blobs;
mod feed;
mod growth;
pub(crate) mod hq;
mod machine;
mod old_hq;
mod policy;
mod priorities;
mod records;
mod retention;
mod rulebook;
mod transport;
mod word;

use super::{HqClient, Progress, round};
use crate::error::SyncError;
use crate::store::tests::world::World;
use hq::ScriptedHq;

/// Runs one round of `world` against `hq`.
fn sync(world: &World, hq: &ScriptedHq) -> Result<Progress, SyncError> {
    round(world.store(), &HqClient::new(&hq.base()).unwrap(), &mut |_| {})
}
