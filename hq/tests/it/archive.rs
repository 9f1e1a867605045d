//! R3: a record is said to be archived only when it and everything before it lies twice, with all
//! files, under a checkpoint that witnesses cosigned.

use hq::{Place, StoreError};
use sync_model::hash::Hash;
use sync_model::wire::push::Receipt;

use crate::support::device::Device;
use crate::support::{World, put, shelf_name};

fn archived(device: &Device) -> u64 {
    device.push(&[]).ok::<Receipt>().archived_seq
}

fn place(world: &World) -> Place {
    Place::Folder(world.data().parent().unwrap().join("archive"))
}

fn round(world: &World) {
    world.hq().publish_log().unwrap();
    world.hq().collect_cosignatures().unwrap();
    world.hq().archive().unwrap();
}

fn witness(world: &World) -> World {
    let witness = World::start();
    witness.hq().watch_log(&world.hq().log_named_key()).unwrap();
    let url = format!("http://{}/witness/v1", witness.address());
    world.hq().add_witness(&witness.hq().witness_key(), &url).unwrap();
    witness
}

#[test]
fn r3_waits_for_records_files_and_witnesses_and_never_goes_back() {
    let mut world = World::start();
    let (mut one, mut two) = (Device::enroll(&world), Device::enroll(&world));
    world.hq().set_archive(&place(&world)).unwrap();
    one.any();
    one.cite(&[b"photograph"]);
    one.any();
    two.any();
    for device in [&one, &two] {
        device.push(&device.records).ok::<Receipt>();
    }
    round(&world);
    // Archived twice, but nobody outside saw it.
    assert_eq!((archived(&one), archived(&two)), (0, 0));
    let _witness = witness(&world);
    round(&world);
    // The file of the second record is not here yet: it holds back what follows.
    assert_eq!((archived(&one), archived(&two)), (1, 1));
    one.upload(b"photograph", 4);
    assert_eq!(archived(&one), 1, "whole, but only once");
    round(&world);
    assert_eq!(archived(&one), 3);
    // New records are not archived until the next round, and the old ones stay so.
    one.any();
    one.push(&one.records).ok::<Receipt>();
    assert_eq!(archived(&one), 3);
    world.restart();
    (one.address, two.address) = (world.address(), world.address());
    round(&world);
    assert_eq!((archived(&one), archived(&two)), (4, 1));
    // Another device cites an archived file: nothing waits for it.
    two.cite(&[b"photograph"]);
    two.push(&two.records).ok::<Receipt>();
    round(&world);
    assert_eq!(archived(&two), 2);
    // Again is no work.
    assert_eq!(world.hq().archive().unwrap(), hq::Archived::default());
}

#[test]
fn r3_needs_the_whole_quorum() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    world.hq().set_archive(&place(&world)).unwrap();
    let (_one, two) = (witness(&world), witness(&world));
    device.any();
    device.push(&device.records).ok::<Receipt>();
    drop(two);
    round(&world);
    assert_eq!(archived(&device), 0, "one of two");
    world.hq().set_witness_quorum(1).unwrap();
    assert!(world.hq().set_witness_quorum(0).is_err());
    round(&world);
    assert_eq!(archived(&device), 1);
}

#[test]
fn a_damaged_file_is_never_archived_and_a_half_copy_is_made_anew() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    world.hq().set_archive(&place(&world)).unwrap();
    let _witness = witness(&world);
    device.cite(&[b"photograph", b"transcript"]);
    device.push(&device.records).ok::<Receipt>();
    device.upload(b"photograph", 4);
    device.upload(b"transcript", 4);
    let at = |folder: std::path::PathBuf, bytes: &[u8]| {
        let name = Hash::of(bytes);
        folder.join(shelf_name(&name)).join(name.hex())
    };
    let Place::Folder(archive) = place(&world) else { unreachable!() };
    // A copy that was cut off long ago, and a bit that fell over at HQ.
    let torn = at(archive.clone(), b"transcript");
    std::fs::create_dir_all(torn.parent().unwrap()).unwrap();
    put(&torn, b"trans");
    let damaged = at(world.data().join("blobs"), b"photograph");
    put(&damaged, b"photogr@ph");
    world.hq().publish_log().unwrap();
    world.hq().collect_cosignatures().unwrap();
    // HQ's own rounds may have done a part of it.
    assert_eq!(world.hq().archive().unwrap().failed, 1);
    assert_eq!(std::fs::read(&torn).unwrap(), b"transcript");
    assert!(!at(archive, b"photograph").exists());
    assert_eq!(archived(&device), 0);
    put(&damaged, b"photograph");
    assert_eq!(world.hq().archive().unwrap().failed, 0);
    assert_eq!(archived(&device), 1);
}

#[test]
fn the_archive_is_another_place_and_does_not_move_by_a_slip() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let own = Place::Folder(world.data().join("blobs"));
    assert!(world.hq().set_archive(&own).is_err());
    world.hq().set_archive(&place(&world)).unwrap();
    device.any();
    device.push(&device.records).ok::<Receipt>();
    world.hq().archive().unwrap();
    assert!(world.hq().set_archive(&Place::Folder(world.data().join("other"))).is_err());
    world.hq().set_archive(&place(&world)).unwrap();
}

#[test]
fn a_damaged_pack_stops_a_replay() {
    let world = World::start_on(None);
    let mut device = Device::enroll(&world);
    world.hq().set_archive(&place(&world)).unwrap();
    let early = world.copied();
    device.any();
    device.push(&device.records).ok::<Receipt>();
    world.hq().archive().unwrap();
    let Place::Folder(archive) = place(&world) else { unreachable!() };
    let pack = std::fs::read_dir(archive.join("records")).unwrap().next().unwrap().unwrap().path();
    let right = std::fs::read(&pack).unwrap();
    let mut bent = right.clone();
    let middle = bent.len() / 2;
    bent[middle] ^= 1;
    put(&pack, bent);
    let error = early.hq().replay_archive(&place(&world)).unwrap_err();
    assert!(matches!(error, hq::HqError::Store(StoreError::Damaged("pack"))), "{error}");
    assert_eq!(early.hq().counts().unwrap().records, 0);
    put(&pack, right);
    let replayed = early.hq().replay_archive(&place(&world)).unwrap();
    assert_eq!((replayed.records, replayed.size), (1, 1));
    assert_eq!(early.hq().replay_archive(&place(&world)).unwrap().records, 0);
}

/// Two histories of one log must never be mixed: not by a replay, not by archiving.
#[test]
fn an_archive_continues_its_own_history_only() {
    let world = World::start_on(None);
    let mut device = Device::enroll(&world);
    world.hq().set_archive(&place(&world)).unwrap();
    device.any();
    device.push(&device.records).ok::<Receipt>();
    let other = world.copied();
    for _ in 0..3 {
        device.any();
    }
    device.push(&device.records).ok::<Receipt>();
    world.hq().archive().unwrap();
    // The other went on by itself.
    device.forget_after(1);
    device.address = other.address();
    device.any();
    device.push(&device.records).ok::<Receipt>();
    let error = other.hq().replay_archive(&place(&world)).unwrap_err();
    assert!(error.to_string().contains("history"), "{error}");
    assert_eq!(other.hq().verify_log().unwrap().records, 2);
    let fresh = World::start_on(None);
    let error = fresh.hq().set_archive(&place(&world)).unwrap_err();
    assert!(error.to_string().contains("there already"), "{error}");
}
