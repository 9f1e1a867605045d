//! Backup beside a server at work, restore, and devices that go on.

use std::sync::atomic::{AtomicBool, Ordering};

use hq::{Hq, HqError, Place};
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof::consistency_holds;
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::{PushRequest, Receipt};

use crate::support::device::Device;
use crate::support::http::send;
use crate::support::{World, put};

fn head(device: &Device, receipt: &Receipt) -> Checkpoint {
    let trust = &device.trust;
    Checkpoint::open(&receipt.checkpoint, &trust.log_origin, &trust.log_key).unwrap()
}

/// Pushes all records of the device, as one that saw `seen`; says whether HQ proves its growth.
fn push_seen(device: &Device, seen: &Checkpoint) -> (Receipt, bool) {
    let records = device.records.iter().map(|record| record.bytes.clone().into()).collect();
    let request = PushRequest { records, seen_size: Some(seen.size) };
    let receipt: Receipt = device.post("/push", &request).ok();
    let now = head(device, &receipt);
    let proven = receipt
        .consistency
        .as_ref()
        .is_some_and(|proof| consistency_holds(seen.size, seen.root, now.size, now.root, proof));
    (receipt, proven)
}

fn work(device: &mut Device, number: usize) -> Receipt {
    let photo = format!("{} photograph {number}", device.id).into_bytes();
    device.any();
    device.cite(&[&photo]);
    let receipt: Receipt = device.push(&device.records[device.records.len() - 2..]).ok();
    device.upload(&photo, 20);
    receipt
}

#[test]
fn a_backup_under_load_is_whole_and_devices_go_on_after_restore_and_replay() {
    let world = World::start_on(None);
    let mut devices: Vec<Device> = (0..3).map(|_| Device::enroll(&world)).collect();
    let archive = Place::Folder(world.data().parent().unwrap().join("archive"));
    world.hq().set_archive(&archive).unwrap();
    let backup = world.data().parent().unwrap().join("backup");
    let stop = AtomicBool::new(false);
    let stop = &stop;
    std::thread::scope(|scope| {
        for device in &mut devices {
            scope.spawn(move || {
                for number in 0..200 {
                    work(device, number);
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                }
            });
        }
        for _ in 0..3 {
            let done = world.hq().backup(&world.data(), &backup).unwrap();
            // Every backup on the way is one that can be opened and is whole.
            let opened = Hq::open(&backup, world.clock.clone()).unwrap();
            let report = opened.verify_log().unwrap();
            assert_eq!(report.records, done.records);
            assert_eq!(report.blobs, done.files + done.files_kept);
        }
        stop.store(true, Ordering::SeqCst);
    });
    // Work goes on after the last backup, also of a device that it does not know.
    devices.push(Device::enroll(&world));
    let seen: Vec<Checkpoint> = devices
        .iter_mut()
        .map(|device| {
            let receipt = work(device, 900);
            head(device, &receipt)
        })
        .collect();
    world.hq().archive().unwrap();
    let files = world.hq().counts().unwrap().blobs;

    // HQ burns down; the backup and the archive are elsewhere.
    let mut new = world.later();
    drop(world.running);
    let clock = world.clock.clone();
    let (hq, restored, replayed) =
        Hq::restore(&backup, &new.data(), Some(&archive), clock.clone()).unwrap();
    assert!(replayed.records > 0 && replayed.files > 0, "{replayed:?}");
    let report = hq.verify_log().unwrap();
    assert_eq!(report.records, restored.records + replayed.records);
    assert_eq!(report.blobs, files);
    drop(hq);
    new.restart();
    for (device, seen) in devices.iter_mut().zip(&seen) {
        device.address = new.address();
        device.any();
        let (receipt, proven) = push_seen(device, seen);
        assert!(proven, "the log goes on from where this device saw it");
        device.verify(&receipt, &device.records.clone());
        assert!(receipt.wanted.is_empty());
    }
    new.hq().verify_log().unwrap();
    // The published files are not in the backup; they follow from the records.
    let note = new.hq().published_checkpoint().unwrap();
    let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
    let path = if size < 256 { format!("000.p/{size}") } else { "000".to_owned() };
    let tile = send(new.address(), "GET", &format!("/log/v1/tile/entries/{path}"), &[], &[]);
    assert_eq!(tile.status, 200);
    assert!(matches!(
        Hq::restore(&backup, &new.data(), None, clock),
        Err(HqError::AlreadyInitialized(_))
    ));
}

/// Without an archive the last records are gone from HQ. It asks for them, and whoever saw more of
/// the log than came back is told the truth: growth that cannot be proven.
#[test]
fn a_restored_hq_that_is_older_asks_again_and_cannot_hide_it() {
    let world = World::start_on(None);
    let (mut one, mut two) = (Device::enroll(&world), Device::enroll(&world));
    let backup = world.data().parent().unwrap().join("backup");
    work(&mut one, 1);
    world.hq().backup(&world.data(), &backup).unwrap();
    let (from_two, _) = (work(&mut two, 2), work(&mut one, 2));
    let receipt = work(&mut one, 3);
    let seen = head(&one, &receipt);
    let mut new = world.later();
    drop(world.running);
    drop(Hq::restore(&backup, &new.data(), None, world.clock.clone()).unwrap());
    new.restart();
    one.address = new.address();
    two.address = new.address();
    // The gap is named, so that the device sends again what HQ once receipted.
    one.any();
    let problem = one.push(&one.records[one.records.len() - 1..]).problem();
    assert_eq!((problem.code, problem.expected_seq), (ProblemCode::Gap, Some(3)));
    let (receipt, proven) = push_seen(&one, &seen);
    assert!(!proven, "the log took another way: {}", receipt.checkpoint);
    let (_, proven) = push_seen(&two, &head(&two, &from_two));
    assert!(!proven);
    let photo = format!("{} photograph 3", one.id).into_bytes();
    assert!(receipt.wanted.contains(&Hash::of(&photo)), "files are asked for again");
    assert_eq!(new.hq().verify_log().unwrap().records, 9);
}

#[test]
fn a_backup_that_was_cut_short_is_none() {
    let world = World::start_on(None);
    let mut device = Device::enroll(&world);
    work(&mut device, 1);
    let backup = world.data().parent().unwrap().join("backup");
    world.hq().backup(&world.data(), &backup).unwrap();
    std::fs::remove_file(backup.join("backup.json")).unwrap();
    let new = world.later();
    let refused = Hq::restore(&backup, &new.data(), None, world.clock.clone());
    assert!(matches!(refused.err(), Some(HqError::NotInitialized(_))));
    assert!(!new.data().exists());
    // Made again, it copies only what is new, and nothing that a killed run left is read into it.
    put(backup.join("hq.sqlite-wal"), b"of another run");
    work(&mut device, 2);
    let again = world.hq().backup(&world.data(), &backup).unwrap();
    assert_eq!((again.files, again.files_kept), (1, 1));
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |name: &str| backup.join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("keys/log.key"), mode("hq.sqlite")), (0o600, 0o600));
}
