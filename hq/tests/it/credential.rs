//! Credentials age: HQ renews them while officers work, and says at once when one is withdrawn.

use sync_model::credential::{CertificateStatus, Credential, open_credential};
use sync_model::wire::feed::FeedBody;
use sync_model::wire::push::Receipt;

use crate::support::World;
use crate::support::device::Device;

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
