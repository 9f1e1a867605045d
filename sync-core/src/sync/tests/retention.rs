//! Originals leave the device only after HQ archived them (R3) and the retention time, by two clocks
//! that agree; each removal is on record, and what was removed comes back from HQ (I-8).

use sync_model::hash::Hash;
use sync_model::record::BlobRole;
use sync_model::wire::policy::Policy;

use super::hq::ScriptedHq;
use super::sync;
use crate::error::{Outcome, StoreError, SyncError};
use crate::store::Level;
use crate::store::tests::world::{
    HOUR_MS, World, begun, captured, inspection, lead, scope, shift, sql,
};
use crate::sync::{HqClient, fetch_original};

const DAY_MS: i64 = 24 * HOUR_MS;

struct Archived {
    world: World,
    hq: ScriptedHq,
    /// Record that cites the photograph.
    seq: u64,
    original: Hash,
    small: Hash,
}

/// A device whose only photograph HQ holds; R3 has not been said yet.
fn complete() -> Archived {
    let world = World::enrolled();
    let shift = world.act(shift(1));
    world.act_in(&scope(1), begun(1, shift.hash));
    let blobs = world.store().blobs();
    let original = blobs.put(&[7; 5000], "image/jpeg", BlobRole::Original).unwrap();
    let small = blobs.put(&[7; 50], "image/jpeg", BlobRole::Thumbnail).unwrap();
    let (whole, part) = (original.sha256, small.sha256);
    let mut act = captured(1, original);
    act.thumbnail = Some(small);
    let seq = world.act_in(&scope(1), act).envelope.seq;
    let hq = ScriptedHq::of(&world);
    sync(&world, &hq).unwrap();
    Archived { world, hq, seq, original: whole, small: part }
}

impl Archived {
    fn is_here(&self) -> bool {
        self.world.store().blobs().contains(&self.original)
    }

    fn level(&self) -> Level {
        self.world.store().read(|r| r.level(self.seq)).unwrap()
    }

    /// Both clocks go on.
    fn days(&self, days: i64) {
        self.world.clock.advance_ms(u64::try_from(days * DAY_MS).unwrap());
        let mut state = self.hq.state();
        state.now = state.now.plus_ms(days * DAY_MS);
    }

    fn sync(&self) -> u64 {
        sync(&self.world, &self.hq).unwrap().originals_removed
    }

    /// HQ archives everything; the device hears it, and the retention time passes.
    fn archive_and_wait(&self) {
        self.hq.state().archived_seq = self.seq;
        assert_eq!(self.sync(), 0);
        self.days(31);
    }
}

#[test]
fn an_original_leaves_after_r3_and_the_retention_time_and_not_before() {
    let one = complete();
    assert_eq!(one.level(), Level::Complete);
    one.days(400);
    assert_eq!(one.sync(), 0, "HQ never said that it archived");
    one.hq.state().archived_seq = one.seq - 1;
    assert_eq!((one.sync(), one.level()), (0, Level::Complete));
    one.hq.state().archived_seq = one.seq;
    assert_eq!((one.sync(), one.level()), (0, Level::Archived));
    one.days(29);
    assert_eq!((one.sync(), one.is_here()), (0, true));
    one.days(1);
    assert_eq!((one.sync(), one.is_here()), (1, false));
    assert!(one.world.store().blobs().contains(&one.small), "what pages show stays");
    let removed = one.world.store().read(|r| r.removed(10)).unwrap();
    assert_eq!((removed.len(), removed[0].seq, removed[0].sha256), (1, one.seq, one.original));
    assert_eq!(removed[0].deleted_at, one.hq.state().now);
    assert_eq!(one.world.store().read(|r| r.removed_totals()).unwrap(), (1, 5000));
    assert_eq!((one.sync(), one.level()), (0, Level::Archived));
    assert!(one.world.store().read(|r| r.parked()).unwrap().is_empty());
}

#[test]
fn no_jump_of_one_clock_removes_anything() {
    let one = complete();
    one.hq.state().archived_seq = one.seq;
    one.sync();
    // The device's clock is set a year ahead: HQ's disagrees.
    one.world.clock.jump_ms(365 * DAY_MS);
    assert_eq!((one.sync(), one.is_here()), (0, true));
    one.world.clock.jump_ms(-365 * DAY_MS);
    // HQ's clock is wrong: the device's disagrees.
    let right = one.hq.state().now;
    one.hq.state().now = right.plus_ms(365 * DAY_MS);
    assert_eq!((one.sync(), one.is_here()), (0, true));
    one.hq.state().now = right;
    assert_eq!((one.sync(), one.is_here()), (0, true));
    one.days(30);
    assert_eq!((one.sync(), one.is_here()), (1, false));
}

/// HQ's clock stood in 1970 when it archived: the retention time must not count from then.
#[test]
fn a_retention_time_begins_only_while_the_clocks_agree() {
    let one = complete();
    let right = one.hq.state().now;
    one.hq.state().archived_seq = one.seq;
    one.hq.state().now = sync_model::time::Timestamp(0);
    assert_eq!((one.sync(), one.level()), (0, Level::Archived));
    one.hq.state().now = right;
    assert_eq!((one.sync(), one.is_here()), (0, true));
    one.days(30);
    assert_eq!((one.sync(), one.is_here()), (1, false));
}

