//! What goes first, how many requests it takes, and that the officer works on meanwhile.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use sync_model::hash::Hash;
use sync_model::record::BlobRole;
use sync_model::wire::policy::NetworkKind;

use super::hq::ScriptedHq;
use super::sync;
use crate::store::tests::world::{World, begun, captured, lead, scope, shift};
use crate::sync::{HqClient, Options, round_with};

/// A device with one record that cites an original of `bytes` and a thumbnail.
fn with_photo(bytes: usize) -> World {
    let world = World::enrolled();
    let shift = world.act(shift(1));
    world.act_in(&scope(1), begun(1, shift.hash));
    let photo: Vec<u8> = (0..bytes).map(|at| u8::try_from(at % 250).unwrap()).collect();
    let original = world.store().blobs().put(&photo, "image/jpeg", BlobRole::Original).unwrap();
    let small = world.store().blobs().put(b"small", "image/jpeg", BlobRole::Thumbnail).unwrap();
    let mut act = captured(1, original);
    act.thumbnail = Some(small);
    world.act_in(&scope(1), act);
    world
}

#[test]
fn a_round_with_records_and_nothing_else_due_is_one_request() {
    let world = World::enrolled();
    let hq = ScriptedHq::of(&world);
    sync(&world, &hq).unwrap();
    for number in 0..100 {
        world.act(lead(&number.to_string()));
    }
    hq.state().asked.clear();
    assert_eq!(sync(&world, &hq).unwrap().records, 100);
    assert_eq!(hq.state().asked, ["POST /sync/v1/push"]);
}

#[test]
fn small_files_go_before_originals_and_records_before_both() {
    let world = with_photo(700_000);
    let hq = ScriptedHq::of(&world);
    sync(&world, &hq).unwrap();
    let small = Hash::of(b"small").hex();
    let asked = hq.state().asked.clone();
    assert!(asked[0].ends_with("/push") && asked[1].ends_with("/need"), "{asked:?}");
    assert!(asked[2..4].iter().any(|line| line.ends_with(&small)), "{asked:?}");
    assert_eq!(asked.len(), 2 + 1 + 3, "700,000 bytes are three chunks: {asked:?}");
}

/// An act is committed while the line carries the first piece of a large file.
#[test]
fn a_record_committed_while_a_file_is_under_way_goes_out_before_the_next_piece() {
    for lanes in [1, 2] {
        let world = with_photo(2_000_000);
        let hq = ScriptedHq::of(&world);
        let (tell, told) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let may_go = Mutex::new(may_go);
        let small = Hash::of(b"small").hex();
        let mut first = true;
        hq.fault(move |request, _| {
            let large = request.method == "PATCH" && !request.path.ends_with(&small);
            if large && std::mem::take(&mut first) {
                tell.send(()).unwrap();
                may_go.lock().unwrap().recv().unwrap();
            }
            None
        });
        std::thread::scope(|scope| {
            let round = scope.spawn(|| {
                let client = HqClient::new(&hq.base()).unwrap();
                let options = Options { network: &NetworkKind::Dock, lanes, stop: &|| false };
                round_with(world.store(), &client, &options, &mut |_| {})
            });
            told.recv().unwrap();
            world.act(lead("signed meanwhile"));
            go.send(()).unwrap();
            assert_eq!(round.join().unwrap().unwrap().records, 4);
        });
        let asked = hq.state().asked.clone();
        let large: Vec<usize> = (0..asked.len())
            .filter(|at| {
                asked[*at].starts_with("PATCH") && !asked[*at].ends_with(&Hash::of(b"small").hex())
            })
            .collect();
        let push = asked.iter().rposition(|line| line.ends_with("/push")).unwrap();
        assert!(large[0] < push && push < large[1], "{lanes} lanes: {asked:?}");
    }
}

/// No lock of the store is held while a request is under way.
#[test]
fn acts_commit_in_bounded_time_during_a_slow_round() {
    let world = with_photo(600_000);
    let hq = ScriptedHq::of(&world);
    hq.fault(|_, _| {
        std::thread::sleep(Duration::from_millis(150));
        None
    });
    let over = AtomicBool::new(false);
    let (mut acts, mut slowest) = (0_u32, Duration::ZERO);
    std::thread::scope(|scope| {
        let round = scope.spawn(|| {
            let done = sync(&world, &hq);
            over.store(true, Ordering::SeqCst);
            done
        });
        while !over.load(Ordering::SeqCst) && acts < 30 {
            let begun = Instant::now();
            world.act(lead(&acts.to_string()));
            world.store().read(|r| r.outbox_counts()).unwrap();
            slowest = slowest.max(begun.elapsed());
            acts += 1;
            std::thread::sleep(Duration::from_millis(20));
        }
        round.join().unwrap().unwrap();
    });
    println!("{acts} acts during a slow round, slowest {slowest:?}");
    assert!(acts >= 10, "the round was over too soon: {acts}");
    // A request takes 150 ms and the round has six or more; no act waits for even one of them. Wide,
    // for machines that are busy with something else.
    assert!(slowest < Duration::from_millis(900), "{slowest:?}");
    sync(&world, &hq).unwrap();
    assert_eq!(world.store().read(|r| r.outbox_counts()).unwrap().pending, 0);
}

#[test]
fn a_round_that_is_stopped_ends_after_what_is_under_way_and_the_next_goes_on() {
    let world = with_photo(2_000_000);
    let hq = ScriptedHq::of(&world);
    let client = HqClient::new(&hq.base()).unwrap();
    let patched = || hq.state().asked.iter().filter(|line| line.starts_with("PATCH")).count();
    let stop = || patched() >= 3;
    let options = Options { network: &NetworkKind::Dock, lanes: 2, stop: &stop };
    let done = round_with(world.store(), &client, &options, &mut |_| {}).unwrap();
    assert!(done.stopped && done.blobs_waiting == 1, "{done:?}");
    assert!(patched() <= 4);
    assert!(world.store().read(|r| r.last_round_at()).unwrap().is_none(), "it was not to the end");
    let done = sync(&world, &hq).unwrap();
    assert_eq!((done.blobs, done.stopped), (1, false));
    assert!(done.blob_bytes < 2_000_000 - 400_000, "what HQ held was not sent again");
}

/// HQ restored from an older backup asks for files it once had.
#[test]
fn a_file_that_hq_lost_is_sent_again_when_it_asks() {
    let world = with_photo(1_000);
    let hq = ScriptedHq::of(&world);
    sync(&world, &hq).unwrap();
    let lost = Hash::of(b"small");
    {
        let mut state = hq.state();
        state.blobs.remove(&lost);
        state.complete.retain(|one| *one != lost);
        state.wanted = vec![lost];
    }
    assert_eq!(sync(&world, &hq).unwrap().blobs, 1);
    assert_eq!(hq.state().blobs[&lost], b"small");
}
