//! Receipts count only with a proof that leads to HQ's signed root over the very records sent
//! (I-3), in the order of the chain (I-5).

use sync_model::canonical;
use sync_model::cose::SoftwareKey;
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof;
use sync_model::log::{self};
use sync_model::wire::custody::KeptApart;
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::push::{Receipt, ReceiptRun};

use super::hq::{Reply, Request, ScriptedHq, State, body, refuse};
use super::sync;
use crate::error::{Outcome, SyncError};
use crate::store::Level;
use crate::store::tests::world::{HOUR_MS, HqKeys, TEN, World, device_id, lead};

fn is_push(request: &Request) -> bool {
    request.path.ends_with("/push")
}

fn receipt_of(state: &mut State, request: &Request) -> Receipt {
    let asked = state.check_request(request);
    let Reply::Body(bytes) = state.push(&request.body, asked) else { panic!("HQ refused") };
    canonical::from_bytes(&bytes, 1 << 20).unwrap()
}

/// Lets `bend` change the receipt of two records; nothing may count, and a right one heals it.
fn bent_receipt_is_refused(bend: impl Fn(&mut Receipt, &State) + Send + 'static) -> String {
    let world = World::enrolled();
    world.act(lead("1"));
    world.act(lead("2"));
    let hq = ScriptedHq::of(&world);
    hq.state().grow("somebody else's record");
    hq.fault(move |request, state| {
        let mut receipt = receipt_of(state, request);
        bend(&mut receipt, state);
        Some(body(&receipt))
    });
    let error = sync(&world, &hq).unwrap_err();
    assert!(matches!(error, SyncError::BadProof(_)), "{error}");
    assert_eq!(error.outcome(), Outcome::Damaged);
    let counts = world.store().read(|r| r.outbox_counts()).unwrap();
    assert_eq!((counts.pending, counts.received, counts.parked), (2, 0, 0));
    assert_eq!(world.store().read(|r| r.level(1)).unwrap(), Level::Local);
    assert!(world.store().read(|r| r.receipt(1)).unwrap().is_none());
    hq.heal();
    assert_eq!(sync(&world, &hq).unwrap().records, 2);
    error.to_string()
}

#[test]
fn a_round_with_a_right_hq_leaves_nothing_pending_and_proofs_that_hold() {
    let mut world = World::enrolled();
    let mut records = world.visit(1);
    let hq = ScriptedHq::of(&world);
    hq.state().grow("somebody else's record");
    let progress = sync(&world, &hq).unwrap();
    assert_eq!((progress.records, progress.blobs, progress.records_waiting), (6, 1, 0));
    records.extend(world.visit(2));
    assert_eq!(sync(&world, &hq).unwrap().records, 6);
    world.reopen();
    for record in records {
        let seq = record.envelope.seq;
        let row = world.store().read(|r| r.receipt(seq)).unwrap().unwrap();
        let checkpoint = Checkpoint::open(
            &row.checkpoint,
            &world.hq.trust().log_origin,
            &world.hq.trust().log_key,
        )
        .unwrap();
        let leaf = log::leaf(&record.hash, device_id(), seq);
        let root =
            proof::root_from_inclusion(leaf, row.log_index, checkpoint.size, &row.proof).unwrap();
        assert_eq!(root, checkpoint.root);
        assert_eq!(world.store().read(|r| r.level(seq)).unwrap(), Level::Complete);
        assert_eq!(hq.state().held[&seq].0.bytes, record.bytes);
    }
    // A record made now says which state of HQ's log it comes after.
    let next = world.act(lead("after"));
    assert_eq!(next.envelope.hq_seen.unwrap().size, 13);
}

#[test]
fn a_day_of_many_records_goes_up_in_several_pushes() {
    let world = World::enrolled();
    for number in 0..620 {
        world.act(lead(&number.to_string()));
    }
    let hq = ScriptedHq::of(&world);
    let mut seen = vec![];
    let client = super::HqClient::new(&hq.base()).unwrap();
    let done = super::round(world.store(), &client, &mut |p| seen.push(p.records)).unwrap();
    assert_eq!((done.records, hq.state().held.len()), (620, 620));
    assert!(seen.contains(&500), "progress is shown between pushes");
    assert!(seen.is_sorted());
}

