//! Opening refuses what it cannot trust, says the same every time, and changes nothing.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use super::world::{World, lead, shift};
use crate::disk::RealDisk;
use crate::error::{Outcome, StoreError};
use crate::store::{QUARANTINE_FOLDER, Store};

const DATABASE: &str = "xunzheng.db";
const CHILD_FOLDER: &str = "XUNZHENG_TEST_LOCK_FOLDER";

fn open(world: &World) -> Result<Store, StoreError> {
    world.open_with(Arc::new(RealDisk))
}

#[test]
fn a_database_of_a_later_program_is_refused_and_untouched() {
    let mut world = World::enrolled();
    world.act(lead("x"));
    let raw = world.raw();
    let version: u32 = raw.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    raw.pragma_update(None, "user_version", 9999).unwrap();
    drop(raw);
    let before = fs::read(world.path().join(DATABASE)).unwrap();
    for _ in 0..2 {
        let error = open(&world).err().unwrap();
        assert!(matches!(error, StoreError::Newer { found: 9999, .. }), "{error}");
        assert_eq!(error.outcome(), Outcome::Damaged);
        assert!(fs::read(world.path().join(DATABASE)).unwrap() == before);
    }
    // Nothing was lost: the program that made it still can.
    world.raw().pragma_update(None, "user_version", version).unwrap();
    assert_eq!(open(&world).unwrap().check_chain().unwrap(), 1);
}

#[test]
fn a_damaged_page_is_refused_copied_aside_and_left_alone() {
    let mut world = World::enrolled();
    for number in 1..40 {
        world.act(lead(&"长".repeat(500 + number)));
        world.act(shift(u128::try_from(number).unwrap()));
    }
    world.close();
    let path = world.path().join(DATABASE);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    overwrite(&path, &bytes);
    for _ in 0..2 {
        let Err(StoreError::Corrupt { finding, quarantine }) = open(&world) else {
            panic!("damage was not found")
        };
        assert!(!finding.is_empty());
        assert!(fs::read(&path).unwrap() == bytes, "the original was changed");
        assert!(fs::read(quarantine.unwrap().join(DATABASE)).unwrap() == bytes);
    }
    // The same damage is copied once.
    let copies = fs::read_dir(world.path().join(QUARANTINE_FOLDER)).unwrap().count();
    assert_eq!(copies, 1);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let mut world = World::enrolled();
    world.close();
    let path = world.path().join(DATABASE);
    overwrite(&path, &[0x5a; 20_000]);
    let Err(StoreError::Corrupt { quarantine, .. }) = open(&world) else {
        panic!("it was taken for a database")
    };
    assert!(fs::read(&path).unwrap() == [0x5a; 20_000]);
    assert!(fs::read(quarantine.unwrap().join(DATABASE)).unwrap() == [0x5a; 20_000]);
}

/// Closing a refused database once wrote its WAL into it, after the copy had been made.
#[test]
fn damage_with_a_wal_beside_it_keeps_both_files_as_they_were() {
    let mut world = World::enrolled();
    for number in 1..40 {
        world.act(lead(&"长".repeat(500 + number)));
    }
    world.close();
    let path = world.path().join(DATABASE);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    overwrite(&path, &bytes);
    // A WAL as a crash leaves it: the process that held it went away without closing.
    let raw = world.keyed(&path);
    raw.execute("INSERT INTO meta (key, value) VALUES ('late', x'01')", []).unwrap();
    let wal = world.path().join("xunzheng.db-wal");
    let (database, log) = (fs::read(&path).unwrap(), fs::read(&wal).unwrap());
    drop(raw);
    overwrite(&path, &database);
    overwrite(&wal, &log);
    assert!(!log.is_empty());
    let Err(StoreError::Corrupt { quarantine, .. }) = open(&world) else {
        panic!("damage was not found")
    };
    let copy = quarantine.unwrap();
    assert!(fs::read(&path).unwrap() == database && fs::read(&wal).unwrap() == log);
    assert!(fs::read(copy.join(DATABASE)).unwrap() == database);
    assert!(fs::read(copy.join("xunzheng.db-wal")).unwrap() == log);
}

#[test]
fn a_second_opening_of_a_folder_is_refused_while_the_first_lives() {
    let mut world = World::enrolled();
    assert!(matches!(open(&world), Err(StoreError::InUse(folder)) if folder == world.path()));
    world.act(lead("x"));
    world.close();
    assert_eq!(open(&world).unwrap().check_chain().unwrap(), 1);
}

/// Runs itself once more as the second process.
#[test]
fn a_second_process_on_a_folder_is_refused_while_the_first_lives() {
    if let Some(folder) = std::env::var_os(CHILD_FOLDER) {
        let world = World::enrolled();
        let found = Store::open(Path::new(&folder), world.clock.clone(), Arc::new(RealDisk));
        let code = i32::from(matches!(found, Err(StoreError::InUse(_)))) + 41;
        std::process::exit(code);
    }
    let mut world = World::enrolled();
    let second = |folder: &Path| {
        let name =
            "store::tests::opening::a_second_process_on_a_folder_is_refused_while_the_first_lives";
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", name]).env(CHILD_FOLDER, folder);
        command.output().unwrap().status.code()
    };
    assert_eq!(second(world.path()), Some(42));
    world.close();
    assert_eq!(second(world.path()), Some(41));
}

/// A lost key file was once replaced by a new key in silence; every record after that would have
/// been refused by HQ.
#[test]
fn a_lost_device_key_stops_the_start() {
    let mut world = World::enrolled();
    world.act(lead("x"));
    world.close();
    fs::remove_file(world.path().join("device.key")).unwrap();
    for _ in 0..2 {
        let error = open(&world).err().unwrap();
        assert_eq!(error.outcome(), Outcome::Damaged, "{error}");
    }
}

/// Overwrites a file in place, as a failing flash cell does.
fn overwrite(path: &Path, bytes: &[u8]) {
    use std::io::Write;
    fs::File::create(path).unwrap().write_all(bytes).unwrap();
}
