//! Files go up from where HQ stands, and one that cannot go does not hold the others; a
//! damaged one is said to be so and never sent (I-8).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sync_model::hash::Hash;
use sync_model::record::Record;
use sync_model::wire::CHUNK_BYTES;
use sync_model::wire::HEADER_OFFSET;
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::push::BlobState;

use super::hq::{Reply, Request, ScriptedHq, body, refuse};
use super::sync;
use crate::error::{Outcome, SyncError};
use crate::store::Level;
use crate::store::tests::world::{World, begun, inspection, scope, shift};

/// A device with a visit and one record for each of `files`.
fn with_files(files: &[Vec<u8>]) -> (World, Vec<Record>) {
    let world = World::enrolled();
    let shift = world.act(shift(1));
    world.act_in(&scope(1), begun(1, shift.hash));
    let mut records = vec![];
    for (ordinal, bytes) in (1..).zip(files) {
        let mut photo = world.photo(u128::from(ordinal), bytes);
        photo.ordinal = ordinal;
        photo.inspection = Some(inspection(1));
        records.push(world.act_in(&scope(1), photo));
    }
    (world, records)
}

fn file(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|index| seed.wrapping_add(u8::try_from(index % 251).unwrap())).collect()
}

fn is_chunk(request: &Request) -> bool {
    request.method == "PATCH"
}

#[test]
fn a_file_goes_on_from_where_hq_stands() {
    let bytes = file(1, 2 * CHUNK_BYTES + 1000);
    let (world, records) = with_files(std::slice::from_ref(&bytes));
    let sha256 = Hash::of(&bytes);
    let hq = ScriptedHq::of(&world);
    // The link breaks at every chunk after HQ has saved it.
    hq.fault(|request, state| {
        is_chunk(request).then(|| {
            state.answer(request);
            Reply::Raw(vec![])
        })
    });
    let progress = sync(&world, &hq).unwrap();
    // No answer to a chunk ever came; asking where HQ stands was enough, and no byte went twice.
    assert_eq!((progress.blobs, progress.blob_bytes), (1, 0));
    assert_eq!(hq.state().blobs[&sha256], bytes);
    assert_eq!(world.store().read(|r| r.level(records[0].envelope.seq)).unwrap(), Level::Complete);
    assert_eq!(world.store().read(|r| r.outbox_counts()).unwrap().received_blobs, 1);
}

#[test]
fn a_bad_offset_sends_the_device_to_where_hq_stands() {
    let bytes = file(1, CHUNK_BYTES + 500);
    let (world, _) = with_files(std::slice::from_ref(&bytes));
    let hq = ScriptedHq::of(&world);
    // HQ says at first that it holds nothing, although another round brought a part.
    let part = bytes[..700].to_vec();
    let sha256 = Hash::of(&bytes);
    hq.fault(move |request, state| {
        if is_chunk(request) && !state.blobs.contains_key(&sha256) {
            state.blobs.insert(sha256, part.clone());
        }
        None
    });
    sync(&world, &hq).unwrap();
    assert_eq!(hq.state().blobs[&sha256], bytes);
    let chunks = hq.state().asked.iter().filter(|line| line.starts_with("PATCH")).count();
    assert_eq!(chunks, 2, "one refused, one taken");
}

#[test]
fn an_hq_that_never_agrees_on_an_offset_ends_the_round() {
    let (world, _) = with_files(&[file(1, 100)]);
    let hq = ScriptedHq::of(&world);
    hq.fault(|request, _| {
        is_chunk(request).then(|| {
            let mut problem = Problem::new(ProblemCode::BadOffset, "elsewhere");
            let at: u64 = request.headers[HEADER_OFFSET].parse().unwrap();
            problem.expected_offset = Some(1 - at.min(1));
            refuse(&problem)
        })
    });
    let error = sync(&world, &hq).unwrap_err();
    assert_eq!(error.outcome(), Outcome::Refused);
    assert_eq!(world.store().read(|r| r.outbox_counts()).unwrap().pending_blobs, 1);
    hq.heal();
    assert_eq!(sync(&world, &hq).unwrap().blobs, 1);
}

/// An HQ that held the whole file and never called it complete once kept the device sending empty
/// chunks for ever.
#[test]
fn an_hq_that_never_completes_a_file_ends_the_round() {
    let (world, _) = with_files(&[file(1, 100)]);
    let hq = ScriptedHq::of(&world);
    let sha256 = Hash::of(&file(1, 100));
    hq.fault(move |request, _| {
        is_chunk(request).then(|| body(&BlobState { sha256, offset: 100, complete: false }))
    });
    let error = sync(&world, &hq).unwrap_err();
    assert!(matches!(error, SyncError::Garbage(_)), "{error}");
    assert_eq!(world.store().read(|r| r.outbox_counts()).unwrap().received_blobs, 0);
}

