//! The chain survives a restart, and whatever somebody does to stored records shows
//! (I-2, I-6).

use super::world::{World, lead, sql};
use crate::error::{Outcome, StoreError};

fn ten_records() -> World {
    let world = World::enrolled();
    for number in 1..=10 {
        world.act(lead(&format!("lead {number}")));
    }
    world
}

/// Alters the stored records behind the store's back and returns what the check says.
fn tampered(statements: &str) -> String {
    let world = ten_records();
    sql(world.store(), |c| {
        c.execute_batch("PRAGMA foreign_keys = OFF; DROP TRIGGER journal_no_update;").unwrap();
        c.execute_batch("DROP TRIGGER journal_no_delete;").unwrap();
        c.execute_batch(statements).unwrap();
    });
    let error = world.store().check_chain().unwrap_err();
    assert_eq!(error.outcome(), Outcome::Damaged, "{error}");
    error.to_string()
}

#[test]
fn the_chain_goes_on_where_it_stood_after_a_restart() {
    let mut world = ten_records();
    let head = world.store().read(|r| r.head()).unwrap().unwrap();
    world.reopen();
    let next = world.act(lead("after"));
    assert_eq!((next.envelope.seq, next.envelope.previous), (11, head.hash));
    assert_eq!(world.store().check_chain().unwrap(), 11);
}

#[test]
fn the_check_names_the_first_altered_record() {
    assert!(tampered("UPDATE journal SET bytes = x'00' WHERE seq IN (4, 7)").contains("record 4 "));
    assert!(tampered("UPDATE journal SET hash = x'00' WHERE seq = 5").contains("hash"));
    // With the hash made to fit, the signature and the link are still wrong.
    let swapped = "CREATE TEMP TABLE t AS SELECT * FROM journal WHERE seq IN (6, 7);
                   DELETE FROM journal WHERE seq IN (6, 7);
                   INSERT INTO journal SELECT 13 - seq, hash, record, kind, inspection,
                                              recorded_at, bytes FROM t;";
    assert!(tampered(swapped).contains("record 6"));
    assert!(tampered("DELETE FROM journal WHERE seq = 3").contains("record 4"));
    assert!(tampered("DELETE FROM journal WHERE seq = 1").contains("record 2"));
    assert!(tampered("UPDATE journal SET kind = 'day_closed' WHERE seq = 8").contains("record 8"));
    assert!(tampered("UPDATE journal SET recorded_at = 1 WHERE seq = 9").contains("record 9"));
}

#[test]
fn one_changed_bit_of_a_record_is_named() {
    let world = ten_records();
    let mut bytes = world.store().read(|r| r.records_from(4, 1)).unwrap().remove(0).bytes;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    sql(world.store(), |c| {
        c.execute_batch("DROP TRIGGER journal_no_update").unwrap();
        c.execute("UPDATE journal SET bytes = ?1 WHERE seq = 4", [bytes]).unwrap();
    });
    assert!(world.store().check_chain().unwrap_err().to_string().contains("record 4"));
}

#[test]
fn a_record_signed_by_another_key_is_named() {
    let world = ten_records();
    let row = world.store().read(|r| r.records_from(5, 1)).unwrap().remove(0);
    let envelope = row.record().unwrap().envelope;
    let thief = sync_model::cose::SoftwareKey::from_secret(&[99; 32]);
    let forged = sync_model::record::Record::seal(envelope, &thief).unwrap();
    sql(world.store(), |c| {
        c.execute_batch("DROP TRIGGER journal_no_update").unwrap();
        c.execute(
            "UPDATE journal SET bytes = ?1, hash = ?2 WHERE seq = 5",
            (forged.bytes, forged.hash.0),
        )
        .unwrap();
    });
    let error = world.store().check_chain().unwrap_err();
    assert!(error.to_string().contains("record 5"), "{error}");
    assert_eq!(error.outcome(), Outcome::Damaged);
}

#[test]
fn a_changed_newest_record_stops_the_next_start() {
    let mut world = ten_records();
    let raw = world.raw();
    raw.execute_batch("DROP TRIGGER journal_no_update").unwrap();
    raw.execute("UPDATE journal SET bytes = x'1234' WHERE seq = 10", []).unwrap();
    drop(raw);
    let refused = world.open_with(std::sync::Arc::new(crate::disk::RealDisk));
    assert!(matches!(refused, Err(StoreError::HashMismatch { .. })));
}
