//! What outlives a pulled plug, what refuses to start, and what verify-log finds.

use std::os::unix::fs::PermissionsExt;

use hq::{Database, Hq, HqError, InitOptions, StoreError, VerifyError, serve};
use sync_model::hash::Hash;
use sync_model::id::{CaseId, DocumentId, LeaseId};
use sync_model::record::document::NumberReserved;
use sync_model::record::{Act, RawAct};
use sync_model::wire::feed::CommandMessage;
use sync_model::wire::push::Receipt;
use uuid::Uuid;

use crate::support::device::{Device, next};
use crate::support::{World, database, shelf_name};

#[test]
fn a_thousand_records_in_random_batches_stand_in_one_unbroken_log() {
    let mut world = World::start();
    let mut devices: Vec<Device> = (0..4).map(|_| Device::enroll(&world)).collect();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut indices = vec![];
    while indices.len() < 1000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let which = (random % 4) as usize;
        let count = (1000 - indices.len()).min((random >> 8) as usize % 60 + 1);
        let device = &mut devices[which];
        let records: Vec<_> = (0..count).map(|_| device.any()).collect();
        let receipt: Receipt = device.push(&records).ok();
        indices.extend(device.verify(&receipt, &records));
        if random.is_multiple_of(11) {
            world.restart();
            for device in &mut devices {
                device.address = world.address();
            }
        }
    }
    assert!(indices.iter().copied().eq(0..1000));
    let report = world.hq().verify_log().unwrap();
    assert_eq!((report.records, report.devices), (1000, 4));
    // Held records are byte for byte what the devices made.
    for record in devices.iter().flat_map(|device| &device.records) {
        assert_eq!(world.hq().record(&record.hash).unwrap().as_ref(), Some(&record.bytes));
    }
}

