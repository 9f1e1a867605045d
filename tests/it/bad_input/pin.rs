//! Wrong PINs, and a device on which nobody is unlocked.

use xunzheng::error::AppError;
use xunzheng::inspection::begin;
use xunzheng::session;

use super::{PERSON, finish, on_visit};
use crate::support::people::{begin_input, lead, lock_it, photograph, prepare_scene, read};
use crate::support::photos;
use crate::support::world::{Device, World, ok, refused};

#[test]
fn a_wrong_pin_five_times_locks_with_a_growing_delay_that_a_restart_does_not_shorten() {
    let mut world = World::new(1);
    let officer = world.devices[0].codes.officers[0].officer;
    let pin = world.devices[0].codes.officers[0].pin.clone();
    let wrong = |device: &Device| session::unlock(device.services(), officer, "864209");
    session::lock(world.devices[0].services());
    for nth in 1..=5 {
        let (error, sentence) = refused(wrong(&world.devices[0]));
        let AppError::WrongPin { failures, wait_ms } = error else { panic!("{error:?}") };
        assert_eq!((failures, wait_ms > 0), (nth, nth == 5));
        assert!(sentence.contains(&format!("已错 {nth} 次")), "{sentence}");
    }
    let mut last = 0;
    for _ in 0..4 {
        let device = &world.devices[0];
        // Neither the right PIN nor a wrong one is tried while it is locked.
        for tried in [pin.as_str(), "864209"] {
            let (error, sentence) = refused(session::unlock(device.services(), officer, tried));
            let AppError::PinLocked { wait_ms } = error else { panic!("{error:?}") };
            assert!(wait_ms > last, "the delay did not grow: {wait_ms} after {last}");
            assert!(sentence.contains("后再试"), "{sentence}");
        }
        let (error, _) = refused(wrong(device));
        let AppError::PinLocked { wait_ms } = error else { panic!("{error:?}") };
        // Starting the program again does not shorten it, pulling the battery starts it again.
        world.clock.advance_ms(1_000);
        world.devices[0].power_off();
        world.devices[0].power_on();
        let (left, _) = refused(session::unlock(world.devices[0].services(), officer, &pin));
        assert!(matches!(left, AppError::PinLocked { wait_ms: left } if left == wait_ms - 1_000));
        world.clock.advance_ms(1_000);
        world.devices[0].restart();
        let device = &world.devices[0];
        let (again, _) = refused(session::unlock(device.services(), officer, &pin));
        assert!(matches!(again, AppError::PinLocked { wait_ms: same } if same == wait_ms));
        world.clock.advance_ms(wait_ms);
        last = wait_ms;
        let (error, _) = refused(wrong(device));
        assert!(matches!(error, AppError::WrongPin { .. }), "{error:?}");
    }
    // The right PIN after the delay opens and forgets the failures; nothing was lost meanwhile.
    let device = &world.devices[0];
    world.clock.advance_ms(24 * 3_600_000);
    ok(session::unlock(device.services(), officer, &pin));
    let row = device.services().store.read(|r| r.officer(officer)).unwrap().unwrap();
    assert_eq!(row.failures, 0);
    device.unlock();
    lead(device, "解锁以后");
    finish(&world);
}

#[test]
fn ten_wrong_pins_lock_until_hq_helps_and_the_records_still_go_up() {
    let world = World::new(1);
    let device = &world.devices[0];
    lead(device, "锁定之前");
    let officer = device.codes.officers[0].officer;
    for _ in 0..10 {
        assert!(session::unlock(device.services(), officer, "864209").is_err());
        world.clock.advance_ms(2 * 3_600_000);
    }
    // Not longer: after a week without sending the device's own certificate ends.
    world.clock.advance_ms(6 * 24 * 3_600_000);
    let pin = &device.codes.officers[0].pin;
    let (_, sentence) = refused(session::unlock(device.services(), officer, pin));
    assert!(sentence.contains("联系总部") && sentence.contains("记录不受影响"), "{sentence}");
    finish(&world);
}

#[test]
fn nothing_is_done_in_the_name_of_nobody() {
    let (mut world, inspection) = on_visit();
    let transcript = prepare_scene(&world, &world.devices[0], inspection, PERSON);
    ok(photograph(&world.devices[0], inspection, &photos::jpeg(1)));
    world.devices[0].restart();
    let device = &world.devices[0];
    let length = device.length();
    let attempts: Vec<(&str, Result<(), AppError>)> = vec![
        ("capture", photograph(device, inspection, &photos::jpeg(2)).map(|_| ())),
        ("read back", read(&world, device, transcript)),
        ("lock", lock_it(device, transcript)),
        ("begin", begin(device.services(), device.find("便利店"), &begin_input()).map(|_| ())),
        ("shift", session::begin_shift(device.services()).map(|_| ())),
    ];
    for (what, attempt) in attempts {
        let Err(error) = attempt else { panic!("{what} went through with nobody unlocked") };
        let (_, sentence) = refused::<()>(Err(error));
        assert!(!sentence.is_empty());
    }
    assert_eq!(device.length(), length);
    device.unlock();
    ok(read(&world, device, transcript));
    finish(&world);
}
