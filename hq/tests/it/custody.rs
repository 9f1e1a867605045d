//! The log plane: what is taken, what is not, and what stays provable.

use sync_model::cose::Signer;
use sync_model::hash::Hash;
use sync_model::record::Record;
use sync_model::wire::PUSH_BYTES_MAX;
use sync_model::wire::custody::KeptApart;
use sync_model::wire::policy::{Allowance, Policy};
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::Receipt;

use crate::support::World;
use crate::support::device::{Device, key};
use crate::support::http::send;

#[test]
fn receipt_proves_every_record_and_replay_gives_the_same_places() {
    let world = World::start();
    let (mut one, mut two) = (Device::enroll(&world), Device::enroll(&world));
    let first = [one.any(), one.any(), one.any()];
    let receipt: Receipt = one.push(&first).ok();
    assert_eq!(one.verify(&receipt, &first), [0, 1, 2]);
    let theirs = [two.any()];
    let receipt: Receipt = two.push(&theirs).ok();
    assert_eq!(two.verify(&receipt, &theirs), [3]);
    // The reply was lost and more was made meanwhile: all of it is sent again.
    one.any();
    one.any();
    let all = one.records.clone();
    let receipt: Receipt = one.push(&all).ok();
    assert_eq!(one.verify(&receipt, &all), [0, 1, 2, 4, 5]);
    assert_eq!(receipt.runs.len(), 2);
    let mut again: Receipt = one.push(&all).ok();
    // The word names the request, and says the same.
    let (first, second) = (receipt.word.clone().unwrap(), again.word.take().unwrap());
    assert_ne!(first, second);
    again.word = Some(first);
    assert_eq!(again, receipt);
    assert_eq!(world.hq().counts().unwrap().records, 6);
}

#[test]
fn an_empty_push_tells_where_the_log_stands() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let receipt: Receipt = device.push(&[]).ok();
    assert_eq!((receipt.runs.len(), device.verify(&receipt, &[])), (0, vec![]));
    device.any();
    device.push(&device.records).ok::<Receipt>();
    let receipt: Receipt = device.push(&[]).ok();
    assert!(receipt.checkpoint.contains("\n1\n"));
}

#[test]
fn a_gap_is_answered_with_where_to_go_on() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let records = [device.any(), device.any(), device.any(), device.any()];
    device.push(&records[..1]).ok::<Receipt>();
    let problem = device.push(&records[2..]).problem();
    assert_eq!((problem.code, problem.expected_seq), (ProblemCode::Gap, Some(2)));
    // A hole inside a push stands like a hole before it; what came before the hole is kept.
    let holed = [records[1].clone(), records[3].clone()];
    let problem = device.push(&holed).problem();
    assert_eq!((problem.code, problem.expected_seq), (ProblemCode::Gap, Some(3)));
    assert_eq!(world.hq().counts().unwrap().records, 2);
    let receipt: Receipt = device.push(&records).ok();
    assert_eq!(device.verify(&receipt, &records), [0, 1, 2, 3]);
}

#[test]
fn a_restored_device_is_noticed_and_both_versions_are_kept() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    device.any();
    let fork_at = device.head;
    device.any();
    device.push(&device.records).ok::<Receipt>();
    // Restored from a backup, it makes other records at the same places.
    device.head = fork_at;
    let branch = [device.any(), device.any()];
    let problem = device.push(&branch).problem();
    assert_eq!((problem.code, problem.seq), (ProblemCode::Fork, Some(2)));
    device.push(&branch).problem();
    let counts = world.hq().counts().unwrap();
    assert_eq!((counts.records, counts.forks), (2, 2));
    let kept = world.peek("SELECT bytes FROM fork WHERE seq = 2");
    assert_eq!(kept, branch[0].bytes);
}

