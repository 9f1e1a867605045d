//! One-time codes: usable once, by one key, also when the answer was lost.

use sync_model::credential::{open_credential, open_device_certificate};
use sync_model::wire::enroll::{ActivateReply, EnrollReply};
use sync_model::wire::problem::ProblemCode;

use crate::support::World;
use crate::support::device::{Device, enroll_request, key, post};

#[test]
fn a_lost_enrollment_reply_does_not_burn_the_code() {
    let world = World::start();
    let officer = world.officer("甲", "A1");
    let codes = world.hq().issue_enrollment("xh-zhzf", "一号机", &[officer]).unwrap();
    let key = key();
    let request = enroll_request(&key, &codes.enrollment);
    let first: EnrollReply = post(world.address(), None, &key, "/enroll", &request).ok();
    // Long after the code expired, the same key still gets the same answer.
    world.clock.advance(30 * 24 * 3_600_000);
    let again: EnrollReply = post(world.address(), None, &key, "/enroll", &request).ok();
    assert_eq!(first.device_certificate, again.device_certificate);
    assert_eq!(first.officers, again.officers);
    assert_eq!(first.officers[0].name, "甲");
    assert_eq!(world.hq().counts().unwrap().devices, 1);
    let certificate =
        open_device_certificate(&first.device_certificate, &first.trust.issuer_key).unwrap();
    assert_eq!(certificate.name, "一号机");
}

#[test]
fn a_code_is_refused_to_another_key_and_after_its_time() {
    let world = World::start();
    let codes = world.hq().issue_enrollment("xh-zhzf", "一号机", &[]).unwrap();
    let late = world.hq().issue_enrollment("xh-zhzf", "二号机", &[]).unwrap();
    let (one, two) = (key(), key());
    let enroll =
        |key, code| post(world.address(), None, key, "/enroll", &enroll_request(key, code));
    enroll(&one, &codes.enrollment).ok::<EnrollReply>();
    assert_eq!(enroll(&two, &codes.enrollment).problem().code, ProblemCode::BadCode);
    assert_eq!(enroll(&two, "AAAAA-AAAAA").problem().code, ProblemCode::BadCode);
    // A key has one certificate and one chain.
    assert_eq!(enroll(&one, &late.enrollment).problem().code, ProblemCode::BadCode);
    world.clock.advance(3 * 24 * 3_600_000 + 1);
    assert_eq!(enroll(&two, &late.enrollment).problem().code, ProblemCode::BadCode);
    assert_eq!(world.hq().counts().unwrap().devices, 1);
}

#[test]
fn enrollment_needs_proof_that_the_device_holds_its_key() {
    let world = World::start();
    let codes = world.hq().issue_enrollment("xh-zhzf", "一号机", &[]).unwrap();
    let (held, claimed) = (key(), key());
    let request = enroll_request(&claimed, &codes.enrollment);
    let reply = post(world.address(), None, &held, "/enroll", &request);
    assert_eq!(reply.problem().code, ProblemCode::NotAuthentic);
}

#[test]
fn an_officer_is_activated_once_on_the_device_of_the_enrollment() {
    let world = World::start();
    let officer = world.officer("甲", "A1");
    let other = world.officer("乙", "A2");
    let codes = world.hq().issue_enrollment("xh-zhzf", "一号机", &[officer, other]).unwrap();
    let device = Device::enroll_with(&world, &codes.enrollment);
    let stranger = Device::enroll(&world);
    let code = &codes.activations[0].code;
    let (one, two) = (key(), key());
    for refused in [
        stranger.activate(officer, code, &one),
        device.activate(other, code, &one),
        device.activate(officer, &codes.activations[1].code, &one),
    ] {
        assert_eq!(refused.problem().code, ProblemCode::BadCode);
    }
    let first: ActivateReply = device.activate(officer, code, &one).ok();
    let again: ActivateReply = device.activate(officer, &code.to_lowercase(), &one).ok();
    assert_eq!(first, again);
    let credential = open_credential(&first.credential, &device.trust.issuer_key).unwrap();
    assert_eq!((credential.officer, credential.name.as_str()), (officer, "甲"));
    assert_eq!(device.activate(officer, code, &two).problem().code, ProblemCode::BadCode);
}

#[test]
fn practice_device_gets_its_day_in_the_first_pull() {
    use sync_model::wire::feed::FeedBody;
    let world = World::start();
    let json = include_str!("../../../assets/rulebook/sample.json");
    let codes = hq::practice::seed(world.hq(), json).unwrap();
    let device = Device::enroll_with(&world, &codes.enrollment_code);
    assert_eq!(device.officers.len(), 2);
    for officer in &codes.officers {
        device.activated(officer.officer, &officer.code);
    }
    let (page, items) = device.feed(0, 200);
    assert_eq!(page.head, items.last().unwrap().index);
    let mut assignments = vec![];
    let (mut leases, mut rulebooks) = (0, vec![]);
    for item in items {
        match item.body {
            FeedBody::Assignment(assignment) => assignments.push(assignment),
            FeedBody::NumberLease(lease) => {
                assert_eq!((lease.device, lease.last - lease.first), (device.id, 99));
                leases += 1;
            }
            FeedBody::Rulebook(rulebook) => rulebooks.push(rulebook),
            other => panic!("{other:?}"),
        }
    }
    let rulebook = &rulebooks[0];
    assert_eq!(leases, rulebook.authorities.len());
    assert_eq!(assignments.len(), 5);
    assert!(assignments[0].participations.len() > 1, "joint inspection of several authorities");
    let known = |code: &String| rulebook.matter(code).is_some();
    let matters = |index: usize| {
        assignments[index].participations.iter().flat_map(|part| part.matters.iter())
    };
    assert!((0..4).all(|index| matters(index).all(known) && matters(index).count() > 0));
    assert!(!matters(4).any(known) && matters(4).count() == 1);
    for assignment in &assignments {
        let code = assignment.party.credit_code.as_deref().unwrap();
        let code = sync_model::identifier::credit_code::parse(code).unwrap();
        assert_eq!(code.warning(), None);
    }
    // A second device can be seeded beside the first.
    let second = hq::practice::seed(world.hq(), json).unwrap();
    let second = Device::enroll_with(&world, &second.enrollment_code);
    let (_, items) = second.feed(0, 200);
    let firsts: Vec<u64> = items
        .iter()
        .filter_map(|item| match &item.body {
            FeedBody::NumberLease(lease) => Some(lease.first),
            _ => None,
        })
        .collect();
    assert_eq!(firsts, vec![101; rulebook.authorities.len()]);
}
