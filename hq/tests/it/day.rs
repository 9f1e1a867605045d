//! Close of day: complete, or exactly what is missing.

use sync_model::hash::Hash;
use sync_model::record::shift::DayClosed;
use sync_model::record::{BlobRef, BlobRole, Record};
use sync_model::wire::audit::SeqRun;
use sync_model::wire::feed::FeedBody;
use sync_model::wire::push::Receipt;

use crate::support::World;
use crate::support::device::Device;

fn lead(text: &str) -> sync_model::record::evidence::LeadRecorded {
    sync_model::record::evidence::LeadRecorded {
        place: "演练路".into(),
        description: text.into(),
        hand_to: "消防".into(),
        evidence: vec![],
    }
}

fn photo(bytes: &[u8]) -> BlobRef {
    BlobRef {
        sha256: Hash::of(bytes),
        bytes: bytes.len() as u64,
        media: "image/jpeg".into(),
        role: BlobRole::Original,
    }
}

fn close(device: &mut Device, blobs: u64, blob_bytes: u64) -> Record {
    let (last_seq, head) = (device.head.seq, device.head.hash);
    device.act(DayClosed { last_seq, head, blobs, blob_bytes }, vec![])
}

#[test]
fn a_day_is_complete_only_when_every_record_and_file_is_there() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let on = device.wall_at.legal_date();
    device.act(lead("一"), vec![photo(b"photo one")]);
    device.act(lead("二"), vec![photo(b"photo two")]);
    let before = world.hq().day(device.id, on).unwrap();
    assert!(before.statement.is_none() && !before.complete);

    close(&mut device, 2, 18);
    device.push(&device.records).ok::<Receipt>();
    let report = world.hq().day(device.id, on).unwrap();
    assert_eq!((report.first_seq, report.last_seq, report.records), (1, 3, 3));
    assert!(report.head_matches && report.missing.is_empty() && !report.complete);
    assert_eq!((report.blobs, report.blob_bytes, report.missing_blob_count), (2, 18, 2));
    let named: Vec<(Hash, u64)> =
        report.missing_blobs.iter().map(|blob| (blob.sha256, blob.seq)).collect();
    assert_eq!(named, [(Hash::of(b"photo one"), 1), (Hash::of(b"photo two"), 2)]);

    device.upload(b"photo one", 100);
    device.upload(b"photo two", 100);
    let report = world.hq().day(device.id, on).unwrap();
    assert!(report.complete, "{report:?}");
    // The device was told at the close what was still missing.
    let (_, items) = device.feed_as("1-2", 0, 100);
    let told = items.iter().find_map(|item| match &item.body {
        FeedBody::Day(report) => Some(report),
        _ => None,
    });
    assert_eq!(told.unwrap().missing_blob_count, 2);
}

#[test]
fn the_next_day_begins_behind_the_statement_of_the_day_before() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let first = device.wall_at.legal_date();
    device.act(lead("一"), vec![]);
    close(&mut device, 0, 0);
    device.wall_at = device.wall_at.plus_ms(24 * 3600 * 1000);
    let second = device.wall_at.legal_date();
    device.act(lead("二"), vec![]);
    device.act(lead("三"), vec![]);
    close(&mut device, 0, 0);
    device.push(&device.records).ok::<Receipt>();
    let report = world.hq().day(device.id, first).unwrap();
    assert_eq!((report.first_seq, report.last_seq, report.complete), (1, 2, true));
    let report = world.hq().day(device.id, second).unwrap();
    assert_eq!((report.first_seq, report.last_seq, report.records), (3, 5, 3));
    assert!(report.complete);
}

#[test]
fn a_statement_that_speaks_of_more_than_hq_holds_names_what_is_missing() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let on = device.wall_at.legal_date();
    device.act(lead("一"), vec![]);
    // A statement of more files than were cited, and of a head that is another.
    let head = Hash::of(b"another");
    device.act(DayClosed { last_seq: 9, head, blobs: 1, blob_bytes: 5 }, vec![]);
    device.push(&device.records).ok::<Receipt>();
    let report = world.hq().day(device.id, on).unwrap();
    assert!(!report.head_matches && !report.complete);
    assert_eq!(report.missing, [SeqRun { first: 3, count: 7 }]);
    assert_eq!(report.missing_records, 7);
}

#[test]
fn the_command_says_it_and_its_exit_status_too() {
    let world = World::start_on(None);
    let mut device = Device::enroll(&world);
    let on = device.wall_at.legal_date().to_string();
    device.act(lead("一"), vec![photo(b"photo")]);
    close(&mut device, 1, 5);
    device.push(&device.records).ok::<Receipt>();
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_xunzheng-hq"))
            .args(arguments)
            .args(["--data", world.data().to_str().unwrap()])
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let id = device.id.to_string();
    let (whole, text) = run(&["day", "--device", &id, "--date", &on]);
    assert!(!whole && text.contains("缺文件 1 个"), "{text}");
    device.upload(b"photo", 100);
    let (whole, text) = run(&["day", "--device", &id, "--date", &on]);
    assert!(whole && text.contains("齐全"), "{text}");
}
