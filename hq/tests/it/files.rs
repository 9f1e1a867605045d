//! The blob plane: files arrive whole or not at all, whatever cuts or mixes up the uploads.

use sync_model::hash::Hash;
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::{BlobState, NeedReply, NeedRequest, Receipt};
use sync_model::wire::{CHUNK_BYTES_MAX, HEADER_OFFSET};

use crate::support::device::Device;
use crate::support::{World, shelf_name};

fn file(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8 ^ seed).collect()
}

fn cited(world: &World, files: &[&[u8]]) -> Device {
    let mut device = Device::enroll(world);
    device.cite(files);
    let receipt: Receipt = device.push(&device.records).ok();
    let mut wanted = receipt.wanted;
    let mut hashes: Vec<Hash> = files.iter().map(|file| Hash::of(file)).collect();
    wanted.sort();
    hashes.sort();
    assert_eq!(wanted, hashes);
    device
}

#[test]
fn an_upload_goes_on_where_it_was_cut_also_after_a_restart() {
    let mut world = World::start();
    let photo = file(1, 100_003);
    let mut device = cited(&world, &[&photo]);
    for (start, end) in [(0, 1), (1, 4096), (4096, 4097), (4097, 77_777)] {
        let state: BlobState = device.chunk(&photo, start, end).ok();
        assert_eq!((state.offset as usize, state.complete), (end, false));
        world.restart();
        device.address = world.address();
        let head = device.call("HEAD", &format!("/blobs/{}", Hash::of(&photo)), &[], &[]);
        assert_eq!(head.header(HEADER_OFFSET), Some(end.to_string()));
    }
    let state: BlobState = device.chunk(&photo, 77_777, photo.len()).ok();
    assert!(state.complete);
    let again: BlobState = device.chunk(&photo, 0, 10).ok();
    assert!(again.complete, "a whole file needs nothing");
    let receipt: Receipt = device.push(&[]).ok();
    assert!(receipt.wanted.is_empty());
    let given = device.call("GET", &format!("/blobs/{}", Hash::of(&photo)), &[], &[]);
    assert_eq!((given.status, given.body == photo), (200, true));
    assert_eq!(given.header("content-type").as_deref(), Some("image/jpeg"));
    let other = Device::enroll(&world);
    let foreign = other.call("GET", &format!("/blobs/{}", Hash::of(&photo)), &[], &[]);
    assert_eq!(foreign.problem().code, ProblemCode::UnknownBlob);
}

#[test]
fn a_chunk_at_another_offset_is_told_where_to_go_on() {
    let world = World::start();
    let photo = file(2, 5000);
    let device = cited(&world, &[&photo]);
    device.chunk(&photo, 0, 1000).ok::<BlobState>();
    for start in [0, 999, 1001] {
        let problem = device.chunk(&photo, start, 2000).problem();
        assert_eq!((problem.code, problem.expected_offset), (ProblemCode::BadOffset, Some(1000)));
    }
    device.chunk(&photo, 1000, 5000).ok::<BlobState>();
}

#[test]
fn damaged_chunks_and_files_are_never_taken_for_the_real_one() {
    let world = World::start();
    let (photo, empty) = (file(3, 3000), vec![]);
    let device = cited(&world, &[&photo, &empty]);
    let name = Hash::of(&photo);
    let wrong = file(4, 3000);
    let damaged = device.chunk_of(&name, 3000, 0, &wrong[..1500], &Hash::of(&photo[..1500]));
    assert_eq!(damaged.problem().code, ProblemCode::BadDigest);
    // Every chunk is what it says, but together they are another file.
    device.chunk_of(&name, 3000, 0, &wrong[..1500], &Hash::of(&wrong[..1500])).ok::<BlobState>();
    let reply = device.chunk_of(&name, 3000, 1500, &wrong[1500..], &Hash::of(&wrong[1500..]));
    assert_eq!(reply.problem().code, ProblemCode::BadDigest);
    let aside = std::fs::read_dir(world.data().join("blobs/quarantine")).unwrap().count();
    assert_eq!((aside, world.hq().counts().unwrap().blobs), (1, 0));
    // It starts anew with the right bytes.
    device.upload(&photo, 700);
    device.upload(&empty, 700);
    assert_eq!(world.hq().counts().unwrap().blobs, 2);
    let beyond = device.chunk_of(&Hash::of(b"x"), 1, 0, b"x", &Hash::of(b"x"));
    assert_eq!(beyond.problem().code, ProblemCode::UnknownBlob);
}