#[test]
fn what_cannot_be_attributed_is_kept_apart_and_what_came_before_it_is_taken() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let good = device.any();
    let foreign = Record::seal(device.any().envelope, &key()).unwrap();
    let problem = device.push(&[good.clone(), foreign.clone()]).problem();
    assert_eq!((problem.code, problem.seq), (ProblemCode::BadRecord, Some(2)));
    let counts = world.hq().counts().unwrap();
    assert_eq!((counts.records, counts.quarantined), (1, 1));
    let mut flipped = device.records[1].bytes.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    let problem = device.push_bytes(vec![good.bytes.clone(), flipped]).problem();
    assert_eq!((problem.code, problem.seq), (ProblemCode::BadRecord, Some(2)));
    let problem = device.push_bytes(vec![b"garbage".to_vec()]).problem();
    assert_eq!(problem.code, ProblemCode::BadRecord);
    // A record of another chain, signed by this device.
    let mut strange = device.records[1].envelope.clone();
    strange.previous = Hash::of(b"elsewhere");
    let strange = Record::seal(strange, &device.key).unwrap();
    let problem = device.push(&[strange]).problem();
    assert_eq!((problem.code, problem.seq), (ProblemCode::BadRecord, Some(2)));
    assert_eq!(world.hq().counts().unwrap().quarantined, 4);
    // The chain goes on with the right record.
    let receipt: Receipt = device.push(&device.records).ok();
    assert_eq!(device.verify(&receipt, &device.records), [0, 1]);
}

#[test]
fn a_device_cannot_speak_for_another() {
    let world = World::start();
    let (mut one, two) = (Device::enroll(&world), Device::enroll(&world));
    one.any();
    let problem = two.push(&one.records).problem();
    assert_eq!(problem.code, ProblemCode::BadRecord);
    let impostor = Device { id: one.id, key: key(), ..Device::enroll(&world) };
    assert_ne!(impostor.key.public(), one.key.public());
    assert_eq!(impostor.push(&one.records).problem().code, ProblemCode::NotAuthentic);
    assert_eq!(world.hq().counts().unwrap().records, 0);
}

#[test]
fn a_revoked_device_is_told_so_and_its_evidence_is_kept() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    device.any();
    device.push(&device.records).ok::<Receipt>();
    world.hq().revoke(device.id).unwrap();
    let late = device.any();
    let problem = device.push(std::slice::from_ref(&late)).problem();
    assert_eq!(problem.code, ProblemCode::Revoked);
    // HQ's word for it names the record, and where in the log the device's authority ended.
    let kept = KeptApart::open(&problem.kept.unwrap(), &device.trust.log_key).unwrap();
    assert_eq!((kept.device, kept.records, kept.revoked_size), (device.id, vec![late.hash], 1));
    // What was held before is proven as ever, also together with what came too late.
    let receipt: Receipt = device.push(&device.records).ok();
    assert_eq!(receipt.runs.iter().map(|run| run.count).sum::<u64>(), 1);
    assert!(world.hq().verify_log().is_ok());
    let feed = device.call("GET", "/feed?after=0", &[], &[]);
    assert_eq!(feed.problem().code, ProblemCode::Revoked);
    let counts = world.hq().counts().unwrap();
    assert_eq!((counts.records, counts.quarantined), (1, 1));
}

#[test]
fn garbage_and_oversize_bodies_are_refused_and_harm_nothing() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    device.any();
    let whole = sync_model::canonical::to_bytes(&sync_model::wire::push::PushRequest {
        records: vec![serde_bytes::ByteBuf::from(device.records[0].bytes.clone())],
        seen_size: None,
    })
    .unwrap();
    for body in [&b"garbage"[..], &[], &[0x9f], &whole[..whole.len() - 1]] {
        let reply = device.call("POST", "/push", &[], body);
        assert_eq!(reply.problem().code, ProblemCode::Malformed);
        assert_eq!(reply.header("content-type").as_deref(), Some("application/cbor"));
    }
    let large = vec![0; PUSH_BYTES_MAX + 1];
    assert_eq!(device.call("POST", "/push", &[], &large).status, 413);
    let many: Vec<Vec<u8>> = vec![vec![1]; 501];
    assert_eq!(device.push_bytes(many).problem().code, ProblemCode::TooLarge);
    let unsigned = send(world.address(), "POST", "/sync/v1/push", &[], &whole);
    assert_eq!(unsigned.problem().code, ProblemCode::NotAuthentic);
    let nowhere = send(world.address(), "GET", "/sync/v1/nothing", &[], &[]);
    assert_eq!(nowhere.problem().code, ProblemCode::NotFound);
    device.push(&device.records).ok::<Receipt>();
}