#[test]
fn devices_that_push_at_once_never_share_a_place() {
    let world = World::start();
    let mut devices: Vec<Device> = (0..8).map(|_| Device::enroll(&world)).collect();
    let mut indices: Vec<u64> = std::thread::scope(|scope| {
        let pushing: Vec<_> = devices
            .iter_mut()
            .map(|device| {
                scope.spawn(|| {
                    let mut indices = vec![];
                    for _ in 0..10 {
                        let records = [device.any(), device.any(), device.any()];
                        let receipt: Receipt = device.push(&records).ok();
                        indices.extend(device.verify(&receipt, &records));
                    }
                    indices
                })
            })
            .collect();
        pushing.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    indices.sort_unstable();
    assert!(indices.iter().copied().eq(0..240));
    world.hq().verify_log().unwrap();
}

#[test]
fn whatever_was_answered_is_there_after_a_pulled_plug() {
    let mut world = World::start();
    let mut device = Device::enroll(&world);
    device.cite(&[b"file"]);
    let before: Receipt = device.push(&device.records).ok();
    device.upload(b"file", 2);
    let (counts, trust) = (world.hq().counts().unwrap(), world.hq().trust());
    world.restart();
    device.address = world.address();
    assert_eq!((world.hq().counts().unwrap(), world.hq().trust()), (counts, trust));
    let after: Receipt = device.push(&device.records).ok();
    assert_eq!(after.runs, before.runs);
    assert_eq!(after.checkpoint, before.checkpoint);
}

#[test]
fn one_folder_is_served_by_one_process_at_a_time() {
    let world = World::start_on(None);
    let config = world.config();
    assert!(matches!(serve(&config).err(), Some(HqError::Locked(_))));
    // Commands may work beside it.
    let beside = world.beside().unwrap();
    beside.issue_enrollment("xh-zhzf", "二号机", &[]).unwrap();
    drop(world.running.unwrap());
    serve(&config).unwrap().shutdown();
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let world = World::start();
    match &world.schema {
        Some(schema) => schema.run("UPDATE schema_version SET version = 1000").unwrap(),
        None => database(&world.data()).pragma_update(None, "user_version", 1000).unwrap(),
    }
    let refused = world.beside().err();
    let Some(HqError::Store(StoreError::Newer { found, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(found, 1000);
}

#[test]
fn keys_that_others_can_read_or_that_are_gone_stop_the_start() {
    let world = World::start();
    let data = world.data();
    let key = data.join("keys/log.key");
    let mode = |mode| std::fs::set_permissions(&key, PermissionsExt::from_mode(mode)).unwrap();
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let open = || world.beside().err();
    for open_to_others in [0o640, 0o604, 0o660] {
        mode(open_to_others);
        assert!(matches!(open(), Some(HqError::KeyOpenToOthers(_))));
    }
    mode(0o600);
    assert!(open().is_none());
    std::fs::remove_file(&key).unwrap();
    // Without a file of its own, a folder that lacks a key is one that holds no HQ.
    let refused = open();
    let embedded = matches!(refused, Some(HqError::KeyDamaged(_)));
    let apart = matches!(refused, Some(HqError::NotInitialized(_)));
    assert!(if world.schema.is_none() { embedded } else { apart }, "{refused:?}");
}

#[test]
fn evidence_tables_refuse_updates_and_deletes() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    device.any();
    device.push(&device.records).ok::<Receipt>();
    let message = CommandMessage { title: "通知".into(), text: "请核实".into() };
    world.hq().command(device.id, message).unwrap();
    let everywhere = [
        "UPDATE record SET seq = 9",
        "DELETE FROM record",
        "UPDATE log_node SET hash = hash",
        "DELETE FROM log_node",
        "DELETE FROM feed",
        "UPDATE feed SET kind = 'x'",
    ];
    let apart = [
        "UPDATE record_body SET bytes = bytes",
        "DELETE FROM record_body",
        "UPDATE record_body_0 SET bytes = bytes",
        "DELETE FROM record_body_0",
        "TRUNCATE record_body_0",
        "TRUNCATE record",
        "TRUNCATE log_node",
    ];
    let apart = apart.iter().filter(|_| world.schema.is_some());
    for statement in everywhere.iter().chain(apart) {
        let refused = world.meddle(statement);
        assert!(refused.as_ref().is_err_and(|why| why.contains("append-only")), "{statement}");
    }
}

#[test]
fn texts_that_a_database_dislikes_are_taken_like_any_other() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let body = ciborium::Value::Map(vec![]);
    for kind in ["a\0b", "", &"k".repeat(5000), "'; DROP TABLE record; --", ":device", "$1"] {
        device.act(Act::Unknown(RawAct { kind: kind.into(), body: body.clone() }), vec![]);
    }
    let id = || Uuid::from_u128(u128::from(next()));
    let reserved = |number: String| NumberReserved {
        lease: LeaseId(id()),
        number: u64::MAX,
        document_number: number,
        document: DocumentId(id()),
        case: CaseId(id()),
    };
    for number in ["\0".to_owned(), "号".repeat(9000), "号".repeat(9000), String::new()] {
        device.act(reserved(number), vec![]);
    }
    let receipt: Receipt = device.push(&device.records).ok();
    assert_eq!(device.verify(&receipt, &device.records).len(), 10);
    assert_eq!(world.hq().verify_log().unwrap().records, 10);
    // One number on two documents is found also where it is too long for an index.
    let told = world.hq().acceptance(&device.records[8].hash).unwrap();
    assert!(told.unwrap().1.iter().any(|finding| finding.message.contains("另一份文书")));
}

#[test]
fn a_store_that_belongs_to_other_keys_is_not_signed_over() {
    let world = World::start();
    let other = tempfile::tempdir().unwrap();
    let folder = other.path().join("hq");
    let clock = world.clock.clone();
    drop(Hq::init(&folder, &InitOptions::default(), clock.clone()).unwrap());
    let database = match &world.schema {
        Some(_) => world.store(),
        None => {
            std::fs::copy(world.data().join("hq.sqlite"), folder.join("hq.sqlite")).unwrap();
            for wal in ["hq.sqlite-wal", "hq.sqlite-shm"] {
                std::fs::copy(world.data().join(wal), folder.join(wal)).ok();
            }
            Database::Embedded
        }
    };
    let refused = Hq::open_on(&folder, &database, clock).err();
    assert!(matches!(refused, Some(HqError::OtherLog(_))), "{refused:?}");
}

/// `cargo test --release -p hq --test it -- --ignored --nocapture pushes_per_second`, on PostgreSQL
/// with `XUNZHENG_TEST_STORE=postgres` before it.
#[test]
#[ignore = "a measurement"]
fn pushes_per_second() {
    let world = World::start();
    for (pushes, size) in [(100, 13), (10, 500)] {
        let mut devices: Vec<Device> = (0..8).map(|_| Device::enroll(&world)).collect();
        for device in &mut devices {
            for _ in 0..pushes * size {
                device.any();
            }
        }
        let began = std::time::Instant::now();
        std::thread::scope(|scope| {
            for device in &devices {
                scope.spawn(|| {
                    for records in device.records.chunks(size) {
                        device.push(records).ok::<Receipt>();
                    }
                });
            }
        });
        let seconds = began.elapsed().as_secs_f64();
        let (pushes, records) = (f64::from(8 * pushes as u32), (8 * pushes * size) as u64);
        println!(
            "{}: {:.0} pushes of {size} a second, {:.0} records a second, 8 devices at once",
            if world.schema.is_some() { "PostgreSQL" } else { "SQLite" },
            pushes / seconds,
            records as f64 / seconds
        );
    }
}

#[test]
fn verify_log_names_the_first_thing_that_is_wrong() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    for _ in 0..5 {
        device.any();
    }
    device.cite(&[b"photograph"]);
    device.push(&device.records).ok::<Receipt>();
    device.upload(b"photograph", 4);
    assert_eq!(world.hq().verify_log().unwrap().blobs, 1);
    let (bodies, literal): (_, fn(String) -> String) = if world.schema.is_some() {
        let drop = "DROP TRIGGER record_is_never_changed ON record;
             DROP TRIGGER record_body_is_never_changed ON record_body;
             DROP TRIGGER log_node_is_never_changed ON log_node";
        world.meddle(drop).unwrap();
        ("record_body", |hex: String| format!("'\\x{hex}'"))
    } else {
        let drop = "DROP TRIGGER record_is_never_changed; DROP TRIGGER log_node_is_never_changed";
        world.meddle(drop).unwrap();
        ("record", |hex| format!("x'{hex}'"))
    };
    let set = |table: &str, column: &str, bytes: &[u8], place: &str| {
        let bytes = literal(sync_model::hash::hex(bytes));
        world.meddle(&format!("UPDATE {table} SET {column} = {bytes} WHERE {place}")).unwrap();
    };
    let third = "log_index = 3";
    let good = device.records[3].bytes.clone();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 0x10;
    set(bodies, "bytes", &flipped, third);
    let error = world.hq().verify_log().unwrap_err();
    assert!(matches!(error, VerifyError::Record { log_index: 3, seq: 4, .. }), "{error}");
    set(bodies, "bytes", &good, third);
    // A hash that was made to fit does not help: the signature and the tree speak.
    set(bodies, "bytes", &flipped, third);
    set("record", "hash", &Hash::of(&flipped).0, third);
    let error = world.hq().verify_log().unwrap_err();
    assert!(matches!(error, VerifyError::Record { log_index: 3, .. }), "{error}");
    set(bodies, "bytes", &good, third);
    set("record", "hash", &device.records[3].hash.0, third);
    world.hq().verify_log().unwrap();
    let pair = "level = 1 AND idx = 0";
    let node = world.peek(&format!("SELECT hash FROM log_node WHERE {pair}"));
    set("log_node", "hash", &[0; 32], pair);
    let error = world.hq().verify_log().unwrap_err();
    assert!(matches!(error, VerifyError::Node { level: 1, index: 0, .. }), "{error}");
    set("log_node", "hash", &node, pair);
    let name = Hash::of(b"photograph");
    let path = world.data().join("blobs").join(shelf_name(&name)).join(name.hex());
    use std::io::Write as _;
    std::fs::File::create(&path).unwrap().write_all(b"photographs").unwrap();
    let error = world.hq().verify_log().unwrap_err();
    assert!(matches!(error, VerifyError::Blob { sha256, .. } if sha256 == name), "{error}");
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(world.hq().verify_log(), Err(VerifyError::Blob { .. })));
}
