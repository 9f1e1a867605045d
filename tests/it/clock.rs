//! A device clock that is wrong: order on record decides, and the doubt is stated, told and cleared.

use crate::support::people::{
    MINUTE_MS, arrive, decision, lead, leave, lock_it, officers_sign, party_signs, photograph,
    prepare_scene, read, refused_interview, scene, walk,
};
use crate::support::photos;
use crate::support::world::{Device, World, ok};
use sync_model::record::Act;
use sync_model::time::TimeQuality;
use xunzheng::sync_status::status;

const HOUR_MS: i64 = 3_600_000;
const PERSON: &str = "演练当事人";

fn kinds(device: &Device) -> Vec<String> {
    let rows = device.services().store.read(|r| r.records_from(1, 10_000)).unwrap();
    rows.into_iter().map(|row| row.kind).collect()
}

fn quality(device: &Device) -> TimeQuality {
    device.services().store.read(|r| r.last_quality()).unwrap().unwrap()
}

fn finish(world: &World, device: &Device) {
    ok(device.sync());
    ok(device.sync());
    assert!(device.is_empty());
    let counted = world.check();
    assert_eq!(counted.records, counted.receipts);
}

/// The officers are between read-back and signatures when the clock falls back an hour.
#[test]
fn a_clock_an_hour_back_in_the_middle_of_a_transcript_stops_nothing_and_is_on_record() {
    let world = World::new(1);
    let device = &world.devices[0];
    let inspection = arrive(&world, device, device.find("演练小吃店"));
    ok(photograph(device, inspection, &photos::jpeg(1)));
    walk(&world, device, inspection);
    let transcript = prepare_scene(&world, device, inspection, PERSON);
    ok(read(&world, device, transcript));
    let before = device.services().clock.now().wall_at;
    device.clock.jump_ms(-HOUR_MS);
    ok(party_signs(device, transcript, PERSON));
    assert_eq!(quality(device), TimeQuality::Suspect);
    assert!(ok(status(device.services())).clock_warning.contains("校时"));
    ok(officers_sign(device, transcript));
    ok(lock_it(device, transcript));
    // The rest of the visit, still an hour back.
    ok(photograph(device, inspection, &photos::jpeg(2)));
    refused_interview(&world, device, inspection, PERSON);
    decision(&world, device, inspection, PERSON);
    leave(device, inspection);

    let rows = device.services().store.read(|r| r.records_from(1, 10_000)).unwrap();
    let stated: Vec<_> = rows
        .iter()
        .filter_map(|row| match row.record().unwrap().envelope.act() {
            Act::ClockStated(body) => Some(body),
            _ => None,
        })
        .collect();
    assert_eq!(stated.len(), 1, "stated once, not at every act");
    assert!(stated[0].before_at <= before);
    assert!(stated[0].after_at.since_ms(before) <= -HOUR_MS + 60_000);
    assert!(stated[0].statement.contains("回拨"));
    // HQ's clock is right; the record says what the device showed, and stays as it was.
    finish(&world, device);
    let refusals = device.services().store.read(|r| r.refusals()).unwrap();
    assert!(refusals.is_empty(), "{refusals:?}");
}

#[test]
fn doubt_lasts_over_a_restart_until_the_clock_agrees_with_hq_again() {
    let mut world = World::new(1);
    let assignment = world.devices[0].find("演练小吃店");
    arrive(&world, &world.devices[0], assignment);
    world.devices[0].clock.jump_ms(-HOUR_MS);
    lead(&world.devices[0], "时钟回拨以后");
    world.devices[0].restart();
    let device = &world.devices[0];
    device.unlock();
    lead(device, "重启以后");
    assert_eq!(quality(device), TimeQuality::Suspect);
    // A round with HQ shows that the clock is still an hour off: no trust yet.
    ok(device.sync());
    lead(device, "联网以后，时钟仍错");
    assert_eq!(quality(device), TimeQuality::Suspect);
    device.clock.jump_ms(HOUR_MS);
    ok(device.sync());
    lead(device, "校时以后");
    assert_eq!(quality(device), TimeQuality::ServerSynced);
    assert_eq!(ok(status(device.services())).clock_warning, "");
    assert_eq!(kinds(device).iter().filter(|kind| *kind == "clock_stated").count(), 1);
    finish(&world, device);
}

#[test]
fn a_clock_set_right_from_an_hour_ahead_does_not_stop_the_visit() {
    let world = World::new(1);
    let device = &world.devices[0];
    device.clock.jump_ms(HOUR_MS);
    let inspection = arrive(&world, device, device.find("演练小吃店"));
    ok(photograph(device, inspection, &photos::jpeg(1)));
    walk(&world, device, inspection);
    device.clock.jump_ms(-HOUR_MS);
    scene(&world, device, inspection, PERSON);
    leave(device, inspection);
    finish(&world, device);
    let refusals = device.services().store.read(|r| r.refusals()).unwrap();
    assert!(refusals.is_empty(), "{refusals:?}");
}

/// Setting the clock back does not make a PIN's delay pass, nor does setting it ahead.
#[test]
fn a_moved_clock_buys_no_try_of_a_pin() {
    let world = World::new(1);
    let device = &world.devices[0];
    let services = device.services();
    let officer = device.codes.officers[0].officer;
    for _ in 0..5 {
        assert!(xunzheng::session::unlock(services, officer, "864209").is_err());
    }
    let pin = &device.codes.officers[0].pin;
    for jump in [24 * HOUR_MS, -48 * HOUR_MS] {
        device.clock.jump_ms(jump);
        let locked = xunzheng::session::unlock(services, officer, pin);
        assert!(matches!(locked, Err(xunzheng::error::AppError::PinLocked { .. })), "{jump}");
    }
    world.clock.advance_ms(MINUTE_MS);
    ok(xunzheng::session::unlock(services, officer, pin));
}