#[test]
fn an_answer_about_another_file_is_garbage() {
    let (world, _) = with_files(&[file(1, 100)]);
    let hq = ScriptedHq::of(&world);
    hq.fault(|request, _| {
        is_chunk(request)
            .then(|| body(&BlobState { sha256: Hash::ZERO, offset: 100, complete: true }))
    });
    assert!(matches!(sync(&world, &hq), Err(SyncError::Garbage(_))));
    assert_eq!(world.store().read(|r| r.outbox_counts()).unwrap().received_blobs, 0);
}

#[test]
fn a_file_damaged_in_flight_again_and_again_is_parked_and_the_others_go_on() {
    let (world, records) = with_files(&[file(1, 100), file(2, 100), file(3, 100)]);
    let hq = ScriptedHq::of(&world);
    let unlucky = Hash::of(&file(2, 100)).hex();
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    hq.fault(move |request, _| {
        request.path.ends_with(&unlucky).then(|| {
            counted.fetch_add(1, Ordering::SeqCst);
            refuse(&Problem::new(ProblemCode::BadDigest, "bytes differ"))
        })
    });
    let progress = sync(&world, &hq).unwrap();
    assert_eq!(progress.blobs, 2);
    assert!((3..=4).contains(&tries.load(Ordering::SeqCst)));
    let parked = world.store().read(|r| r.parked()).unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!((parked[0].seq, parked[0].kind.as_str()), (records[1].envelope.seq, "blob"));
    assert!(parked[0].reason.contains("bytes differ"));
    let level = |record: &Record| world.store().read(|r| r.level(record.envelope.seq)).unwrap();
    assert_eq!((level(&records[0]), level(&records[1])), (Level::Complete, Level::Held));
    hq.heal();
    world.store().resume_parked().unwrap();
    assert_eq!(sync(&world, &hq).unwrap().blobs, 1);
}

/// A file HQ would never take once stopped every file behind it, and the feed.
#[test]
fn a_file_hq_does_not_know_is_parked_and_the_others_go_on() {
    let (world, _) = with_files(&[file(1, 100), file(2, 100)]);
    let hq = ScriptedHq::of(&world);
    let unknown = Hash::of(&file(1, 100)).hex();
    hq.fault(move |request, _| {
        request
            .path
            .ends_with(&unknown)
            .then(|| refuse(&Problem::new(ProblemCode::UnknownBlob, "no record cites it")))
    });
    assert_eq!(sync(&world, &hq).unwrap().blobs, 1);
    assert_eq!(world.store().read(|r| r.parked()).unwrap().len(), 1);
}

#[test]
fn a_file_damaged_or_missing_here_is_parked_and_never_sent_as_another() {
    let (world, records) = with_files(&[file(1, 100), file(2, 100), file(3, 100)]);
    let path = |seed| world.store().blobs().path(&Hash::of(&file(seed, 100)));
    let mut bent = file(1, 100);
    bent[50] ^= 1;
    std::fs::File::create(path(1))
        .and_then(|mut f| std::io::Write::write_all(&mut f, &bent))
        .unwrap();
    std::fs::remove_file(path(2)).unwrap();
    let hq = ScriptedHq::of(&world);
    assert_eq!(sync(&world, &hq).unwrap().blobs, 1);
    assert_eq!(hq.state().complete, [Hash::of(&file(3, 100))]);
    let parked = world.store().read(|r| r.parked()).unwrap();
    let seqs: Vec<u64> = parked.iter().map(|row| row.seq).collect();
    assert_eq!(seqs, [records[0].envelope.seq, records[1].envelope.seq]);
    assert!(parked.iter().all(|row| !row.reason.is_empty()));
    // The records themselves are at HQ.
    assert_eq!(world.store().read(|r| r.outbox_counts()).unwrap().pending, 0);
}

#[test]
fn an_empty_file_is_completed_too() {
    let (world, records) = with_files(&[vec![]]);
    let hq = ScriptedHq::of(&world);
    assert_eq!(sync(&world, &hq).unwrap().blobs, 1);
    assert_eq!(world.store().read(|r| r.level(records[0].envelope.seq)).unwrap(), Level::Complete);
}
