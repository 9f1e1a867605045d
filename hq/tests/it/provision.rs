//! Enrolling a list of devices at once, by keys that a provisioning station made.

use hq::{HqError, NewDevice, NewOfficer, PROVISIONED_MAX};
use sync_model::cose::{PublicKey, Signer as _, SoftwareKey};
use sync_model::credential::{OfficerKind, open_credential};
use sync_model::time::Timestamp;
use sync_model::wire::enroll::EnrollReply;
use sync_model::wire::push::Receipt;

use super::support::World;
use super::support::device::{Device, key};

fn officer(number: usize) -> NewOfficer {
    NewOfficer {
        name: "王建国".into(),
        kind: OfficerKind::Officer,
        certificate_number: format!("YL{number:06}"),
        authority: "xh-zhzf".into(),
        authority_name: "西湖区综合行政执法局".into(),
        valid_from: Timestamp(0),
        valid_to: Timestamp(2_000_000_000_000),
    }
}

fn list(keys: &[SoftwareKey], officer_key: PublicKey) -> Vec<NewDevice> {
    let one = |(number, key): (usize, &SoftwareKey)| NewDevice {
        name: format!("终端{number}"),
        authority: "xh-zhzf".into(),
        key: key.public(),
        officers: if number == 0 { vec![(officer(0), officer_key)] } else { vec![] },
    };
    keys.iter().enumerate().map(one).collect()
}

#[test]
fn a_listed_device_sends_at_once_and_a_list_given_again_changes_nothing() {
    let world = World::start();
    let keys: Vec<SoftwareKey> = std::iter::repeat_with(key).take(3).collect();
    let officer_key = key().public();
    let made = world.hq().provision(list(&keys, officer_key)).unwrap();
    assert_eq!(world.hq().provision(list(&keys, officer_key)).unwrap(), made);
    let trust = world.hq().trust();
    let credential = open_credential(&made[0].officers[0].1, &trust.issuer_key).unwrap();
    assert_eq!((credential.officer, credential.key), (made[0].officers[0].0, officer_key));
    for (key, made) in keys.into_iter().zip(made) {
        let reply = EnrollReply {
            device_certificate: made.certificate,
            trust: trust.clone(),
            officers: vec![],
            hq_at: Timestamp(0),
        };
        let mut device = Device::from_reply(world.address(), key, &reply);
        assert_eq!(device.id, made.device);
        device.any();
        let receipt: Receipt = device.push(&device.records).ok();
        device.verify(&receipt, &device.records);
    }
}

#[test]
fn a_key_that_is_another_officers_or_a_list_too_long_keeps_nothing() {
    let world = World::start();
    let keys = [key(), key()];
    let officer_key = key().public();
    world.hq().provision(list(&keys[..1], officer_key)).unwrap();
    let mut wrong = list(&keys[1..], officer_key);
    wrong[0].officers[0].0 = officer(7);
    assert!(matches!(world.hq().provision(wrong), Err(HqError::Admin(_))));
    assert_eq!(world.hq().devices().unwrap().len(), 1);
    let many = vec![list(&keys, officer_key)[1].clone(); PROVISIONED_MAX + 1];
    assert!(matches!(world.hq().provision(many), Err(HqError::Admin(_))));
}
