//! What outlives a pulled plug, what refuses to start, and what verify-log finds.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use hq::{Config, Hq, HqError, StoreError, SystemClock, VerifyError, serve};
use sync_model::hash::Hash;
use sync_model::wire::feed::CommandMessage;
use sync_model::wire::push::Receipt;

use crate::support::device::Device;
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
    let world = World::start();
    let config = Config { data: world.data(), listen: ([127, 0, 0, 1], 0).into() };
    assert!(matches!(serve(&config).err(), Some(HqError::Locked(_))));
    // Commands may work beside it.
    let beside = Hq::open(&world.data(), world.clock.clone()).unwrap();
    beside.issue_enrollment("xh-zhzf", "二号机", &[]).unwrap();
    drop(world.running.unwrap());
    serve(&config).unwrap().shutdown();
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let world = World::start();
    let data = world.data();
    let database = database(&data);
    let known: i64 = database.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    database.pragma_update(None, "user_version", known + 1).unwrap();
    let refused = Hq::open(&data, Arc::new(SystemClock)).err();
    let Some(HqError::Store(StoreError::Newer { found, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(found, known + 1);
}

#[test]
fn keys_that_others_can_read_or_that_are_gone_stop_the_start() {
    let world = World::start();
    let data = world.data();
    let key = data.join("keys/log.key");
    let mode = |mode| std::fs::set_permissions(&key, PermissionsExt::from_mode(mode)).unwrap();
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let open = || Hq::open(&data, Arc::new(SystemClock)).err();
    for open_to_others in [0o640, 0o604, 0o660] {
        mode(open_to_others);
        assert!(matches!(open(), Some(HqError::KeyOpenToOthers(_))));
    }
    mode(0o600);
    assert!(open().is_none());
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(open(), Some(HqError::KeyDamaged(_))));
}

#[test]
fn evidence_tables_refuse_updates_and_deletes() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    device.any();
    device.push(&device.records).ok::<Receipt>();
    let message = CommandMessage { title: "通知".into(), text: "请核实".into() };
    world.hq().command(device.id, message).unwrap();
    let database = database(&world.data());
    for statement in [
        "UPDATE record SET seq = 9",
        "DELETE FROM record",
        "UPDATE log_node SET hash = zeroblob(32)",
        "DELETE FROM log_node",
        "DELETE FROM feed",
        "UPDATE feed SET kind = 'x'",
    ] {
        let refused = database.execute(statement, []);
        assert!(refused.unwrap_err().to_string().contains("append-only"), "{statement}");
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
    let database = database(&world.data());
    database.execute_batch("DROP TRIGGER record_is_never_changed").unwrap();
    database.execute_batch("DROP TRIGGER log_node_is_never_changed").unwrap();
    let set = |bytes: &[u8]| {
        let changed =
            database.execute("UPDATE record SET bytes = ?1 WHERE log_index = 3", [bytes]).unwrap();
        assert_eq!(changed, 1);
    };
    let good = device.records[3].bytes.clone();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 0x10;
    set(&flipped);
    let error = world.hq().verify_log().unwrap_err();
    assert!(matches!(error, VerifyError::Record { log_index: 3, seq: 4, .. }), "{error}");
    set(&good);
    // A hash that was made to fit does not help: the signature and the tree speak.
    set(&flipped);
    let update = "UPDATE record SET hash = ?1 WHERE log_index = 3";
    database.execute(update, [&Hash::of(&flipped).0[..]]).unwrap();
    let error = world.hq().verify_log().unwrap_err();
    assert!(matches!(error, VerifyError::Record { log_index: 3, .. }), "{error}");
    set(&good);
    database.execute(update, [&device.records[3].hash.0[..]]).unwrap();
    world.hq().verify_log().unwrap();
    let node: Vec<u8> = database
        .query_row("SELECT hash FROM log_node WHERE level = 1 AND idx = 0", [], |row| row.get(0))
        .unwrap();
    let update = "UPDATE log_node SET hash = ?1 WHERE level = 1 AND idx = 0";
    database.execute(update, [&[0_u8; 32][..]]).unwrap();
    let error = world.hq().verify_log().unwrap_err();
    assert!(matches!(error, VerifyError::Node { level: 1, index: 0, .. }), "{error}");
    database.execute(update, [node]).unwrap();
    let name = Hash::of(b"photograph");
    let path = world.data().join("blobs").join(shelf_name(&name)).join(name.hex());
    use std::io::Write as _;
    std::fs::File::create(&path).unwrap().write_all(b"photographs").unwrap();
    let error = world.hq().verify_log().unwrap_err();
    assert!(matches!(error, VerifyError::Blob { sha256, .. } if sha256 == name), "{error}");
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(world.hq().verify_log(), Err(VerifyError::Blob { .. })));
}
