//! A full disk costs nothing that was there, and nothing half of what was not.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sync_model::hash::Hash;
use sync_model::record::{Act, BlobRole};

use super::rebuild::projections;
use super::world::{World, count, lead, sql};
use crate::disk::{Disk, RESERVE_BYTES, RealDisk};
use crate::error::{Outcome, StoreError};
use crate::store::{Scope, Store};

fn try_lead(store: &Store, text: &str) -> Result<u64, StoreError> {
    let act: Act = lead(text).into();
    store.act(&Scope::default(), |_, _| Ok::<_, StoreError>(act)).map(|r| r.envelope.seq)
}

/// Lets the database grow by at most `pages` from here.
fn limit(store: &Store, pages: i64) {
    sql(store, |c| {
        let now: i64 = c.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let sql = format!("PRAGMA max_page_count = {}", now + pages);
        c.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap();
    });
}

#[test]
fn an_act_on_a_full_disk_fails_whole_at_every_point_and_works_after() {
    let mut world = World::enrolled();
    world.act(lead("there before"));
    let long = "长".repeat(4000);
    let mut refused = 0;
    // Each limit lets the act get a little further before it runs out of room.
    for pages in 0..10 {
        let store = world.store();
        let before = (store.read(|r| r.head()).unwrap(), projections(store));
        let rows = (count(store, "journal"), count(store, "outbox"));
        limit(store, pages);
        match try_lead(store, &long) {
            Ok(_) => break,
            Err(error) => {
                assert_eq!(error.outcome(), Outcome::Fixable, "{error}");
                refused += 1;
            }
        }
        assert_eq!((store.read(|r| r.head()).unwrap(), projections(store)), before);
        assert_eq!((count(store, "journal"), count(store, "outbox")), rows);
    }
    assert!((3..10).contains(&refused), "{refused}");
    limit(world.store(), 1000);
    let seq = try_lead(world.store(), "after").unwrap();
    world.reopen();
    assert_eq!(world.store().check_chain().unwrap(), seq);
}

#[test]
fn a_draft_on_a_full_disk_keeps_its_last_value() {
    let world = World::enrolled();
    world.store().save_draft("case/1", "violation", "saved").unwrap();
    limit(world.store(), 0);
    let error = world.store().save_draft("case/1", "violation", &"长".repeat(9000)).unwrap_err();
    assert_eq!(error.outcome(), Outcome::Fixable);
    let rows = world.store().read(|r| r.draft("case/1")).unwrap();
    assert_eq!(rows[0].value, "saved");
}

/// A disk with so many bytes left, and an error after half of a file.
struct SmallDisk {
    left: AtomicU64,
    breaks: AtomicU64,
}

impl Disk for SmallDisk {
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.breaks.load(Ordering::SeqCst) == 0 {
            return RealDisk.write(path, bytes);
        }
        let half = bytes.get(..bytes.len() / 2).unwrap();
        let aside = path.parent().unwrap().join(".cut.part");
        io::Write::write_all(&mut std::fs::File::create(aside)?, half)?;
        Err(io::ErrorKind::StorageFull.into())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.left.load(Ordering::SeqCst))
    }
}

#[test]
fn no_photograph_is_taken_into_the_reserve_but_records_still_are() {
    let mut world = World::enrolled();
    world.close();
    let disk =
        Arc::new(SmallDisk { left: AtomicU64::new(RESERVE_BYTES + 99), breaks: AtomicU64::new(0) });
    let store = world.open_with(disk.clone()).unwrap();
    let put = |bytes: &[u8]| store.blobs().put(bytes, "image/jpeg", BlobRole::Original);
    assert!(put(&[1; 99]).is_ok());
    let refused = put(&[2; 100]).unwrap_err();
    assert!(matches!(refused, StoreError::DiskFull { .. }));
    assert_eq!(refused.outcome(), Outcome::Fixable);
    assert!(!store.blobs().contains(&Hash::of(&[2; 100])));
    assert_eq!(store.room_bytes().unwrap(), 99);
    assert_eq!(try_lead(&store, "still works").unwrap(), 1);
    disk.left.store(RESERVE_BYTES + 100, Ordering::SeqCst);
    assert!(put(&[2; 100]).is_ok());
}

#[test]
fn a_file_cut_by_a_full_disk_is_no_file_and_goes_at_the_next_start() {
    let mut world = World::enrolled();
    world.close();
    let disk = Arc::new(SmallDisk { left: AtomicU64::new(u64::MAX), breaks: AtomicU64::new(1) });
    let store = world.open_with(disk).unwrap();
    let refused = store.blobs().put(&[3; 1000], "image/jpeg", BlobRole::Original);
    assert!(matches!(refused, Err(StoreError::DiskFull { .. })));
    let path = store.blobs().path(&Hash::of(&[3; 1000]));
    assert!(!path.exists() && path.parent().unwrap().join(".cut.part").exists());
    drop(store);
    world.reopen();
    assert!(!path.parent().unwrap().join(".cut.part").exists());
    assert!(world.store().blobs().put(&[3; 1000], "image/jpeg", BlobRole::Original).is_ok());
    assert!(world.store().blobs().read(&Hash::of(&[3; 1000])).is_ok());
}
