//! Every way to cut a sync round, at every request of it: the next round brings everything up once.
//!
//! Faults come in pairs: HQ has saved what was sent, or has not; the device cannot tell which.
//!
//! Where each fault that the design asks for is tried:
//!
//! | fault | test |
//! |---|---|
//! | messages dropped, doubled, reordered, delayed; partitions | `tests/sim/tests/world.rs`, `tests/sim/tests/model.rs` |
//! | SIGKILL of handheld, HQ, both | `tests/sim/tests/kill.rs`, `kill.rs`, `sync-core/src/store/tests/crash.rs` |
//! | power cut after every write and sync, both ends | `tests/sim/tests/power_cut.rs` |
//! | every file access fails once; half a write | `tests/sim/tests/failing.rs` |
//! | disk full at the handheld (200 points) and at HQ, quota lowered within a file | `tests/sim/tests/failing.rs`, `bad_input/full_disk.rs`, `sync-core/src/store/tests/full_disk.rs` |
//! | clock in 1970 or 2099, a day or an hour off, jumping between acts and rounds | `tests/sim/tests/faults.rs`, `clock.rs`, `sync-core/src/store/tests/clock.rs` |
//! | HQ restarted in the middle of an upload | here, `hq/tests/it/files.rs` |
//! | file link cut every 3 MB and 300 KB, with the bytes sent twice | `tests/sim/tests/faults.rs` |
//! | bit flipped on the way, both directions | `tests/sim/tests/faults.rs`, `hq/tests/it/files.rs` |
//! | bit flipped on the handheld's disk | `bad_input/database.rs`, `sync-core/src/sync/tests/blobs.rs` |
//! | bit flipped on HQ's disk | `hq/tests/it/store.rs` (`verify_log_names_the_first_thing_that_is_wrong`) |
//! | two handhelds, one place; the same officers twice | `two_devices.rs`, `hq/tests/it/admission.rs` |
//! | restored or copied handheld, a place used again | `two_devices.rs`, `hq/tests/it/custody.rs`, `tests/sim/tests/world.rs` |
//! | HQ drops, changes, reorders a record, rolls its log back | `tests/sim/tests/world.rs` (`every_planted_bug_is_found`), `sync-core/src/sync/tests/growth.rs` |
//! | revoked handheld | `hq/tests/it/custody.rs`, `hq/tests/it/hostile.rs` |
//! | hostile clients | `hq/tests/it/hostile.rs` |
//! | any bytes for any decoder | `tests/sim/tests/decode.rs`, `fuzz/` |
//!
//! Not tried, because there is no such thing yet: device certificates that expire, keys that are
//! rotated. Not tried: 20,000 devices at once (a measurement, not a test), rolling two versions of
//! HQ, a block of numbers that is used up.

use crate::support::people::{arrive, lead, photograph};
use crate::support::photos;
use crate::support::proxy::Fault;
use crate::support::world::{Device, World, ok, refused};
use xunzheng::error::AppError;
use xunzheng::text::explain;

/// What breaks, and who is restarted before the line is whole again.
#[derive(Clone, Copy, Debug)]
struct Cut {
    fault: Fault,
    restart_hq: bool,
    restart_device: bool,
}

const fn cut(fault: Fault) -> Cut {
    Cut { fault, restart_hq: false, restart_device: false }
}

const CUTS: &[Cut] = &[
    cut(Fault::Refused),
    cut(Fault::RequestLost),
    cut(Fault::ReplyLost),
    cut(Fault::ReplyTorn),
    cut(Fault::HeaderTorn),
    cut(Fault::Answer500),
    cut(Fault::Answer429),
    cut(Fault::AnswerGarbage),
    cut(Fault::AnswerForeign),
    // HQ is killed over the request, or after it has saved and before the answer arrives.
    Cut { fault: Fault::HqDies, restart_hq: true, restart_device: false },
    Cut { fault: Fault::ReplyLost, restart_hq: true, restart_device: false },
    // The handheld dies before its request arrives, or before it has kept the answer.
    Cut { fault: Fault::RequestLost, restart_hq: false, restart_device: true },
    Cut { fault: Fault::ReplyLost, restart_hq: false, restart_device: true },
    Cut { fault: Fault::HqDies, restart_hq: true, restart_device: true },
];