#[test]
fn a_round_with_nothing_to_send_still_learns_the_time_and_the_log() {
    let world = World::enrolled();
    let hq = ScriptedHq::of(&world);
    hq.state().grow("somebody else's record");
    hq.state().now = TEN;
    sync(&world, &hq).unwrap();
    assert_eq!(world.store().read(|r| r.last_round_at()).unwrap(), Some(TEN));
    let record = world.act(lead("x"));
    assert_eq!(record.envelope.hq_seen.unwrap().size, 1);
    assert_eq!(record.envelope.recorded.quality, sync_model::time::TimeQuality::ServerSynced);
    hq.state().now = TEN.plus_ms(HOUR_MS);
    world.clock.advance_ms(25 * 3_600_000);
    sync(&world, &hq).unwrap();
    assert_eq!(
        world.act(lead("y")).envelope.recorded.quality,
        sync_model::time::TimeQuality::RtcOnly,
        "HQ's clock disagreed"
    );
}

#[test]
fn a_proof_for_other_records_does_not_count() {
    let why = bent_receipt_is_refused(|receipt, _| {
        // The two records' places are swapped.
        let [first, second] = receipt.runs.as_mut_slice() else { panic!("two runs") };
        std::mem::swap(&mut first.first_seq, &mut second.first_seq);
    });
    assert!(why.contains("another root"), "{why}");
    bent_receipt_is_refused(|receipt, _| receipt.runs[0].log_index = 0);
    bent_receipt_is_refused(|receipt, _| receipt.runs[0].proof[0].0[0] ^= 1);
    bent_receipt_is_refused(|receipt, _| receipt.runs[1].proof.push(Hash::ZERO));
    bent_receipt_is_refused(|receipt, _| receipt.runs[1].proof.clear());
    bent_receipt_is_refused(|receipt, _| receipt.runs[1].log_index = u64::MAX);
}

#[test]
fn a_checkpoint_by_another_key_or_log_does_not_count() {
    let why = bent_receipt_is_refused(|receipt, state| {
        receipt.checkpoint = state.checkpoint().sign(&SoftwareKey::from_secret(&[77; 32]));
    });
    assert!(why.contains("checkpoint"));
    bent_receipt_is_refused(|receipt, state| {
        let other = Checkpoint { origin: "other/log".to_owned(), ..state.checkpoint() };
        receipt.checkpoint = other.sign(&state.keys.log);
    });
    bent_receipt_is_refused(|receipt, state| {
        let other = Checkpoint { root: Hash::of(b"another tree"), ..state.checkpoint() };
        receipt.checkpoint = other.sign(&state.keys.log);
    });
    bent_receipt_is_refused(|receipt, _| receipt.checkpoint.clear());
}

#[test]
fn a_receipt_for_records_that_were_not_sent_does_not_count() {
    let why = bent_receipt_is_refused(|receipt, _| receipt.runs[1].first_seq = 3);
    assert!(why.contains("not sent"), "{why}");
    bent_receipt_is_refused(|receipt, _| receipt.runs[1].count = 2);
    bent_receipt_is_refused(|receipt, _| receipt.runs[1].count = u64::MAX);
    bent_receipt_is_refused(|receipt, _| receipt.runs[0].count = 0);
    // A receipt that covers nothing is no receipt, however well signed.
    let why = bent_receipt_is_refused(|receipt, _| receipt.runs.clear());
    assert!(why.contains("none of the records"), "{why}");
}

/// A log that went back was once taken as it was.
#[test]
fn a_log_that_shrank_or_forked_does_not_count() {
    let world = World::enrolled();
    let hq = ScriptedHq::of(&world);
    for number in 0..5 {
        hq.state().grow(&number.to_string());
    }
    sync(&world, &hq).unwrap();
    world.act(lead("1"));
    // Another HQ with the same keys: shorter at first, then as long and different.
    let other = ScriptedHq::of(&world);
    let error = sync(&world, &other).unwrap_err();
    assert!(matches!(error, SyncError::BadProof(why) if why.contains("contradicts")));
    for number in 1..5 {
        other.state().grow(&format!("different {number}"));
    }
    let error = sync(&world, &other).unwrap_err();
    assert!(matches!(error, SyncError::BadProof(why) if why.contains("contradicts")));
    assert_eq!(world.store().read(|r| r.level(1)).unwrap(), Level::Local);
    assert_eq!(sync(&world, &hq).unwrap().records, 1);
}

#[test]
fn a_partial_receipt_keeps_what_it_proves_and_the_rest_follows() {
    let world = World::enrolled();
    for number in 1..=4 {
        world.act(lead(&number.to_string()));
    }
    let hq = ScriptedHq::of(&world);
    let mut first = true;
    hq.fault(move |request, state| {
        (is_push(request) && std::mem::take(&mut first)).then(|| {
            let mut receipt = receipt_of(state, request);
            receipt.runs.truncate(2);
            body(&receipt)
        })
    });
    assert_eq!(sync(&world, &hq).unwrap().records, 4);
}

