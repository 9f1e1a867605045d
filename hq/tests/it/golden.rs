//! An old device with this HQ: records of every released version are taken, word for word.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_bytes::ByteBuf;
use sync_model::chain::Head;
use sync_model::cose::SoftwareKey;
use sync_model::credential::open_device_certificate;
use sync_model::hash::Hash;
use sync_model::record::Record;
use sync_model::time::Timestamp;
use sync_model::wire::feed::{FEED_KINDS_V1, FeedBody};
use sync_model::wire::push::{Receipt, ReceiptRun};

use crate::support::device::Device;
use crate::support::{World, blob_literal};

/// The receipt as the first release knew it.
#[derive(Deserialize)]
struct ReceiptV1 {
    #[expect(dead_code, reason = "read, not looked at")]
    checkpoint: String,
    runs: Vec<ReceiptRun>,
    #[expect(dead_code, reason = "read, not looked at")]
    received_at: Timestamp,
    #[expect(dead_code, reason = "read, not looked at")]
    feed_head: u64,
    wanted: Vec<Hash>,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sync-core/model/fixtures/records/v1")
}

/// Enrolls the device of the corpus, as a database of its time would hold it.
fn device_of_v1(world: &World) -> Device {
    let certificate = std::fs::read(fixtures().join("00_certificate.cert")).unwrap();
    let issuer = sync_model::cose::Signer::public(&SoftwareKey::from_secret(&[2; 32]));
    let opened = open_device_certificate(&certificate, &issuer).unwrap();
    let literal = |bytes: &[u8]| blob_literal(world, bytes);
    world
        .meddle(&format!(
            "INSERT INTO device (device, name, authority, key, certificate, enrolled_at)
             VALUES ({}, '{}', '{}', {}, {}, 0)",
            literal(opened.device.as_bytes()),
            opened.name,
            opened.authority,
            literal(&opened.key.0),
            literal(&certificate),
        ))
        .unwrap();
    Device {
        address: world.address(),
        id: opened.device,
        key: SoftwareKey::from_secret(&[1; 32]),
        trust: world.hq().trust(),
        certificate: certificate.clone(),
        head: Head::genesis(&certificate),
        records: vec![],
        officers: vec![],
        wall_at: opened.issued_at,
        rulebook: None,
        inspection: None,
    }
}

fn records() -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "cbor"))
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn every_released_record_is_taken_word_for_word_by_the_oldest_wire() {
    let world = World::start();
    let device = device_of_v1(&world);
    let records = records();
    assert!(records.len() >= 25);
    // The body as the first release wrote it: one map with one key, no header but the statement.
    let mut body = vec![0xa1, 0x67];
    body.extend_from_slice(b"records");
    let items: Vec<ByteBuf> = records.iter().cloned().map(ByteBuf::from).collect();
    body.extend(sync_model::canonical::to_bytes(&items).unwrap());
    let reply = device.call("POST", "/push", &[], &body);
    let receipt: ReceiptV1 = reply.ok();
    assert_eq!(receipt.runs.iter().map(|run| run.count).sum::<u64>(), records.len() as u64);
    assert!(!receipt.wanted.is_empty());
    for bytes in &records {
        let record = Record::read(bytes).unwrap();
        assert_eq!(world.hq().record(&record.hash).unwrap().as_deref(), Some(bytes.as_slice()));
    }
    let counts = world.hq().counts().unwrap();
    assert_eq!((counts.records, counts.quarantined, counts.forks), (records.len() as u64, 0, 0));
    // And again: the same places.
    let again: Receipt = device.call("POST", "/push", &[], &body).ok();
    assert_eq!(again.runs.len(), receipt.runs.len());
    assert_eq!(world.hq().counts().unwrap().records, records.len() as u64);
}

/// A device of the first release stops at a feed item that it does not know: it gets none.
#[test]
fn a_device_of_protocol_1_is_fed_only_what_it_can_read() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    device.any();
    device.push(&device.records).ok::<Receipt>();
    world.hq().order_audit(device.id).unwrap();
    let kinds = |items: &[sync_model::wire::feed::FeedItem]| -> BTreeSet<&'static str> {
        items
            .iter()
            .map(|item| match item.body {
                FeedBody::Day(_) => "day",
                FeedBody::Order(_) => "order",
                FeedBody::Status(_) => "status",
                FeedBody::Partner(_) => "partner",
                _ => "old",
            })
            .collect()
    };
    let (_, old) = device.feed(0, 200);
    assert!(kinds(&old).iter().all(|kind| *kind == "old"), "{:?}", kinds(&old));
    let (_, new) = device.feed_as("1-2", 0, 200);
    assert_eq!(kinds(&new), BTreeSet::from(["day", "order"]));
    assert_eq!(FEED_KINDS_V1.len(), 6);
}
