//! A day without a network: whole visits, then one sync that proves all of them.

use crate::support::people::{arrive, decision, leave, photograph, refused_interview, scene, walk};
use crate::support::photos;
use crate::support::proxy::Fault;
use crate::support::world::{Device, World, ok, refused};
use xunzheng::session;

/// One visit with everything; with a fine if the premises allow one.
fn visit(world: &World, device: &Device, word: &str, first_photo: u8, fine: bool) {
    let name = "演练当事人𠮷";
    let inspection = arrive(world, device, device.find(word));
    for index in 0..3 {
        ok(photograph(device, inspection, &photos::jpeg(first_photo + index)));
        world.clock.advance_ms(20_000);
    }
    walk(world, device, inspection);
    scene(world, device, inspection, name);
    refused_interview(world, device, inspection, name);
    if fine {
        decision(world, device, inspection, name);
    }
    leave(device, inspection);
    world.clock.advance_ms(30 * 60_000);
}

#[test]
fn a_day_offline_loses_nothing_and_is_accepted_whole() {
    let world = World::new(2);
    for device in &world.devices {
        device.proxy.fail_all(Fault::Refused);
    }
    for (index, device) in world.devices.iter().enumerate() {
        let first_photo = index as u8 * 100;
        visit(&world, device, "演练小吃店", first_photo, true);
        let (_, sentence) = refused(device.sync());
        assert!(sentence.contains("连不上总部") && sentence.contains("都在本机"), "{sentence}");
        visit(&world, device, "演练便利店", first_photo + 10, false);
        visit(&world, device, "演练水果店", first_photo + 20, false);
        ok(session::close_day(device.services()));
        ok(session::end_shift(device.services(), ""));
    }
    let before = world.check();
    assert_eq!((before.decisions, before.transcripts), (2, 12), "{before:?}");
    assert!(world.devices.iter().all(|device| !device.is_empty()));

    for device in &world.devices {
        device.proxy.pass();
        let progress = ok(device.sync());
        assert!(progress.records > 0 && progress.blobs > 0, "{progress:?}");
        assert!(device.is_empty(), "one round did not bring everything up");
    }
    let after = world.check();
    assert_eq!(after.records, after.receipts, "{after:?}");
    for device in &world.devices {
        let length = device.length();
        // Acceptance of what was pushed comes with the next pull.
        ok(device.sync());
        let refusals = device.services().store.read(|r| r.refusals()).unwrap();
        assert!(refusals.is_empty(), "{refusals:?}");
        let again = ok(device.sync());
        let sent = (again.records, again.blobs, again.blob_bytes, again.feed_items);
        assert_eq!(sent, (0, 0, 0, 0), "a sync with nothing to do did something");
        assert_eq!(device.length(), length, "a sync made records");
    }
    let counts = world.hq(|hq| hq.counts().unwrap());
    assert_eq!((counts.forks, counts.quarantined, counts.blobs_wanted), (0, 0, 0));
    assert_eq!(counts.records as usize, after.records);
    println!("offline day: {:?}", world.check());
}

#[test]
fn a_restart_in_the_middle_of_a_visit_goes_on_where_it_stood() {
    let mut world = World::new(1);
    let inspection = {
        let device = &world.devices[0];
        let inspection = arrive(&world, device, device.find("演练小吃店"));
        ok(photograph(device, inspection, &photos::jpeg(1)));
        inspection
    };
    world.devices[0].restart();
    let device = &world.devices[0];
    // Nobody is unlocked after a restart: no act without the officers' own PINs.
    assert!(photograph(device, inspection, &photos::jpeg(2)).is_err());
    device.unlock();
    ok(photograph(device, inspection, &photos::jpeg(2)));
    walk(&world, device, inspection);
    scene(&world, device, inspection, "演练当事人");
    leave(device, inspection);
    ok(device.sync());
    ok(device.sync());
    assert!(device.is_empty());
    assert!(device.services().store.read(|r| r.refusals()).unwrap().is_empty());
    let counted = world.check();
    assert_eq!(counted.records, counted.receipts);
}
