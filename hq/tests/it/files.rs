//! The blob plane: files arrive whole or not at all, whatever cuts or mixes up the uploads.

use hq::InProcess;
use sync_model::hash::Hash;
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::{BlobState, NeedReply, NeedRequest, Receipt};
use sync_model::wire::{
    CHUNK_BYTES_MAX, HEADER_CHUNK_SHA256, HEADER_LENGTH, HEADER_OFFSET, HEADER_REQUEST, PREFIX,
};

use crate::support::device::{Device, statement};
use crate::support::{World, database, put, shelf_name};

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
fn need_answers_in_order_and_from_what_is_durable() {
    let mut world = World::start();
    let (whole, part, lost, damaged) = (file(7, 900), file(8, 900), file(9, 900), file(10, 900));
    let mut device = cited(&world, &[&whole, &part, &lost, &damaged]);
    device.upload(&whole, 900);
    device.chunk(&part, 0, 300).ok::<BlobState>();
    for (start, end) in [(0, 300), (300, 500), (500, 600)] {
        device.chunk(&damaged, start, end).ok::<BlobState>();
    }
    // The plug was pulled after a part was an object and before it was noted.
    let digest = Hash::of(&lost[..300]);
    let orphan = parts(&world).join(format!("{}.0.{digest}", Hash::of(&lost)));
    put(&orphan, &lost[..300]);
    world.restart();
    device.address = world.address();
    let uncited = Hash::of(b"uncited");
    let names = [Hash::of(&part), uncited, Hash::of(&whole), Hash::of(&lost), Hash::of(&damaged)];
    let reply: NeedReply = device.post("/blobs/need", &NeedRequest { blobs: names.to_vec() }).ok();
    let found: Vec<_> =
        reply.blobs.iter().map(|state| (state.sha256, state.offset, state.complete)).collect();
    let expected = [300, 0, 900, 0, 600];
    for ((found, name), offset) in found.iter().zip(names).zip(expected) {
        assert_eq!(*found, (name, offset, offset == 900));
    }
    device.upload(&lost, 500);
    // A bit fell over in the middle part: what stands before it need not be sent again.
    let second = Hash::of(&damaged[300..500]);
    let path = parts(&world).join(format!("{}.300.{second}", Hash::of(&damaged)));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 4;
    put(&path, bytes);
    let problem = device.chunk(&damaged, 600, 900).problem();
    assert_eq!((problem.code, problem.expected_offset), (ProblemCode::BadOffset, Some(300)));
    device.chunk(&damaged, 300, 600).ok::<BlobState>();
    // And a part that is gone altogether.
    std::fs::remove_file(parts(&world).join(format!(
        "{}.0.{}",
        Hash::of(&damaged),
        Hash::of(&damaged[..300])
    )))
    .unwrap();
    let problem = device.chunk(&damaged, 600, 900).problem();
    assert_eq!((problem.code, problem.expected_offset), (ProblemCode::BadOffset, Some(0)));
    device.upload(&damaged, 450);
    assert_eq!(world.hq().verify_log().unwrap().blobs, 3);
    // Nothing is left of finished uploads but the orphan, until it is old.
    assert_eq!(part_count(&world), 2);
    assert_eq!(world.hq().sweep(45).unwrap().objects, 0);
    world.clock.advance(46 * 24 * 3600 * 1000 + (1_900_000_000_000 - 1_795_500_000_000));
    let swept = world.hq().sweep(45).unwrap();
    assert_eq!((swept.uploads, swept.objects), (1, 2));
    assert_eq!((part_count(&world), world.hq().verify_log().unwrap().blobs), (0, 3));
    device.upload(&part, 900);
}

fn parts(world: &World) -> std::path::PathBuf {
    world.data().join("blobs/parts")
}

fn part_count(world: &World) -> usize {
    std::fs::read_dir(parts(world)).unwrap().count()
}