fn repair(world: &mut World, cut: Cut) {
    world.devices[0].proxy.pass();
    if cut.restart_hq {
        world.restart_hq();
    }
    if cut.restart_device {
        world.devices[0].restart();
    }
}

/// The fault is really met. Returns whether the step failed of it; then it waits and says so in
/// Chinese. A round that got something through before the cut goes on by itself.
fn meets(
    device: &Device,
    cut: Cut,
    path: &str,
    step: impl FnOnce() -> Result<(), AppError>,
) -> bool {
    let met = device.proxy.hits();
    device.proxy.fail_once(path, 0, cut.fault);
    let outcome = step();
    assert_eq!(device.proxy.hits(), met + 1, "{path} {cut:?} was not met");
    if outcome.is_ok() {
        return false;
    }
    let (error, sentence) = refused(outcome);
    let waits = error.outcome() == sync_core::Outcome::Waiting;
    assert!(waits, "{path} {cut:?}: {error:?}");
    assert!(sentence.contains("总部"), "{path} {cut:?}: {sentence}");
    true
}

/// The step fails as told.
fn breaks(device: &Device, cut: Cut, path: &str, step: impl FnOnce() -> Result<(), AppError>) {
    assert!(meets(device, cut, path, step), "{path} {cut:?}: went through");
}

/// Cuts one request of the sync round in every way, each with fresh work of every kind.
fn cut_round_at(path: &str) {
    let mut world = World::new(1);
    let inspection = arrive(&world, &world.devices[0], world.devices[0].find("演练小吃店"));
    let (mut photo, mut failed) = (0, 0);
    for cut in CUTS {
        let device = &world.devices[0];
        lead(device, &format!("{path} {cut:?}"));
        photo += 1;
        ok(photograph(device, inspection, &photos::jpeg(photo)));
        let message = sync_model::wire::feed::CommandMessage {
            title: format!("{photo}"),
            text: "收到请回复".to_owned(),
        };
        let id = device.id().unwrap();
        world.hq(|hq| hq.command(id, message).unwrap());
        failed += u32::from(meets(device, *cut, path, || device.sync().map(|_| ())));
        repair(&mut world, *cut);
        let device = &world.devices[0];
        if cut.restart_device {
            device.unlock();
        }
        ok(device.sync());
        assert!(device.is_empty(), "{path} {cut:?}: something still waits");
        let messages = device.services().store.read(|r| r.command_messages()).unwrap();
        assert_eq!(messages.len(), usize::from(photo), "{path} {cut:?}: messages");
        let counted = world.check();
        assert_eq!(counted.records, counted.receipts, "{path} {cut:?}");
    }
    let counts = world.hq(|hq| hq.counts().unwrap());
    assert_eq!((counts.forks, counts.quarantined, counts.blobs_wanted), (0, 0, 0));
    println!("sync faults at {path}: {} combinations, {failed} rounds failed", CUTS.len());
}

#[test]
fn a_push_cut_in_any_way_is_done_again_and_counted_once() {
    cut_round_at("/push");
}

#[test]
fn the_question_for_missing_files_cut_in_any_way_is_asked_again() {
    cut_round_at("/blobs/need");
}

