//! Two handhelds: side by side, with the same officers, and one that is a copy of the other.

use std::collections::BTreeSet;

use crate::support::people::{arrive, decision, lead, leave, photograph, scene, walk};
use crate::support::photos;
use crate::support::world::{Device, World, ok, refused};
use sync_core::SyncError;
use sync_model::id::InspectionId;
use sync_model::wire::problem::ProblemCode;
use xunzheng::error::AppError;
use xunzheng::sync_status;

const PERSON: &str = "演练当事人";

fn visit(world: &World, device: &Device, photo: u8) -> InspectionId {
    let inspection = arrive(world, device, device.find("演练小吃店"));
    ok(photograph(device, inspection, &photos::jpeg(photo)));
    walk(world, device, inspection);
    scene(world, device, inspection, PERSON);
    decision(world, device, inspection, PERSON);
    leave(device, inspection);
    inspection
}

#[test]
fn two_devices_at_the_same_premises_both_stand_at_hq_with_different_numbers() {
    let world = World::new(2);
    // Turn by turn at HQ, so that the log interleaves both chains.
    for (index, device) in world.devices.iter().enumerate() {
        visit(&world, device, index as u8);
        for turn in 0..3 {
            for device in &world.devices {
                lead(device, &format!("同一地点的线索 {turn}"));
                ok(device.sync());
            }
        }
    }
    // The same photograph taken in on both is one file at HQ and evidence of each.
    for device in &world.devices {
        let inspection = arrive(&world, device, device.find("演练便利店"));
        ok(photograph(device, inspection, &photos::jpeg(77)));
        ok(device.sync());
        ok(device.sync());
        assert!(device.is_empty());
        let refusals = device.services().store.read(|r| r.refusals()).unwrap();
        assert!(refusals.is_empty(), "{refusals:?}");
    }
    let numbers: BTreeSet<String> = world
        .devices
        .iter()
        .flat_map(|device| device.services().store.read(|r| r.documents()).unwrap())
        .map(|row| row.number)
        .filter(|number| !number.is_empty())
        .collect();
    assert_eq!(numbers.len(), 2, "{numbers:?}");
    let counted = world.check();
    assert_eq!((counted.records, counted.decisions), (counted.receipts, 2));
}

/// 《行政处罚法》第四十二条: an officer is in one place at a time; HQ sees both devices.
#[test]
fn the_same_officers_on_two_devices_at_once_are_found_by_hq_and_told() {
    let world = World::of_one_pair(2);
    for device in &world.devices {
        device.begin_shift();
        ok(device.sync());
    }
    world.clock.advance_ms(30 * 60_000);
    for device in &world.devices {
        lead(device, "各处一条线索");
        ok(xunzheng::session::end_shift(device.services(), ""));
        ok(device.sync());
        ok(device.sync());
        assert!(device.is_empty(), "custody is not acceptance: HQ keeps both");
    }
    let told: Vec<String> = world
        .devices
        .iter()
        .flat_map(|device| device.services().store.read(|r| r.refusals()).unwrap())
        .flat_map(|refusal| refusal.findings)
        .filter(|finding| finding.code == "R-91")
        .map(|finding| finding.message)
        .collect();
    assert!(told.iter().any(|text| text.contains("演练甲")), "{told:?}");
    assert!(told.iter().any(|text| text.contains("演练乙")), "{told:?}");
    let warned = world
        .devices
        .iter()
        .filter(|device| ok(sync_status::status(device.services())).has_parked)
        .count();
    assert!(warned >= 1, "no status bar says it");
    world.check();
}

#[test]
fn the_same_officers_one_device_after_the_other_are_accepted() {
    let world = World::of_one_pair(2);
    for device in &world.devices {
        device.unlock();
        device.begin_shift();
        ok(device.sync());
        world.clock.advance_ms(60 * 60_000);
        ok(xunzheng::session::end_shift(device.services(), ""));
        ok(device.sync());
        ok(device.sync());
        world.clock.advance_ms(60_000);
        let refusals = device.services().store.read(|r| r.refusals()).unwrap();
        assert!(refusals.is_empty(), "{refusals:?}");
    }
    world.check();
}

/// A cloned disk: both copies go on with the same key from the same place in the chain.
#[test]
fn a_copied_device_is_found_and_told_and_the_first_chain_is_unharmed() {
    let mut world = World::new(1);
    lead(&world.devices[0], "复制之前");
    ok(world.devices[0].sync());
    let copy = world.copy_device(0);
    for device in &world.devices {
        device.unlock();
        for nth in 0..3 {
            lead(device, &format!("{} 之后 {nth}", device.folder.display()));
        }
    }
    let first = &world.devices[0];
    let copied = &world.devices[copy];
    ok(first.sync());
    assert!(first.is_empty());
    let head = first.length();

    let (error, sentence) = refused(copied.sync());
    let AppError::Sync(SyncError::Problem(problem)) = &error else { panic!("{error:?}") };
    assert_eq!(problem.code, ProblemCode::Fork);
    assert!(sentence.contains("复制") && sentence.contains("停用"), "{sentence}");
    assert_eq!(error.outcome(), sync_core::Outcome::Refused);
    let parked = copied.services().store.read(|r| r.parked()).unwrap();
    assert!(!parked.is_empty() && parked.iter().all(|row| !row.reason.is_empty()));
    assert!(ok(sync_status::status(copied.services())).has_parked);
    // HQ keeps the whole other branch as evidence, beside the log.
    assert_eq!(world.hq(|hq| hq.counts().unwrap().forks), 3);
    world.check();

    // Both go on; the copy never gets a receipt for its branch, the first never loses one.
    for round in 0..3 {
        lead(first, &format!("原机继续 {round}"));
        lead(copied, &format!("副本继续 {round}"));
        ok(first.sync());
        assert!(first.is_empty());
        let (_, sentence) = refused(copied.sync());
        assert!(!sentence.is_empty());
        let counted = world.check();
        assert!(counted.receipts < counted.records);
    }
    assert_eq!(first.length(), head + 3);
    let receipted = copied.services().store.read(|r| r.outbox_counts()).unwrap().received;
    assert_eq!(receipted, head - 3, "a record of the branch got a receipt");
}

/// A restored backup that has nothing new of its own says the same as before, not something else.
#[test]
fn a_copy_without_acts_of_its_own_changes_nothing_at_hq() {
    let mut world = World::new(1);
    lead(&world.devices[0], "复制之前");
    let copy = world.copy_device(0);
    ok(world.devices[0].sync());
    let before = world.hq(|hq| hq.counts().unwrap());
    ok(world.devices[copy].sync());
    assert!(world.devices[copy].is_empty());
    let after = world.hq(|hq| hq.counts().unwrap());
    assert_eq!((before.records, before.forks), (after.records, after.forks));
    world.check();
}
