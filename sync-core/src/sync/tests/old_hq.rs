//! This device with an HQ of the first release: its answers lack every later field, it knows neither
//! audit nor partner plane, and everything is uploaded all the same.

use serde::Serialize;
use serde_bytes::ByteBuf;
use sync_model::canonical;
use sync_model::hash::Hash;
use sync_model::time::Timestamp;
use sync_model::wire::push::{Receipt, ReceiptRun};

use super::hq::{Reply, Request, ScriptedHq, State};
use super::sync;
use crate::store::tests::world::{World, lead};

/// The receipt as the first release wrote it.
#[derive(Serialize)]
struct ReceiptV1 {
    checkpoint: String,
    runs: Vec<ReceiptRun>,
    received_at: Timestamp,
    feed_head: u64,
    wanted: Vec<Hash>,
}

/// Answers a push with the fields of the first release and nothing more.
fn as_of_v1(request: &Request, state: &mut State) -> Option<Reply> {
    let Reply::Body(bytes) = state.answer(request) else { return None };
    let receipt: Receipt = canonical::from_bytes(&bytes, 1 << 20).ok()?;
    let old = ReceiptV1 {
        checkpoint: receipt.checkpoint,
        runs: receipt.runs,
        received_at: receipt.received_at,
        feed_head: receipt.feed_head,
        wanted: receipt.wanted,
    };
    Some(Reply::Body(canonical::to_bytes(&old).unwrap()))
}

#[test]
fn an_hq_of_the_first_release_gets_everything() {
    let world = World::enrolled();
    world.visit(1);
    let hq = ScriptedHq::of(&world);
    hq.fault(
        |request, state| {
            if request.path.ends_with("/push") { as_of_v1(request, state) } else { None }
        },
    );
    let first = sync(&world, &hq).unwrap();
    assert_eq!((first.records, first.blobs), (6, 1));
    // A week later the audit is due and the old HQ does not know it; nothing is held up by that.
    world.clock.advance_ms(8 * 24 * 3_600_000);
    world.act(lead("后来的线索"));
    assert_eq!(sync(&world, &hq).unwrap().records, 1);
    assert!(hq.state().asked.iter().any(|asked| asked.ends_with("/audit")));
    assert!(!crate::audit::is_due(world.store()).unwrap());
    let counts = world.store().read(|r| r.outbox_counts()).unwrap();
    assert_eq!((counts.pending, counts.parked, counts.pending_blobs), (0, 0, 0));
    assert!(world.store().read(|r| r.chain_stop()).unwrap().is_none());
    // Bytes of records are bytes: what this program sends is what the first release sent.
    let row = world.store().read(|r| r.records_from(1, 1)).unwrap().remove(0);
    assert_eq!(hq.state().held[&1].0.bytes, ByteBuf::from(row.bytes).into_vec());
}
