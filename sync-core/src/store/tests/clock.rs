//! Order comes from the chain; the wall clock is data, and doubt about it is said once (I-5).

use std::sync::{Arc, Mutex};

use sync_model::id::BootId;
use sync_model::record::{Act, Record};
use sync_model::time::TimeQuality;
use uuid::Uuid;

use super::world::{HOUR_MS, TEN, World, enroll, lead};
use crate::clock::{Clock, Reading};
use crate::disk::RealDisk;
use crate::error::StoreError;
use crate::store::{Scope, Store};

fn quality(record: &Record) -> TimeQuality {
    record.envelope.recorded.quality
}

fn statements(store: &Store) -> usize {
    let rows = store.read(|r| r.records_from(1, 100)).unwrap();
    rows.iter().filter(|row| row.kind == "clock_stated").count()
}

#[test]
fn a_clock_that_falls_back_is_doubted_once_until_hq_agrees_again() {
    let world = World::enrolled();
    world.store().note_round(TEN).unwrap();
    world.clock.advance_ms(60_000);
    assert_eq!(quality(&world.act(lead("1"))), TimeQuality::ServerSynced);
    world.clock.jump_ms(-HOUR_MS);
    let after: Vec<_> = ["2", "3", "4"].iter().map(|text| world.act(lead(text))).collect();
    assert!(after.iter().all(|record| quality(record) == TimeQuality::Suspect));
    world.clock.advance_ms(2 * 3_600_000);
    // Time passing does not make a wrong clock right.
    assert_eq!(quality(&world.act(lead("5"))), TimeQuality::Suspect);
    assert_eq!(statements(world.store()), 1);
    // HQ disagrees by an hour: still in doubt.
    let wall_at = world.store().clock().now().wall_at;
    world.store().note_round(wall_at.plus_ms(HOUR_MS)).unwrap();
    assert_eq!(quality(&world.act(lead("6"))), TimeQuality::Suspect);
    world.clock.jump_ms(HOUR_MS);
    world.store().note_round(world.store().clock().now().wall_at).unwrap();
    assert_eq!(quality(&world.act(lead("7"))), TimeQuality::ServerSynced);
    assert_eq!(statements(world.store()), 1);
    // Leads are listed newest first by seq, whatever the clock said.
    let leads = world.store().read(|r| r.leads()).unwrap();
    let texts: Vec<_> = leads.iter().map(|lead| lead.description.as_str()).collect();
    assert_eq!(texts, ["7", "6", "5", "4", "3", "2", "1"]);
    assert_eq!(world.store().check_chain().unwrap(), 8);
}

#[test]
fn the_statement_stands_before_the_first_doubted_record_with_both_times() {
    let world = World::enrolled();
    world.act(lead("1"));
    world.clock.jump_ms(-HOUR_MS);
    world.act(lead("2"));
    let row = world.store().read(|r| r.records_from(2, 1)).unwrap().remove(0);
    let Act::ClockStated(stated) = row.record().unwrap().envelope.act() else {
        panic!("{}", row.kind)
    };
    assert_eq!((stated.before_at, stated.after_at), (TEN, TEN.plus_ms(-HOUR_MS)));
}

#[test]
fn a_refused_act_leaves_no_statement_either() {
    let world = World::enrolled();
    world.act(lead("1"));
    world.clock.jump_ms(-HOUR_MS);
    let refused: Result<_, StoreError> =
        world.store().act(&Scope::default(), |_, _| Err(StoreError::BadStored("on purpose")));
    assert!(refused.is_err());
    assert_eq!(statements(world.store()), 0);
    world.act(lead("2"));
    assert_eq!(statements(world.store()), 1);
}

#[test]
fn a_clock_that_only_runs_is_trusted_for_a_day_after_hq_agreed() {
    let world = World::enrolled();
    assert_eq!(quality(&world.act(lead("never compared"))), TimeQuality::RtcOnly);
    world.store().note_round(TEN.plus_ms(59_000)).unwrap();
    world.clock.advance_ms(23 * 3_600_000);
    assert_eq!(quality(&world.act(lead("23 h"))), TimeQuality::ServerSynced);
    world.clock.advance_ms(2 * 3_600_000);
    assert_eq!(quality(&world.act(lead("25 h"))), TimeQuality::RtcOnly);
    assert_eq!(statements(world.store()), 0);
}

struct BootingClock(Mutex<Reading>);

impl Clock for BootingClock {
    fn now(&self) -> Reading {
        *self.0.lock().unwrap()
    }
}

#[test]
fn a_new_boot_is_no_jump_unless_the_wall_clock_fell_back() {
    let reading =
        |boot, mono_ms, wall_at| Reading { boot: BootId(Uuid::from_u128(boot)), mono_ms, wall_at };
    let clock = Arc::new(BootingClock(Mutex::new(reading(1, 9_000_000, TEN))));
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), clock.clone(), Arc::new(RealDisk)).unwrap();
    enroll(&store, &super::world::HqKeys::new(10));
    let act = |text: &str| {
        let act: Act = lead(text).into();
        store.act(&Scope::default(), |_, _| Ok::<_, StoreError>(act)).unwrap()
    };
    act("first boot");
    // The monotonic clock starts anew and the wall clock has moved by a minute only.
    *clock.0.lock().unwrap() = reading(2, 5, TEN.plus_ms(60_000));
    let second = act("second boot");
    assert_eq!(quality(&second), TimeQuality::RtcOnly);
    assert_eq!(second.envelope.recorded.boot, BootId(Uuid::from_u128(2)));
    // The battery was out: the clock starts in 1970.
    *clock.0.lock().unwrap() = reading(3, 5, sync_model::time::Timestamp(0));
    assert_eq!(quality(&act("third boot")), TimeQuality::Suspect);
    assert_eq!(statements(&store), 1);
    assert_eq!(store.check_chain().unwrap(), 4);
}