/// The same receipt again and again for the last record only once kept a round from ending.
#[test]
fn a_receipt_that_brings_nothing_new_ends_the_round() {
    let world = World::enrolled();
    world.act(lead("1"));
    world.act(lead("2"));
    let hq = ScriptedHq::of(&world);
    hq.fault(|request, state| {
        let mut receipt = receipt_of(state, request);
        receipt.runs.remove(0);
        Some(body(&receipt))
    });
    let error = sync(&world, &hq).unwrap_err();
    assert!(matches!(error, SyncError::BadProof(_)), "{error}");
    assert_eq!(hq.state().asked.len(), 2);
    assert_eq!(world.store().read(|r| r.first_pending()).unwrap(), Some(1));
}

/// Refuses record `bad` as the real HQ does: what stands before it in the push is kept, unsaid.
fn refuse_record(hq: &ScriptedHq, bad: u64, code: ProblemCode) {
    hq.fault(move |request, state| {
        if !is_push(request) {
            return None;
        }
        let sent = super::hq::push_request(&request.body);
        let seq = |bytes: &[u8]| sync_model::record::Record::read(bytes).unwrap().envelope.seq;
        sent.records.iter().any(|bytes| seq(bytes) == bad).then(|| {
            let good = sent.records.iter().filter(|bytes| seq(bytes) < bad).cloned().collect();
            let good = sync_model::wire::push::PushRequest { records: good, seen_size: None };
            let asked = state.check_request(request);
            state.push(&canonical::to_bytes(&good).unwrap(), asked);
            let mut problem = Problem::new(code, "chain");
            problem.seq = Some(bad);
            refuse(&problem)
        })
    });
}

#[test]
fn a_record_hq_refuses_is_parked_with_its_reason_and_what_stands_before_it_goes() {
    for code in [ProblemCode::BadRecord] {
        let world = World::enrolled();
        for number in 1..=5 {
            world.act(lead(&number.to_string()));
        }
        let hq = ScriptedHq::of(&world);
        hq.state().feed = vec![(1, command(&world))];
        refuse_record(&hq, 3, code);
        let error = sync(&world, &hq).unwrap_err();
        assert!(matches!(&error, SyncError::Problem(problem) if problem.code == code));
        assert_eq!(error.outcome(), Outcome::Refused);
        // The feed comes down all the same.
        assert_eq!(world.store().read(|r| r.feed_cursor()).unwrap(), 1);
        let parked = world.store().read(|r| r.parked()).unwrap();
        assert_eq!(parked.len(), 1);
        assert_eq!((parked[0].seq, parked[0].kind.as_str()), (3, "lead_recorded"));
        assert!(parked[0].reason.contains("chain"));
        if code == ProblemCode::Fork {
            // The chain ends here: no record is sent any more, and the next round says why.
            let error = sync(&world, &hq).unwrap_err();
            assert!(matches!(error, SyncError::Stopped(_)), "{error}");
            continue;
        }
        // 1 and 2 are receipted; 4 and 5 wait for 3, which is not sent again unasked.
        let error = sync(&world, &hq).unwrap_err();
        assert!(matches!(&error, SyncError::Problem(problem) if problem.code == ProblemCode::Gap));
        let counts = world.store().read(|r| r.outbox_counts()).unwrap();
        assert_eq!((counts.received, counts.parked, counts.pending), (2, 1, 2));
        hq.heal();
        world.store().resume_parked().unwrap();
        assert_eq!(sync(&world, &hq).unwrap().records, 3);
        assert!(world.store().read(|r| r.parked()).unwrap().is_empty());
    }
}

fn command(world: &World) -> Vec<u8> {
    use sync_model::wire::feed::{CommandMessage, FeedBody};
    let message = CommandMessage { title: "t".to_owned(), text: "x".to_owned() };
    world.hq.item(1, None, FeedBody::Command(message))
}