#[test]
fn a_revoked_device_still_brings_the_files_of_what_is_held() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    device.cite(&[b"photograph"]);
    device.push(&device.records).ok::<Receipt>();
    world.hq().revoke(device.id).unwrap();
    device.upload(b"photograph", 4);
    let counts = world.hq().counts().unwrap();
    assert_eq!((counts.blobs, counts.blobs_wanted), (1, 0));
}

#[test]
fn a_receipt_tells_the_rules_that_hq_set_last() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    device.any();
    assert_eq!(device.push(&device.records).ok::<Receipt>().policy, None);
    let strict = Policy { roaming: Allowance::All, retain_days: 60, ..Policy::DEFAULT };
    let set = world.hq().set_policy(strict).unwrap();
    assert_eq!((set.revision, set.retain_days), (1, 60));
    assert_eq!(device.push(&device.records).ok::<Receipt>().policy, Some(set));
    let never = Policy { nightly_window_minutes: 0, ..strict };
    assert!(world.hq().set_policy(never).is_err());
    assert_eq!(world.hq().policy().unwrap(), set);
}

/// E3: a certificate that ended 89 days ago lets the device send, one that ended 91 days ago keeps
/// what it sends apart; nothing is lost either way.
#[test]
fn a_certificate_that_ended_lets_a_device_send_for_ninety_days() {
    const DAY_MS: i64 = 24 * 3_600_000;
    let world = World::start();
    let feed = |device: &Device| device.call("GET", "/feed?after=0", &[], &[]);
    for (days, within) in [(89, true), (91, false)] {
        let mut device = Device::enroll(&world);
        device.any();
        device.push(&device.records).ok::<Receipt>();
        world.clock.advance(7 * DAY_MS);
        assert_eq!(feed(&device).status, 200, "it holds for a week");
        world.clock.advance(days * DAY_MS);
        let before = world.hq().counts().unwrap();
        let late = device.any();
        if within {
            let problem = feed(&device).problem();
            assert_eq!((problem.code, problem.retry_after_s), (ProblemCode::Busy, Some(5)));
            device.push(std::slice::from_ref(&late)).ok::<Receipt>();
            assert_eq!(feed(&device).status, 200, "sending renewed it");
            continue;
        }
        assert_eq!(feed(&device).problem().code, ProblemCode::Revoked);
        let problem = device.push(std::slice::from_ref(&late)).problem();
        assert_eq!(problem.code, ProblemCode::Revoked);
        let kept = KeptApart::open(&problem.kept.unwrap(), &device.trust.log_key).unwrap();
        assert_eq!((kept.device, kept.records), (device.id, vec![late.hash]));
        let after = world.hq().counts().unwrap();
        assert_eq!(after.records, before.records);
        assert_eq!(after.quarantined, before.quarantined + 1);
        // What was held before is proven as ever.
        let receipt: Receipt = device.push(&device.records).ok();
        assert_eq!(receipt.runs.iter().map(|run| run.count).sum::<u64>(), 1);
        world.hq().readmit(device.id).unwrap();
        let receipt: Receipt = device.push(&device.records).ok();
        assert_eq!(receipt.runs.iter().map(|run| run.count).sum::<u64>(), 2);
        assert_eq!(feed(&device).status, 200);
    }
    assert!(world.hq().verify_log().is_ok());
}

/// A device of an HQ that did not count is not turned away, however long it was silent.
#[test]
fn a_device_from_before_certificates_ended_is_counted_from_its_next_contact() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    world.meddle("UPDATE device SET certified_at = NULL").unwrap();
    world.clock.advance(400 * 24 * 3_600_000);
    device.any();
    device.push(&device.records).ok::<Receipt>();
    world.clock.advance(98 * 24 * 3_600_000);
    let late = device.any();
    assert_eq!(device.push(&[late]).problem().code, ProblemCode::Revoked);
}