/// Two processes on one store: what one took the other knows, and neither overwrites the other.
#[test]
fn two_processes_take_one_file_with_different_chunks() {
    let world = World::start();
    let photo = file(11, 60_000);
    let device = cited(&world, &[&photo]);
    let beside = InProcess::new(&world.beside().unwrap()).unwrap();
    let name = Hash::of(&photo);
    let mut turn = 0_usize;
    let (mut offset, mut sizes) = (0, [7_000, 4_000].into_iter().cycle());
    while offset < photo.len() {
        let end = photo.len().min(offset + sizes.next().unwrap());
        let chunk = &photo[offset..end];
        if turn.is_multiple_of(2) {
            // Both send from here: the second is told where to go on.
            let other = photo.len().min(offset + 1_000);
            device.chunk(&photo, offset, end).ok::<BlobState>();
            let (status, _) =
                in_process(&beside, &device, &name, photo.len(), offset, &photo[offset..other]);
            assert!(status == 409 || end == photo.len());
        } else {
            let (status, _) = in_process(&beside, &device, &name, photo.len(), offset, chunk);
            assert_eq!(status, 200);
        }
        offset = end;
        turn += 1;
    }
    assert_eq!(world.hq().verify_log().unwrap().blobs, 1);
    assert_eq!(part_count(&world), 0);
}

fn in_process(
    hq: &InProcess,
    device: &Device,
    name: &Hash,
    length: usize,
    offset: usize,
    chunk: &[u8],
) -> (u16, Vec<u8>) {
    let path = format!("{PREFIX}/blobs/{name}");
    let signed = statement(Some(device.id), &device.key, "PATCH", &path, chunk);
    let headers = [
        (HEADER_OFFSET, offset.to_string()),
        (HEADER_LENGTH, length.to_string()),
        (HEADER_CHUNK_SHA256, Hash::of(chunk).hex()),
        (HEADER_REQUEST, signed),
    ];
    let answer = hq.call("PATCH", &path, &headers, chunk.to_vec()).unwrap();
    (answer.status, answer.body)
}

/// A place that cannot be written promises nothing, and the upload goes on when it can.
#[test]
fn a_folder_that_fails_promises_nothing() {
    let world = World::start();
    let photo = file(12, 3_000);
    let device = cited(&world, &[&photo]);
    device.chunk(&photo, 0, 1_000).ok::<BlobState>();
    let (folder, away) = (parts(&world), world.data().join("away"));
    std::fs::rename(&folder, &away).unwrap();
    put(&folder, b"in the way");
    let problem = device.chunk(&photo, 1_000, 2_000).problem();
    assert!(problem.is_transient(), "{problem}");
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&away, &folder).unwrap();
    let need = NeedRequest { blobs: vec![Hash::of(&photo)] };
    assert_eq!(device.post("/blobs/need", &need).ok::<NeedReply>().blobs[0].offset, 1_000);
    device.chunk(&photo, 1_000, 2_000).ok::<BlobState>();
    assert!(device.chunk(&photo, 2_000, 3_000).ok::<BlobState>().complete);
}

/// Version 0.1 kept whole files where they are kept now, and parts as one growing file.
#[test]
fn files_of_version_0_1_stay_readable() {
    let mut world = World::start_on(None);
    let (photo, begun) = (file(13, 5_000), file(14, 5_000));
    let mut device = cited(&world, &[&photo, &begun]);
    let name = Hash::of(&photo);
    let shelf = world.data().join("blobs").join(shelf_name(&name));
    std::fs::create_dir_all(&shelf).unwrap();
    put(shelf.join(name.hex()), &photo);
    let partial = world.data().join("blobs/partial");
    std::fs::create_dir_all(&partial).unwrap();
    put(partial.join(Hash::of(&begun).hex()), &begun[..100]);
    let noted = "INSERT INTO blob (sha256, bytes, completed_at) VALUES (?1, 5000, 1)";
    database(&world.data()).execute(noted, [&name.0[..]]).unwrap();
    world.restart();
    device.address = world.address();
    let given = device.call("GET", &format!("/blobs/{name}"), &[], &[]);
    assert_eq!((given.status, given.body == photo), (200, true));
    assert_eq!(world.hq().verify_log().unwrap().blobs, 1);
    device.upload(&begun, 3_000);
    world.clock.advance(46 * 24 * 3600 * 1000 + (1_900_000_000_000 - 1_795_500_000_000));
    assert_eq!(world.hq().sweep(45).unwrap().objects, 1);
    assert_eq!(world.hq().verify_log().unwrap().blobs, 2);
}
