//! Damaged, newer and busy data folders: noticed at the start, nothing deleted, nothing sent.

use std::process::Command;

use sync_core::{Outcome, StoreError};
use sync_model::hash::Hash;
use xunzheng::error::AppError;
use xunzheng::sync_status;

use super::{finish, on_visit};
use crate::support::check::{keyed, read_only};
use crate::support::people::{lead, photograph};
use crate::support::photos;
use crate::support::world::{World, ok, put, refused};

fn damaged(world: &mut World, damage: impl FnOnce(&mut Vec<u8>)) -> (AppError, String, Vec<u8>) {
    let device = &mut world.devices[0];
    device.remember();
    device.power_off();
    let path = device.folder.join("xunzheng.db");
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    damage(&mut bad);
    put(&path, &bad);
    let (error, sentence) = refused(device.open());
    assert_eq!(std::fs::read(&path).unwrap(), bad, "the damaged database was touched");
    (error, sentence, good)
}

fn restore(world: &mut World, good: &[u8]) {
    let device = &mut world.devices[0];
    put(&device.folder.join("xunzheng.db"), good);
    device.power_on();
    device.unlock();
    lead(device, "修复以后");
}

#[test]
fn a_corrupt_page_is_found_at_the_start_and_a_copy_is_set_aside() {
    for nth in [1, 2, 3] {
        let (mut world, inspection) = on_visit();
        ok(photograph(&world.devices[0], inspection, &photos::jpeg(1)));
        let (error, sentence, good) = damaged(&mut world, |bytes| {
            let page = bytes.len() / 4096 * nth / 4;
            bytes[page * 4096..(page + 1) * 4096].fill(0xA5);
        });
        let AppError::Store(StoreError::Corrupt { quarantine, .. }) = error else {
            panic!("{error:?}")
        };
        assert!(sentence.contains("损坏") && sentence.contains("没有删除"), "{sentence}");
        let copy = quarantine.unwrap().join("xunzheng.db");
        let bad = std::fs::read(world.devices[0].folder.join("xunzheng.db")).unwrap();
        assert_eq!(std::fs::read(copy).unwrap(), bad, "the copy differs");
        // It says the same at every start, and copies once.
        let (_, again) = refused(world.devices[0].open());
        assert_eq!(again, sentence);
        let copies = std::fs::read_dir(world.devices[0].folder.join("quarantine")).unwrap();
        assert_eq!(copies.count(), 1);
        restore(&mut world, &good);
        finish(&world);
    }
}

#[test]
fn a_file_that_is_no_database_and_a_cut_one_are_found_at_the_start() {
    let (mut world, _) = on_visit();
    let (error, sentence, good) = damaged(&mut world, |bytes| bytes[..100].fill(0x20));
    assert!(matches!(error, AppError::Store(StoreError::Corrupt { .. })), "{error:?}");
    assert!(sentence.contains("损坏"), "{sentence}");
    restore(&mut world, &good);
    let (error, sentence, good) = damaged(&mut world, |bytes| bytes.truncate(bytes.len() / 2));
    assert_eq!(error.outcome(), Outcome::Damaged, "{error:?}");
    assert!(sentence.contains("损坏"), "{sentence}");
    restore(&mut world, &good);
    finish(&world);
}

#[test]
fn a_record_changed_on_the_disk_is_never_sent_and_never_believed() {
    let (mut world, inspection) = on_visit();
    ok(photograph(&world.devices[0], inspection, &photos::jpeg(1)));
    let device = &mut world.devices[0];
    device.power_off();
    let path = device.folder.join("xunzheng.db");
    let good = std::fs::read(&path).unwrap();
    {
        let connection = keyed(&path, rusqlite::Connection::open(&path).unwrap());
        connection.execute_batch("DROP TRIGGER journal_no_update").unwrap();
        let changed = connection.execute(
            "UPDATE journal SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || x'00' AS BLOB)
             WHERE seq = 3",
            [],
        );
        assert_eq!(changed.unwrap(), 1);
    }
    device.power_on();
    assert!(device.services().store.check_chain().is_err());
    device.unlock();
    let before = world.hq(|hq| hq.counts().unwrap()).records;
    let (error, sentence) = refused(world.devices[0].sync());
    assert_eq!(error.outcome(), Outcome::Damaged, "{error:?}");
    assert!(sentence.contains("停止使用本机"), "{sentence}");
    assert_eq!(world.hq(|hq| hq.counts().unwrap()).records, before);
    world.devices[0].power_off();
    restore(&mut world, &good);
    finish(&world);
}