#[test]
fn lengths_that_were_not_cited_and_oversize_chunks_are_refused() {
    let world = World::start();
    let photo = file(5, 2000);
    let device = cited(&world, &[&photo]);
    let name = Hash::of(&photo);
    let longer = device.chunk_of(&name, 2001, 0, &photo, &name);
    assert_eq!(longer.problem().code, ProblemCode::Malformed);
    let mut beyond = photo.clone();
    beyond.push(0);
    let reply = device.chunk_of(&name, 2000, 0, &beyond, &Hash::of(&beyond));
    assert_eq!(reply.problem().code, ProblemCode::Malformed);
    let large = vec![0; CHUNK_BYTES_MAX + 1];
    assert_eq!(device.chunk_of(&name, 2000, 0, &large, &Hash::of(&large)).status, 413);
    device.upload(&photo, 2000);
}

#[test]
fn two_uploads_of_one_file_at_once_leave_one_right_file() {
    let world = World::start();
    let photo = file(6, 400_000);
    let one = cited(&world, &[&photo]);
    let two = cited(&world, &[&photo]);
    let push = |device: &Device| {
        let mut offset = 0;
        loop {
            let end = photo.len().min(offset + 7_000);
            let reply = device.chunk(&photo, offset, end);
            if reply.status == 200 {
                let state: BlobState = reply.ok();
                offset = state.offset as usize;
                if state.complete {
                    return;
                }
            } else {
                let problem = reply.problem();
                assert_eq!(problem.code, ProblemCode::BadOffset);
                offset = problem.expected_offset.unwrap() as usize;
            }
        }
    };
    std::thread::scope(|scope| {
        for device in [&one, &two] {
            for _ in 0..2 {
                scope.spawn(|| push(device));
            }
        }
    });
    assert_eq!(world.hq().verify_log().unwrap().blobs, 1);
    for device in [&one, &two] {
        assert!(device.push(&[]).ok::<Receipt>().wanted.is_empty());
    }
}

#[test]
fn need_answers_in_order_and_finishes_what_a_power_cut_left() {
    let mut world = World::start();
    let (whole, part, moved, torn) = (file(7, 900), file(8, 900), file(9, 900), file(10, 900));
    let mut device = cited(&world, &[&whole, &part, &moved, &torn]);
    device.upload(&whole, 900);
    device.chunk(&part, 0, 300).ok::<BlobState>();
    device.chunk(&moved, 0, 300).ok::<BlobState>();
    device.chunk(&torn, 0, 300).ok::<BlobState>();
    // The plug was pulled after the rename and before the note; and in the middle of a write.
    let partial = |file: &[u8]| world.data().join("blobs/partial").join(Hash::of(file).hex());
    let shelf = world.data().join("blobs").join(shelf_name(&Hash::of(&moved)));
    std::fs::create_dir_all(&shelf).unwrap();
    let place = shelf.join(Hash::of(&moved).hex());
    std::fs::copy(partial(&moved), &place).unwrap();
    use std::io::Write as _;
    let mut file = std::fs::File::create(&place).unwrap();
    file.write_all(&moved).unwrap();
    let mut file = std::fs::File::create(partial(&torn)).unwrap();
    file.write_all(&[0; 900]).unwrap();
    world.restart();
    device.address = world.address();
    let uncited = Hash::of(b"uncited");
    let names = [Hash::of(&part), uncited, Hash::of(&whole), Hash::of(&moved), Hash::of(&torn)];
    let reply: NeedReply = device.post("/blobs/need", &NeedRequest { blobs: names.to_vec() }).ok();
    let found: Vec<_> =
        reply.blobs.iter().map(|state| (state.sha256, state.offset, state.complete)).collect();
    let expected = [300, 0, 900, 900, 0];
    for ((found, name), offset) in found.iter().zip(names).zip(expected) {
        assert_eq!(*found, (name, offset, offset == 900));
    }
    device.upload(&torn, 500);
}
