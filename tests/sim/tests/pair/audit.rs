//! The audit's goals: any difference is found, in few bytes and little time.

use std::time::Instant;

use hq::answer_audit;
use sync_core::SyncError;
use sync_core::audit::{Comparison, compare};
use sync_model::canonical;
use sync_model::hash::Hash;
use sync_model::wire::audit::{AUDIT_BYTES_MAX, AuditReply, AuditRequest, ChainHead, SeqRun};

type Chain = Vec<(u64, Hash)>;

fn chain(records: u64) -> Chain {
    (1..=records).map(|seq| (seq, Hash::of(&seq.to_be_bytes()))).collect()
}

/// Compares as over the wire; returns what was found, the bytes of all bodies, and the time.
fn measure(device: &Chain, hq: &Chain) -> (Comparison, usize, f64) {
    let head = hq.last().map(|(seq, hash)| ChainHead { seq: *seq, hash: *hash });
    let last = device.last().map_or(0, |(seq, _)| *seq);
    let held: Chain = hq.iter().filter(|(seq, _)| *seq <= last).copied().collect();
    let (mut bytes, begun) = (0, Instant::now());
    let found = compare(device, last, |request: &AuditRequest| {
        let sent = canonical::to_bytes(request).unwrap();
        let request: AuditRequest = canonical::from_bytes(&sent, AUDIT_BYTES_MAX).unwrap();
        let reply = answer_audit(&held, head, &request).map_err(SyncError::Problem)?;
        let answered = canonical::to_bytes(&reply).unwrap();
        assert!(sent.len().max(answered.len()) <= AUDIT_BYTES_MAX);
        bytes += sent.len() + answered.len();
        Ok(canonical::from_bytes::<AuditReply>(&answered, AUDIT_BYTES_MAX).unwrap())
    });
    (found.unwrap(), bytes, begun.elapsed().as_secs_f64())
}

#[test]
fn equal_chains_are_told_equal_in_four_hundred_bytes() {
    let all = chain(100_000);
    let (found, bytes, seconds) = measure(&all, &all);
    println!("audit equal: {bytes} B, {} requests, {seconds:.3} s", found.requests);
    assert!(found.is_equal() && found.requests == 1);
    assert!(bytes <= 400, "{bytes}");
}

#[test]
fn a_hundred_missing_of_a_hundred_thousand_are_named_in_two_kilobytes() {
    let all = chain(100_000);
    let hole = |seq: u64| (50_000..50_100).contains(&seq);
    let scattered = |seq: u64| seq % 1_000 == 500;
    for (what, missing) in [("in a row", &hole as &dyn Fn(u64) -> bool), ("scattered", &scattered)]
    {
        let held: Chain = all.iter().filter(|(seq, _)| !missing(*seq)).copied().collect();
        assert_eq!(held.len(), 99_900);
        let (found, bytes, seconds) = measure(&all, &held);
        println!("audit 100 {what}: {bytes} B, {} requests, {seconds:.3} s", found.requests);
        let expected = SeqRun::join((1..=100_000).filter(|seq| missing(*seq)));
        assert_eq!(found.absent, expected);
        assert!(found.differing.is_empty() && found.unknown.is_empty());
        assert!(bytes <= 2_000, "{what}: {bytes}");
    }
}

#[test]
fn any_single_record_missing_or_changed_is_found() {
    let all = chain(3_000);
    for seq in (1..=3_000).step_by(97).chain([1, 2, 2_999, 3_000]) {
        let lacks: Chain = all.iter().filter(|(one, _)| *one != seq).copied().collect();
        let (found, ..) = measure(&all, &lacks);
        assert_eq!(found.absent, [SeqRun { first: seq, count: 1 }]);
        let mut changed = all.clone();
        changed[usize::try_from(seq - 1).unwrap()].1 = Hash::of(b"another");
        let (found, ..) = measure(&all, &changed);
        assert_eq!((found.differing, found.unknown), (vec![seq], vec![Hash::of(b"another")]));
    }
}

#[test]
fn a_chain_that_is_wholly_another_is_named_whole_within_the_frames() {
    let all = chain(5_000);
    let other: Chain =
        (1..=5_000).map(|seq| (seq, Hash::of(&(seq + 1_000_000_u64).to_be_bytes()))).collect();
    let (found, bytes, _) = measure(&all, &other);
    println!("audit all 5,000 differ: {bytes} B, {} requests", found.requests);
    assert_eq!((found.differing.len(), found.unknown.len()), (5_000, 5_000));
}

#[test]
fn an_hq_that_names_nonsense_is_not_believed_and_does_not_hold_the_device() {
    let all = chain(100);
    let lie = |absent: Vec<SeqRun>, frame: Option<Vec<u8>>| {
        compare(&all, 100, |_| {
            let frame = frame.clone().map(Into::into);
            Ok(AuditReply { head: None, absent: absent.clone(), frame })
        })
    };
    let run = |first, count| SeqRun { first, count };
    for absent in [vec![run(0, 1)], vec![run(90, 20)], vec![run(5, 0)], vec![run(5, 1)]] {
        assert!(matches!(lie(absent, None), Err(SyncError::Garbage(_))));
    }
    for frame in [vec![], vec![9], vec![0x61, 0, 0, 1], vec![0xff; 60_000]] {
        assert!(matches!(lie(vec![], Some(frame)), Err(SyncError::Garbage(_))));
    }
}