#[test]
fn a_file_cut_in_any_way_arrives_whole() {
    // The hash of a file follows; the question for files has another path.
    let mut world = World::new(1);
    let inspection = arrive(&world, &world.devices[0], world.devices[0].find("演练小吃店"));
    let mut ran = 0;
    for cut in CUTS {
        let device = &world.devices[0];
        ran += 1;
        let bytes = photos::jpeg(ran);
        let original = sync_model::hash::Hash::of(&bytes);
        ok(photograph(device, inspection, &bytes));
        let path = format!("/blobs/{original}");
        let failed = meets(device, *cut, &path, || device.sync().map(|_| ()));
        // Receipts of the records were kept although a file broke the round.
        let pending = device.services().store.read(|r| r.outbox_counts()).unwrap();
        assert_eq!((pending.pending, pending.pending_blobs > 0), (0, failed), "{cut:?}");
        repair(&mut world, *cut);
        let device = &world.devices[0];
        if cut.restart_device {
            device.unlock();
        }
        ok(device.sync());
        assert!(device.is_empty(), "{cut:?}");
        world.check();
    }
    println!("sync faults at /blobs/HASH: {ran} combinations");
}

#[test]
fn a_pull_cut_in_any_way_brings_each_item_once() {
    cut_round_at("/feed");
}

#[test]
fn an_enrollment_cut_in_any_way_can_be_repeated_with_the_same_code() {
    for cut in CUTS {
        let mut world = World::fresh();
        breaks(&world.devices[0], *cut, "/enroll", || world.devices[0].enroll());
        repair(&mut world, *cut);
        world.start_day(0);
        let device = &world.devices[0];
        lead(device, "开通以后");
        ok(device.sync());
        assert!(device.is_empty());
        assert_eq!(device.assignments().len(), 5, "{cut:?}");
        assert_eq!(world.hq(|hq| hq.counts().unwrap().devices), 1, "{cut:?}: enrolled twice");
        world.check();
    }
    println!("sync faults at /enroll: {} combinations", CUTS.len());
}

#[test]
fn an_activation_cut_in_any_way_can_be_repeated_with_the_same_code_and_pin() {
    for cut in CUTS {
        let mut world = World::fresh();
        ok(world.devices[0].enroll());
        breaks(&world.devices[0], *cut, "/activate", || world.devices[0].activate());
        repair(&mut world, *cut);
        let device = &world.devices[0];
        ok(device.activate());
        device.begin_shift();
        ok(device.sync());
        ok(device.sync());
        assert!(device.is_empty());
        // The key that HQ knows is the key that signs: HQ accepts the shift.
        let refusals = device.services().store.read(|r| r.refusals()).unwrap();
        assert!(refusals.is_empty(), "{cut:?}: {refusals:?}");
        world.check();
    }
    println!("sync faults at /activate: {} combinations", CUTS.len());
}

/// A long outage: records keep coming while each attempt fails at another place.
#[test]
fn attempts_that_fail_again_and_again_while_work_goes_on_lose_nothing() {
    let world = World::new(1);
    let device = &world.devices[0];
    let inspection = arrive(&world, device, device.find("演练小吃店"));
    let paths = ["/push", "/blobs/need", "/blobs/", "/feed"];
    let (mut failed, met) = (0, device.proxy.hits());
    for round in 0..24_u8 {
        lead(device, &format!("第 {round} 次"));
        if round % 6 == 0 {
            ok(photograph(device, inspection, &photos::jpeg(100 + round)));
        }
        let path = paths[usize::from(round) % paths.len()];
        device.proxy.fail_once(path, 0, CUTS[usize::from(round) % 8].fault);
        if let Err(error) = device.sync() {
            failed += 1;
            assert!(explain(&error).contains("总部"));
        }
        world.check();
    }
    device.proxy.pass();
    ok(device.sync());
    assert!(device.is_empty());
    let counted = world.check();
    assert_eq!(counted.records, counted.receipts);
    let met = device.proxy.hits() - met;
    println!("sync faults: {met} met in 24 rounds, {failed} rounds failed");
    assert!(met >= 8 && failed >= 4, "the line was too good: {met} faults, {failed} failures");
}
