//! A plain database of version 0.1 is encrypted at the first start, with every row, whatever the
//! power does; a missing key is never replaced by a new one.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::world::{World, count, lead};
use crate::disk::{Disk, RealDisk};
use crate::error::{Outcome, StoreError};
use crate::vault::KEYS;

const DATABASE: &str = "xunzheng.db";

/// Turns a world's folder into what version 0.1 left: plain, with its last act in the WAL only.
fn made_plain(world: &mut World) {
    let raw = world.raw();
    let plain = world.path().join("plain");
    raw.execute("ATTACH DATABASE ?1 AS plain KEY ''", [plain.to_string_lossy()]).unwrap();
    raw.query_row("SELECT sqlcipher_export('plain')", [], |_| Ok(())).unwrap();
    let version: u32 = raw.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    raw.pragma_update(Some("plain"), "user_version", version).unwrap();
    drop(raw);
    for old in [DATABASE, "xunzheng.db-wal", "xunzheng.db-shm", KEYS] {
        fs::remove_file(world.path().join(old)).ok();
    }
    fs::rename(plain, world.path().join(DATABASE)).unwrap();
    let raw = rusqlite::Connection::open(world.path().join(DATABASE)).unwrap();
    raw.pragma_update(None, "journal_mode", "WAL").unwrap();
    raw.execute("INSERT INTO meta (key, value) VALUES ('late', x'01')", []).unwrap();
    let wal = fs::read(world.path().join("xunzheng.db-wal")).unwrap();
    let database = fs::read(world.path().join(DATABASE)).unwrap();
    drop(raw);
    // As a killed process leaves it: closing would have taken the WAL in.
    put(&world.path().join("xunzheng.db-wal"), &wal);
    put(&world.path().join(DATABASE), &database);
}

fn put(path: &Path, bytes: &[u8]) {
    RealDisk.write(path, bytes).unwrap();
}

fn tells(folder: &Path, word: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let bytes = if path.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        bytes.windows(word.len()).any(|part| part == word.as_bytes())
    })
}

#[test]
fn a_plain_database_is_encrypted_with_every_row_and_nothing_plain_is_left() {
    let mut world = World::enrolled();
    for number in 0..30 {
        world.act(lead(&format!("王小明的店{number}")));
    }
    made_plain(&mut world);
    assert!(tells(world.path(), "王小明"), "the fixture is not plain");
    // A cut half-way through an earlier try.
    put(&world.path().join("xunzheng.db.sealing"), b"half");
    for _ in 0..2 {
        let store = world.open_with(Arc::new(RealDisk)).unwrap();
        assert_eq!(store.check_chain().unwrap(), 30);
        assert_eq!(count(&store, "meta WHERE key = 'late'"), 1, "what stood in the WAL is lost");
        drop(store);
        assert!(!tells(world.path(), "王小明"));
        assert!(!tells(world.path(), "SQLite format 3"));
    }
    let store = world.open_with(Arc::new(RealDisk)).unwrap();
    assert!(store.vault().is_open_to_the_device());
}

#[test]
fn a_damaged_plain_database_is_set_aside_and_not_encrypted() {
    let mut world = World::enrolled();
    for number in 0..40 {
        world.act(lead(&"长".repeat(500 + number)));
    }
    made_plain(&mut world);
    let path = world.path().join(DATABASE);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    put(&path, &bytes);
    for _ in 0..2 {
        let found = world.open_with(Arc::new(RealDisk));
        assert!(matches!(found, Err(StoreError::Corrupt { .. })));
        assert!(fs::read(&path).unwrap() == bytes, "the original was changed");
    }
}

#[test]
fn lost_key_slots_stop_the_start_and_are_not_made_anew() {
    let mut world = World::enrolled();
    world.act(lead("x"));
    world.close();
    let keys = fs::read(world.path().join(KEYS)).unwrap();
    fs::remove_file(world.path().join(KEYS)).unwrap();
    for _ in 0..2 {
        let error = world.open_with(Arc::new(RealDisk)).err().unwrap();
        assert_eq!(error.outcome(), Outcome::Damaged, "{error}");
        assert!(!world.path().join(KEYS).exists());
    }
    // Put back, everything is there.
    put(&world.path().join(KEYS), &keys);
    assert_eq!(world.open_with(Arc::new(RealDisk)).unwrap().check_chain().unwrap(), 1);
}
