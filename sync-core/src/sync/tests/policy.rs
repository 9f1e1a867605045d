//! What HQ's rules let which network carry, counted by legal day, and what is said to wait.

use sync_model::hash::Hash;
use sync_model::record::BlobRole;
use sync_model::wire::policy::{Allowance, NetworkKind, Policy};

use super::hq::ScriptedHq;
use crate::error::SyncError;
use crate::store::tests::world::{HOUR_MS, World, begun, captured, inspection, scope, shift};
use crate::sync::{
    Allowed, Held, HqClient, Network, NetworkFile, Options, Progress, round_with, waiting,
};

/// A device with a visit and `count` photographs of 300 kB with thumbnails of 10 kB.
fn with_photos(count: u8) -> World {
    let world = World::enrolled();
    let shift = world.act(shift(1));
    world.act_in(&scope(1), begun(1, shift.hash));
    for number in 1..=count {
        let blobs = world.store().blobs();
        let original = blobs.put(&vec![number; 300_000], "image/jpeg", BlobRole::Original).unwrap();
        let small = blobs.put(&vec![number; 10_000], "image/jpeg", BlobRole::Thumbnail).unwrap();
        let mut act = captured(u128::from(number), original);
        (act.thumbnail, act.ordinal) = (Some(small), u32::from(number));
        world.act_in(&scope(1), act);
    }
    world
}

fn sync_over(world: &World, hq: &ScriptedHq, network: &dyn Network) -> Result<Progress, SyncError> {
    let client = HqClient::new(&hq.base()).unwrap();
    let options = Options { network, lanes: 2, stop: &|| false };
    round_with(world.store(), &client, &options, &mut |_| {})
}

fn policy(metered_bytes_per_day: u64) -> Policy {
    Policy { revision: 1, metered_bytes_per_day, ..Policy::DEFAULT }
}

#[test]
fn a_metered_network_carries_records_and_previews_and_says_what_waits() {
    let world = with_photos(3);
    let hq = ScriptedHq::of(&world);
    let done = sync_over(&world, &hq, &NetworkKind::Metered).unwrap();
    assert_eq!((done.records, done.blobs, done.blob_bytes), (5, 3, 30_000));
    assert_eq!((done.blobs_held, done.blob_bytes_held), (3, 900_000));
    assert_eq!((done.blobs_waiting, done.blob_bytes_waiting), (0, 0));
    let found = world
        .store()
        .read(|r| {
            let allowed = Allowed::on(r, NetworkKind::Metered, hq.state().now)?;
            assert_eq!(allowed.budget_bytes, Some(5_000_000 - 30_000));
            waiting(r, &allowed)
        })
        .unwrap();
    assert_eq!((found.held_originals, found.why), (3, Some(Held::Metered)));
    // In the cradle everything goes.
    assert_eq!(sync_over(&world, &hq, &NetworkKind::Dock).unwrap().blobs, 3);
}

#[test]
fn roaming_carries_records_only() {
    let world = with_photos(2);
    let hq = ScriptedHq::of(&world);
    let done = sync_over(&world, &hq, &NetworkKind::Roaming).unwrap();
    assert_eq!((done.records, done.blobs, done.blobs_held), (4, 0, 4));
    assert!(!hq.state().asked.iter().any(|line| line.contains("/blobs/")), "not even a question");
}

#[test]
fn the_days_bytes_are_counted_over_rounds_and_restarts_and_begin_anew_at_midnight() {
    let mut world = with_photos(4);
    let hq = ScriptedHq::of(&world);
    hq.state().policy = Some(policy(25_000));
    let done = sync_over(&world, &hq, &NetworkKind::Metered).unwrap();
    // Two whole previews, and 5,000 bytes are not worth a request.
    assert_eq!((done.blobs, done.blob_bytes), (2, 20_000));
    world.reopen();
    assert_eq!(sync_over(&world, &hq, &NetworkKind::Metered).unwrap().blob_bytes, 0);
    let spent = world.store().read(|r| r.metered_bytes_on(hq.state().now)).unwrap();
    assert_eq!(spent, 20_000);
    world.clock.advance_ms(u64::try_from(15 * HOUR_MS).unwrap());
    let tomorrow = hq.state().now.plus_ms(15 * HOUR_MS);
    hq.state().now = tomorrow;
    assert_eq!(sync_over(&world, &hq, &NetworkKind::Metered).unwrap().blobs, 2);
}

#[test]
fn a_visit_marked_urgent_goes_over_any_network() {
    let world = with_photos(1);
    let hq = ScriptedHq::of(&world);
    hq.state().policy = Some(policy(0));
    assert_eq!(sync_over(&world, &hq, &NetworkKind::Roaming).unwrap().blobs, 0);
    world.store().mark_urgent(inspection(1), true).unwrap();
    let done = sync_over(&world, &hq, &NetworkKind::Roaming).unwrap();
    assert_eq!((done.blobs, done.blobs_held), (2, 0));
    assert!(world.store().read(|r| r.is_urgent(inspection(1))).unwrap());
    world.store().mark_urgent(inspection(1), false).unwrap();
    assert!(!world.store().read(|r| r.is_urgent(inspection(1))).unwrap());
}

/// HQ changes the rules at noon; the next receipt brings them, an older one does not take them back.
#[test]
fn rules_come_with_receipts_and_hold_at_once() {
    let world = with_photos(1);
    let hq = ScriptedHq::of(&world);
    hq.state().policy = Some(Policy { metered: Allowance::Records, ..policy(5_000_000) });
    assert_eq!(sync_over(&world, &hq, &NetworkKind::Metered).unwrap().blobs, 0);
    hq.state().policy = Some(Policy { metered: Allowance::All, revision: 2, ..policy(5_000_000) });
    assert_eq!(sync_over(&world, &hq, &NetworkKind::Metered).unwrap().blobs, 2);
    hq.state().policy = Some(Policy { metered: Allowance::Records, ..policy(5_000_000) });
    sync_over(&world, &hq, &NetworkKind::Metered).unwrap();
    assert_eq!(world.store().read(|r| r.policy()).unwrap().revision, 2);
}

/// The officer walks out of the station while photographs are going up.
#[test]
fn a_network_that_changes_in_the_middle_of_a_round_is_noticed() {
    use std::io::Write;
    let world = with_photos(3);
    let hq = ScriptedHq::of(&world);
    let setting = NetworkFile(world.path().join("network"));
    let say = |word: &str| {
        std::fs::File::create(&setting.0).unwrap().write_all(word.as_bytes()).unwrap();
    };
    say("dock");
    let path = setting.0.clone();
    let mut chunks = 0;
    hq.fault(move |request, _| {
        let is_chunk = request.method == "PATCH";
        chunks += u32::from(is_chunk);
        if is_chunk && chunks == 4 {
            std::fs::File::create(&path).unwrap().write_all(b"metered").unwrap();
        }
        None
    });
    let done = sync_over(&world, &hq, &setting).unwrap();
    assert!(done.blobs_held >= 1, "{done:?}");
    let originals = (1..=3_u8).map(|number| Hash::of(&vec![number; 300_000]));
    let whole = originals.filter(|one| hq.state().complete.contains(one)).count();
    assert!(whole <= 1, "what was under way may end, no more: {whole}");
    say("unmetered");
    sync_over(&world, &hq, &setting).unwrap();
    assert_eq!(world.store().read(|r| r.outbox_counts()).unwrap().pending_blobs, 0);
}
