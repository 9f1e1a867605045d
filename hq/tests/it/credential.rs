//! Credentials age: HQ renews them while officers work, and says at once when one is withdrawn.

use sync_model::credential::{CertificateStatus, Credential, open_credential};
use sync_model::status::StatusList;
use sync_model::wire::feed::FeedBody;
use sync_model::wire::push::Receipt;

use crate::support::World;
use crate::support::device::Device;
use crate::support::http::send;

fn renewed(device: &Device) -> Vec<Credential> {
    let (_, items) = device.feed(0, 500);
    items
        .into_iter()
        .filter_map(|item| match item.body {
            FeedBody::Credential(bytes) => {
                Some(open_credential(&bytes, &device.trust.issuer_key).unwrap())
            }
            _ => None,
        })
        .collect()
}

#[test]
fn every_round_renews_what_is_old_and_nothing_else() {
    let world = World::start();
    let officer = world.officer("甲", "A1");
    let codes = world.hq().issue_enrollment("xh-zhzf", "一号机", &[officer]).unwrap();
    let device = Device::enroll_with(&world, &codes.enrollment);
    let (key, first) = device.activated(officer, &codes.activations[0].code);
    let first = open_credential(&first, &device.trust.issuer_key).unwrap();
    device.push(&[]).ok::<Receipt>();
    assert!(renewed(&device).is_empty());
    world.clock.advance(7 * 3_600_000);
    for _ in 0..3 {
        device.push(&[]).ok::<Receipt>();
    }
    let renewed = renewed(&device);
    let expected = Credential { issued_at: first.issued_at.plus_ms(7 * 3_600_000), ..first };
    assert_eq!(renewed, [expected]);
    // A reply that was lost long ago is still answered, with what holds now.
    let again = device.activate(officer, &codes.activations[0].code, &key);
    let again: sync_model::wire::enroll::ActivateReply = again.ok();
    let again = open_credential(&again.credential, &device.trust.issuer_key).unwrap();
    assert_eq!(again, renewed[0]);
}

#[test]
fn a_withdrawn_certificate_is_told_to_every_device_of_the_officer() {
    let world = World::start();
    let officer = world.officer("甲", "A1");
    let devices: Vec<Device> = (0..2)
        .map(|_| {
            let codes = world.hq().issue_enrollment("xh-zhzf", "机", &[officer]).unwrap();
            let device = Device::enroll_with(&world, &codes.enrollment);
            device.activated(officer, &codes.activations[0].code);
            device
        })
        .collect();
    world.clock.advance(60_000);
    world.hq().set_officer_status(officer, CertificateStatus::Suspended).unwrap();
    for device in &devices {
        let told = renewed(device);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].status, CertificateStatus::Suspended);
    }
    assert!(
        world
            .hq()
            .set_officer_status(
                sync_model::id::OfficerId(uuid::Uuid::nil()),
                CertificateStatus::Active
            )
            .is_err()
    );
}

/// TC-07 at HQ: one list for everybody, numbered, newest alone in the feed, replaced before its end.
#[test]
fn the_status_list_says_who_is_withdrawn_and_is_renewed() {
    let world = World::start();
    let (one, two) = (world.officer("甲", "A1"), world.officer("乙", "A2"));
    let device = Device::enroll(&world);
    let issuer = device.trust.issuer_key;
    let lists = || -> Vec<StatusList> {
        let (_, items) = device.feed_as("1-2", 0, 200);
        items
            .into_iter()
            .filter_map(|item| match item.body {
                FeedBody::Status(bytes) => Some(StatusList::open(&bytes, &issuer, 0).unwrap()),
                _ => None,
            })
            .collect()
    };
    assert!(lists().is_empty());
    world.clock.advance(60_000);
    world.hq().set_certificate_status("A1", CertificateStatus::Suspended).unwrap();
    world.hq().set_certificate_status("A2", CertificateStatus::Lost).unwrap();
    let told = lists();
    assert_eq!(told.iter().map(|list| list.number).collect::<Vec<_>>(), [2]);
    assert_eq!(told[0].status(one), CertificateStatus::Suspended);
    assert_eq!(told[0].status(two), CertificateStatus::Lost);
    let page = || {
        let reply = send(world.address(), "GET", "/c/status", &[], &[]);
        assert_eq!(reply.status, 200);
        StatusList::open(&reply.body, &issuer, 0).unwrap()
    };
    assert_eq!(page(), told[0]);
    // Half of its life later there is another; a withdrawn certificate can be given back.
    world.hq().set_certificate_status("A2", CertificateStatus::Active).unwrap();
    world.clock.advance(13 * 3_600_000);
    let renewed = page();
    assert_eq!((renewed.number, renewed.status(two)), (4, CertificateStatus::Active));
    assert!(renewed.is_fresh(world.hq().now()));
    assert!(world.hq().set_certificate_status("A9", CertificateStatus::Active).is_err());
}