#[test]
fn what_hq_does_not_hold_is_never_removed_whatever_it_says() {
    let world = World::enrolled();
    let shift = world.act(shift(1));
    world.act_in(&scope(1), begun(1, shift.hash));
    let original = world.store().blobs().put(&[9; 100], "x", BlobRole::Original).unwrap();
    let sha256 = original.sha256;
    let seq = world.act_in(&scope(1), captured(1, original)).envelope.seq;
    let hq = ScriptedHq::of(&world);
    hq.state().policy = Some(Policy { revision: 9, retain_days: 0, ..Policy::DEFAULT });
    hq.state().archived_seq = u64::MAX;
    world.store().park_blob(&sha256, "not now").unwrap();
    for _ in 0..3 {
        assert_eq!(sync(&world, &hq).unwrap().originals_removed, 0);
    }
    assert!(world.store().blobs().contains(&sha256));
    assert_eq!(world.store().read(|r| r.level(seq)).unwrap(), Level::Held);
    // A record without a receipt is not archived either.
    let next = world.act(lead("later")).envelope.seq;
    assert_eq!(world.store().read(|r| r.level(next)).unwrap(), Level::Local);
    assert_eq!(world.store().read(|r| r.archived_seq()).unwrap(), seq);
}

#[test]
fn a_crash_between_note_and_removal_is_finished_by_the_next_sweep() {
    let mut one = complete();
    one.archive_and_wait();
    // The power fails right after the note: the file cannot be unlinked, since it is a folder now.
    let path = one.world.store().blobs().path(&one.original);
    std::fs::rename(&path, path.with_extension("kept")).unwrap();
    std::fs::create_dir(&path).unwrap();
    let error = sync(&one.world, &one.hq).unwrap_err();
    assert!(matches!(error, SyncError::Store(StoreError::Io { .. })), "{error}");
    one.world.reopen();
    std::fs::remove_dir(&path).unwrap();
    std::fs::rename(path.with_extension("kept"), &path).unwrap();
    let noted = one.world.store().read(|r| r.removed_at(&one.original)).unwrap();
    assert!(noted.is_some() && one.is_here(), "noted and still there");
    one.sync();
    assert!(!one.is_here());
    assert_eq!(one.world.store().read(|r| r.removed(9)).unwrap().len(), 1);
}

/// The other order cannot come from here: a file that is gone without a note is damage.
#[test]
fn a_file_that_is_gone_without_a_note_is_damage_and_not_tidiness() {
    let one = complete();
    std::fs::remove_file(one.world.store().blobs().path(&one.original)).unwrap();
    let client = HqClient::new(&one.hq.base()).unwrap();
    let error = fetch_original(one.world.store(), &client, &one.original).unwrap_err();
    assert!(matches!(error, SyncError::Store(StoreError::MissingBlob(_))), "{error}");
    assert_eq!(error.outcome(), Outcome::Damaged);
}

#[test]
fn a_removed_original_comes_back_from_hq_and_stays_for_another_retention_time() {
    let one = complete();
    one.archive_and_wait();
    assert_eq!(one.sync(), 1);
    let client = HqClient::new(&one.hq.base()).unwrap();
    // HQ sends something else: not taken for it.
    one.hq.state().blobs.insert(one.original, vec![8; 5000]);
    let error = fetch_original(one.world.store(), &client, &one.original).unwrap_err();
    assert!(matches!(error, SyncError::Garbage(_)) && !one.is_here(), "{error}");
    one.hq.state().blobs.insert(one.original, vec![7; 5000]);
    let bytes = fetch_original(one.world.store(), &client, &one.original).unwrap();
    assert_eq!((bytes, one.is_here()), (vec![7; 5000], true));
    one.sync();
    one.days(29);
    assert_eq!((one.sync(), one.is_here()), (0, true));
    one.days(2);
    assert_eq!((one.sync(), one.is_here()), (1, false));
}

#[test]
fn an_original_cited_again_is_kept_for_the_new_record() {
    let one = complete();
    one.archive_and_wait();
    assert_eq!(one.sync(), 1);
    let again =
        one.world.store().blobs().put(&[7; 5000], "image/jpeg", BlobRole::Original).unwrap();
    let mut act = captured(2, again);
    (act.ordinal, act.inspection) = (2, Some(inspection(1)));
    let seq = one.world.act_in(&scope(1), act).envelope.seq;
    assert_eq!((one.sync(), one.is_here()), (0, true));
    assert_eq!(one.world.store().read(|r| r.removed_at(&one.original)).unwrap(), None);
    one.days(400);
    assert_eq!((one.sync(), one.is_here()), (0, true), "the new record is not archived");
    one.hq.state().archived_seq = seq;
    one.sync();
    one.days(31);
    assert_eq!((one.sync(), one.is_here()), (1, false));
}

/// A full disk while the removal is noted: nothing is unlinked without the note.
#[test]
fn a_full_disk_while_noting_removes_nothing() {
    let one = complete();
    one.archive_and_wait();
    sql(one.world.store(), |c| {
        c.execute_batch(
            "CREATE TEMP TRIGGER full BEFORE UPDATE OF deleted_at ON blob
             BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END",
        )
        .unwrap();
    });
    assert!(sync(&one.world, &one.hq).is_err());
    assert!(one.is_here());
    assert!(one.world.store().read(|r| r.removed_at(&one.original)).unwrap().is_none());
    sql(one.world.store(), |c| c.execute_batch("DROP TRIGGER full").unwrap());
    assert_eq!((one.sync(), one.is_here()), (1, false));
}
