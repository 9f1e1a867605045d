//! The next push goes out while the receipt of the one before is verified and stored.

use sync_model::canonical;
use sync_model::hash::Hash;
use sync_model::wire::push::Receipt;

use super::hq::{Reply, ScriptedHq, body};
use super::sync;
use crate::error::SyncError;
use crate::store::tests::world::{World, lead};
use crate::sync::tuning::Tuning;

/// A device with `count` records that sends sixteen at a time at first.
fn waiting(count: u64) -> World {
    let world = World::enrolled();
    for number in 0..count {
        world.act(lead(&number.to_string()));
    }
    let mut tuning = Tuning::default();
    while tuning.halve_records() {}
    world.store().keep_tuning(tuning).unwrap();
    world
}

fn pushes(hq: &ScriptedHq) -> usize {
    hq.state().asked.iter().filter(|line| line.ends_with("/push")).count()
}

#[test]
fn a_push_ahead_is_taken_for_the_next_one_and_sends_nothing_twice() {
    let world = waiting(40);
    let hq = ScriptedHq::of(&world);
    hq.state().grow("somebody else's record");
    let progress = sync(&world, &hq).unwrap();
    assert_eq!((progress.records, progress.records_waiting), (40, 0));
    // 16, then 16 before the first success could double it, then the 8 that are left.
    assert_eq!(pushes(&hq), 3, "{:?}", hq.state().asked);
    // HQ was told the head that was seen by then: no proof of growth had to be asked for.
    assert!(!hq.state().asked.iter().any(|line| line.contains("consistency")));
    for seq in 1..=40 {
        assert!(world.store().read(|r| r.receipt(seq)).unwrap().is_some(), "{seq}");
    }
}

#[test]
fn what_was_sent_ahead_of_a_bad_receipt_waits_and_is_receipted_later() {
    let world = waiting(40);
    let hq = ScriptedHq::of(&world);
    let mut first = true;
    hq.fault(move |request, state| {
        let bend = request.path.ends_with("/push") && std::mem::take(&mut first);
        if !bend {
            return None;
        }
        let asked = state.check_request(request);
        let Reply::Body(bytes) = state.push(&request.body, asked) else { panic!("HQ refused") };
        let mut receipt: Receipt = canonical::from_bytes(&bytes, 1 << 20).unwrap();
        receipt.runs[0].proof.push(Hash::ZERO);
        Some(body(&receipt))
    });
    let error = sync(&world, &hq).unwrap_err();
    assert!(matches!(error, SyncError::BadProof(_)), "{error}");
    let counts = world.store().read(|r| r.outbox_counts()).unwrap();
    assert_eq!((counts.pending, counts.received), (40, 0));
    assert_eq!(sync(&world, &hq).unwrap().records, 40);
    assert_eq!(hq.state().held.len(), 40);
}