/// A gap once stopped a device for good, although it held what HQ asked for.
#[test]
fn records_that_hq_lost_are_sent_again_when_it_asks() {
    let world = World::enrolled();
    for number in 1..=3 {
        world.act(lead(&number.to_string()));
    }
    let hq = ScriptedHq::of(&world);
    sync(&world, &hq).unwrap();
    hq.state().forget_from(2);
    world.act(lead("4"));
    assert_eq!(sync(&world, &hq).unwrap().records, 1);
    assert_eq!(hq.state().held.len(), 4);
    // An HQ that asks for ever is asked no more.
    world.act(lead("5"));
    hq.fault(|request, _| {
        is_push(request).then(|| {
            let mut problem = Problem::new(ProblemCode::Gap, "missing");
            problem.expected_seq = Some(1);
            refuse(&problem)
        })
    });
    let error = sync(&world, &hq).unwrap_err();
    assert_eq!(error.outcome(), Outcome::Refused);
    assert_eq!(world.store().read(|r| r.first_pending()).unwrap(), Some(5));
}

#[test]
fn the_log_keeps_the_order_of_the_chain_whatever_the_clock_says() {
    let world = World::enrolled();
    let hq = ScriptedHq::of(&world);
    for step in [0, -HOUR_MS, 30 * HOUR_MS, -400 * 24 * HOUR_MS, 5] {
        world.clock.jump_ms(step);
        world.act(lead(&step.to_string()));
        if step > 5 {
            sync(&world, &hq).unwrap();
            hq.state().grow("somebody else's record");
        }
    }
    sync(&world, &hq).unwrap();
    let state = hq.state();
    let places: Vec<(u64, u64)> = state.held.iter().map(|(seq, (_, at))| (*seq, *at)).collect();
    assert!(places.len() >= 5);
    assert!(places.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0 && pair[0].1 < pair[1].1));
    let walls: Vec<_> =
        state.held.values().map(|(record, _)| record.envelope.recorded.wall_at).collect();
    assert!(!walls.is_sorted(), "the clock never fell back");
}

#[test]
fn a_run_of_several_records_is_proved_as_one() {
    let world = World::enrolled();
    for number in 1..=7 {
        world.act(lead(&number.to_string()));
    }
    let hq = ScriptedHq::of(&world);
    hq.state().grow("somebody else's record");
    hq.fault(|request, state| {
        is_push(request).then(|| {
            let mut receipt = receipt_of(state, request);
            let proof = state.range(1, 7);
            receipt.runs = vec![ReceiptRun { first_seq: 1, count: 7, log_index: 1, proof }];
            body(&receipt)
        })
    });
    assert_eq!(sync(&world, &hq).unwrap().records, 7);
    let row = world.store().read(|r| r.receipt(4)).unwrap().unwrap();
    assert_eq!(row.log_index, 4);
}

/// Answers every push as an HQ that has revoked the device and keeps what it sends apart.
fn revoke(hq: &ScriptedHq, world: &World, signer: u8) {
    let log = HqKeys::new(signer).log;
    let device = world.store().read(|r| r.enrollment()).unwrap().unwrap().certificate.device;
    hq.fault(move |request, _| {
        if !is_push(request) {
            return None;
        }
        let sent: sync_model::wire::push::PushRequest = super::hq::push_request(&request.body);
        let records = sent.records.iter().map(|bytes| Hash::of(bytes)).collect();
        let mut problem = Problem::new(ProblemCode::Revoked, "device was revoked");
        if !sent.records.is_empty() {
            let kept = KeptApart { device, records, revoked_size: 0, kept_at: TEN };
            problem.kept = Some(kept.sign(&log).unwrap().into());
        }
        Some(refuse(&problem))
    });
}

#[test]
fn what_hq_keeps_of_a_revoked_device_is_parked_and_says_where_it_is() {
    let world = World::enrolled();
    world.act(lead("1"));
    world.act(lead("2"));
    let hq = ScriptedHq::of(&world);
    revoke(&hq, &world, 10);
    let error = sync(&world, &hq).unwrap_err();
    assert!(
        matches!(&error, SyncError::Problem(problem) if problem.code == ProblemCode::Revoked),
        "{error}"
    );
    let counts = world.store().read(|r| r.outbox_counts()).unwrap();
    assert_eq!((counts.received, counts.parked, counts.pending), (0, 2, 0));
    let parked = world.store().read(|r| r.parked()).unwrap();
    assert!(parked.iter().all(|row| row.reason.contains("总部另行保全")), "{parked:?}");
}

#[test]
fn a_word_that_is_not_hqs_parks_nothing() {
    let world = World::enrolled();
    world.act(lead("1"));
    let hq = ScriptedHq::of(&world);
    revoke(&hq, &world, 77);
    sync(&world, &hq).unwrap_err();
    let counts = world.store().read(|r| r.outbox_counts()).unwrap();
    assert_eq!((counts.parked, counts.pending), (0, 1));
}
