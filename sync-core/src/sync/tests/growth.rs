//! A log that lies: rolled back, forked, or unable to prove that it grew. Nothing of it is kept.

use sync_model::canonical;
use sync_model::hash::Hash;
use sync_model::wire::PUSH_BYTES_MAX;
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::push::{PushRequest, Receipt};

use super::hq::{Reply, Request, ScriptedHq, State, body, refuse};
use super::sync;
use crate::error::{Outcome, SyncError};
use crate::store::Level;
use crate::store::tests::world::{World, lead};

fn is_push(request: &Request) -> bool {
    request.path.ends_with("/push")
}

fn is_consistency(request: &Request) -> bool {
    request.path.contains("/log/consistency?")
}

/// A device that saw five leaves of `hq` and has a record to send.
fn seen_five() -> (World, ScriptedHq) {
    let world = World::enrolled();
    let hq = ScriptedHq::of(&world);
    for number in 0..5 {
        hq.state().grow(&number.to_string());
    }
    sync(&world, &hq).unwrap();
    world.act(lead("1"));
    (world, hq)
}

fn is_refused(world: &World, hq: &ScriptedHq, why: &str) {
    let error = sync(world, hq).unwrap_err();
    assert!(matches!(error, SyncError::BadProof(found) if found.contains(why)), "{error}");
    assert_eq!(error.outcome(), Outcome::Damaged);
    assert_eq!(world.store().read(|r| r.level(1)).unwrap(), Level::Local);
    assert_eq!(world.store().read(|r| r.log_head()).unwrap().unwrap().size, 5);
}

fn bent(
    bend: impl Fn(&mut Receipt) + Send + 'static,
) -> impl FnMut(&Request, &mut State) -> Option<Reply> + Send + 'static {
    move |request, state| {
        is_push(request).then(|| {
            let asked = state.check_request(request);
            let Reply::Body(bytes) = state.push(&request.body, asked) else {
                panic!("not a receipt")
            };
            let mut receipt: Receipt = canonical::from_bytes(&bytes, PUSH_BYTES_MAX).unwrap();
            bend(&mut receipt);
            body(&receipt)
        })
    }
}

#[test]
fn the_device_says_what_it_saw_and_one_request_proves_the_growth() {
    let (world, hq) = seen_five();
    hq.state().grow("somebody else's record");
    hq.fault(|request, _| {
        if is_push(request) {
            let sent: PushRequest = super::hq::push_request(&request.body);
            assert_eq!(sent.seen_size, Some(5));
        }
        assert!(!is_consistency(request), "the receipt proves it already");
        None
    });
    assert_eq!(sync(&world, &hq).unwrap().records, 1);
}

#[test]
fn an_older_hq_that_sends_no_proof_is_asked_for_it() {
    let (world, hq) = seen_five();
    hq.state().grow("somebody else's record");
    hq.fault(bent(|receipt| receipt.consistency = None));
    assert_eq!(sync(&world, &hq).unwrap().records, 1);
    assert!(hq.state().asked.iter().any(|asked| asked.contains("/log/consistency?from=5&to=7")));
}

#[test]
fn a_log_that_was_rolled_back_and_grew_past_the_head_seen_does_not_count() {
    let (world, _) = seen_five();
    // The same keys, another history of more leaves: each of its own proofs is right.
    let other = ScriptedHq::of(&world);
    for number in 0..9 {
        other.state().grow(&format!("different {number}"));
    }
    is_refused(&world, &other, "did not grow");
}

#[test]
fn a_fork_after_a_common_part_does_not_count() {
    let (world, hq) = seen_five();
    let fork = ScriptedHq::of(&world);
    for number in 0..4 {
        fork.state().grow(&number.to_string());
    }
    for number in 0..4 {
        fork.state().grow(&format!("different {number}"));
    }
    is_refused(&world, &fork, "did not grow");
    assert_eq!(sync(&world, &hq).unwrap().records, 1);
}

#[test]
fn a_wrong_proof_does_not_count_and_no_proof_neither() {
    let (world, hq) = seen_five();
    hq.state().grow("somebody else's record");
    let wrong = |request: &Request, state: &mut State| {
        is_consistency(request).then(|| {
            let mut proof = state.consistency(5, 7);
            proof[0] = Hash::of(b"bent");
            body(&proof)
        })
    };
    let mut push = bent(|receipt| {
        receipt.consistency.as_mut().unwrap().pop();
    });
    hq.fault(move |request, state| push(request, state).or_else(|| wrong(request, state)));
    is_refused(&world, &hq, "did not grow");
    let mut push = bent(|receipt| receipt.consistency = None);
    hq.fault(move |request, state| {
        let problem = Problem::new(ProblemCode::NotFound, "no such thing");
        push(request, state).or_else(|| is_consistency(request).then(|| refuse(&problem)))
    });
    is_refused(&world, &hq, "does not prove");
    hq.heal();
    assert_eq!(sync(&world, &hq).unwrap().records, 1);
}