#[test]
fn a_database_of_a_newer_version_is_left_as_it_is() {
    let (mut world, _) = on_visit();
    let device = &mut world.devices[0];
    device.remember();
    device.power_off();
    let path = device.folder.join("xunzheng.db");
    let set = |version: u32| {
        let connection = keyed(&path, rusqlite::Connection::open(&path).unwrap());
        connection.pragma_update(None, "user_version", version).unwrap();
    };
    let known: u32 =
        read_only(&path).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    set(99);
    let bytes = std::fs::read(&path).unwrap();
    for _ in 0..2 {
        let (error, sentence) = refused(device.open());
        assert!(matches!(error, AppError::Store(StoreError::Newer { found: 99, .. })), "{error:?}");
        assert!(sentence.contains("升级") && sentence.contains("数据没有改动"), "{sentence}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "the newer database was touched");
    set(known);
    device.power_on();
    device.unlock();
    finish(&world);
}

#[test]
fn an_evidence_file_changed_on_the_disk_is_parked_with_a_reason_and_the_others_go_up() {
    let (world, inspection) = on_visit();
    let device = &world.devices[0];
    let (bytes, missing) = (photos::jpeg(1), photos::jpeg(2));
    ok(photograph(device, inspection, &bytes));
    ok(photograph(device, inspection, &missing));
    ok(photograph(device, inspection, &photos::jpeg(3)));
    let store = &device.services().store;
    let path = store.blobs().path(&Hash::of(&bytes));
    let mut bad = bytes.clone();
    bad[100] ^= 1;
    put(&path, &bad);
    std::fs::remove_file(store.blobs().path(&Hash::of(&missing))).unwrap();
    ok(device.sync());
    let parked = store.read(|r| r.parked()).unwrap();
    assert_eq!(parked.len(), 2, "{parked:?}");
    assert!(parked.iter().any(|row| row.reason.contains("损坏")), "{parked:?}");
    assert!(parked.iter().any(|row| row.reason.contains("缺少")), "{parked:?}");
    let counts = store.read(|r| r.outbox_counts()).unwrap();
    assert_eq!((counts.pending, counts.pending_blobs), (0, 0));
    assert!(ok(sync_status::status(device.services())).has_parked);
    world.check();
    // Put back from a backup, it goes up.
    put(&path, &bytes);
    put(&store.blobs().path(&Hash::of(&missing)), &missing);
    store.resume_parked().unwrap();
    finish(&world);
}

#[test]
fn a_second_process_on_the_same_data_is_turned_away_and_changes_nothing() {
    let (mut world, _) = on_visit();
    let device = &world.devices[0];
    let (error, sentence) = refused(device.open());
    assert!(matches!(error, AppError::Store(StoreError::InUse(_))), "{error:?}");
    assert!(sentence.contains("已经在运行"), "{sentence}");
    let length = device.length();
    let sync = |folder: &std::path::Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xunzheng"));
        command.args(["sync", "--data"]).arg(folder).output().unwrap()
    };
    let output = sync(&device.folder);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("已经在运行"), "{told}");
    lead(device, "第一个进程照常工作");
    assert_eq!(device.length(), length + 1);
    // Once the first is gone, the second does its work.
    world.devices[0].power_off();
    let output = sync(&world.devices[0].folder);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    world.devices[0].power_on();
    world.devices[0].unlock();
    finish(&world);
}
