//! Witnesses and monitors: one HQ cosigns another's log, and whoever is shown another history says
//! so loudly.

use std::process::Command;

use hq::{MonitorError, Witnessed, follow};
use sync_model::log::note::Checkpoint;
use sync_model::log::witness::{AddCheckpoint, NamedKey, cosigned_at, signatures};
use sync_model::wire::push::Receipt;

use crate::support::World;
use crate::support::device::Device;
use crate::support::http::send;

fn grow(world: &World, device: &mut Device, count: usize) {
    let records: Vec<_> = (0..count).map(|_| device.any()).collect();
    device.push(&records).ok::<Receipt>();
    world.hq().publish_log().unwrap();
}

fn url(world: &World) -> String {
    format!("http://{}/witness/v1", world.address())
}

/// A witness that watches `world`, and `world` knows it.
fn witnessed_by(world: &World) -> World {
    let witness = World::start();
    witness.hq().watch_log(&world.hq().log_named_key()).unwrap();
    world.hq().add_witness(&witness.hq().witness_key(), &url(&witness)).unwrap();
    witness
}

#[test]
fn a_witness_cosigns_what_grew_and_everybody_can_check_it() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let (one, two) = (witnessed_by(&world), witnessed_by(&world));
    for count in [1, 5, 300] {
        grow(&world, &mut device, count);
        let collected = world.hq().collect_cosignatures().unwrap();
        assert_eq!((collected.by.len(), collected.failed.len()), (2, 0), "{collected:?}");
        let note = world.hq().published_checkpoint().unwrap();
        for witness in [&one, &two] {
            let at = cosigned_at(&note, signatures(&note).unwrap(), &witness.hq().witness_key());
            assert_eq!(at.unwrap() as i64, witness.clock.now_s());
        }
        let trust = &device.trust;
        Checkpoint::open(&note, &trust.log_origin, &trust.log_key).unwrap();
    }
    // Nothing new: nobody is asked, and a witness that is gone holds nothing up.
    drop(two);
    assert_eq!(world.hq().collect_cosignatures().unwrap().by.len(), 2);
    grow(&world, &mut device, 1);
    let collected = world.hq().collect_cosignatures().unwrap();
    assert_eq!((collected.by.len(), collected.failed.len()), (1, 1));
}

/// The answers of C2SP `tlog-witness`, by their status.
#[test]
fn a_witness_answers_as_the_standard_says() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let witness = witnessed_by(&world);
    grow(&world, &mut device, 4);
    let note4 = world.hq().published_checkpoint().unwrap();
    grow(&world, &mut device, 5);
    let note9 = world.hq().published_checkpoint().unwrap();
    let post = |old_size, proof, note: &str| {
        let body = AddCheckpoint { old_size, proof, note: note.to_owned() }.to_text();
        let path = "/witness/v1/add-checkpoint";
        let reply = send(witness.address(), "POST", path, &[], body.as_bytes());
        (reply.status, String::from_utf8(reply.body).unwrap())
    };
    let (status, line) = post(0, vec![], &note4);
    assert_eq!(status, 200);
    cosigned_at(&note4, &line, &witness.hq().witness_key()).unwrap();
    // It stands at 4 now.
    assert_eq!(post(0, vec![], &note9), (409, "4\n".to_owned()));
    assert_eq!(post(4, vec![], &note9).0, 422);
    let proof = world.hq().log_consistency(4, Some(9)).unwrap();
    let mut bent = proof.clone();
    bent[0].0[0] ^= 1;
    assert_eq!(post(4, bent, &note9).0, 422);
    assert_eq!(post(10, proof.clone(), &note9).0, 400);
    let forged = note9.replace("\n9\n", "\n8\n");
    assert_eq!(post(4, proof.clone(), &forged).0, 403);
    assert_eq!(post(4, proof.clone(), &note9.replace("xunzheng-hq", "another-log")).0, 404);
    assert_eq!(
        send(witness.address(), "POST", "/witness/v1/add-checkpoint", &[], b"x").status,
        400
    );
    assert_eq!(post(4, proof, &note9).0, 200);
    // The same again is cosigned again; an older one never.
    assert_eq!(post(9, vec![], &note9).0, 200);
    assert_eq!(post(4, vec![], &note4), (409, "9\n".to_owned()));
}

/// Of two requests at once that extend one head in different ways, one is cosigned.
#[test]
fn a_witness_never_cosigns_both_sides_of_a_fork() {
    let mut world = World::start_on(None);
    let mut device = Device::enroll(&world);
    let witness = witnessed_by(&world);
    grow(&world, &mut device, 3);
    let fork = world.copied();
    let records = device.records.len();
    grow(&world, &mut device, 1);
    let mine = world.hq().published_checkpoint().unwrap();
    device.forget_after(records);
    device.address = fork.address();
    grow(&fork, &mut device, 1);
    let theirs = fork.hq().published_checkpoint().unwrap();
    assert_ne!(mine, theirs);
    let request = |note: &str| AddCheckpoint { old_size: 0, proof: vec![], note: note.to_owned() };
    let bodies = [request(&mine).to_text(), request(&theirs).to_text()];
    let answers: Vec<Witnessed> = std::thread::scope(|scope| {
        let asked: Vec<_> = bodies
            .iter()
            .map(|body| scope.spawn(|| witness.hq().add_checkpoint(body).unwrap()))
            .collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let cosigned = answers.iter().filter(|a| matches!(a, Witnessed::Cosigned(_))).count();
    assert_eq!(cosigned, 1, "{answers:?}");
    world.restart();
}

#[test]
fn a_monitor_follows_a_log_and_cries_when_it_goes_back_or_forks() {
    let world = World::start_on(None);
    let mut device = Device::enroll(&world);
    grow(&world, &mut device, 3);
    let fork = world.copied();
    let state = fork.data().join("monitor.note");
    let log = world.hq().log_named_key();
    let at = |world: &World| format!("http://{}/log/v1", world.address());
    assert_eq!(follow(&at(&world), &log, &state).unwrap().before, None);
    let records = device.records.len();
    for count in [1, 400, 2] {
        grow(&world, &mut device, count);
        let followed = follow(&at(&world), &log, &state).unwrap();
        assert_eq!(followed.size, device.records.len() as u64);
    }
    let kept = std::fs::read(&state).unwrap();
    // An HQ that was set back, and the same after it grew past what was seen.
    let error = follow(&at(&fork), &log, &state).unwrap_err();
    assert!(matches!(error, MonitorError::Rollback { before: 406, size: 3 }), "{error}");
    device.forget_after(records);
    device.address = fork.address();
    grow(&fork, &mut device, 450);
    let error = follow(&at(&fork), &log, &state).unwrap_err();
    assert!(matches!(error, MonitorError::Fork { before: 406, size: 453 }), "{error}");
    let output = Command::new(env!("CARGO_BIN_EXE_xunzheng-hq"))
        .args(["monitor", "--log", &at(&fork), "--key", &log.to_string(), "--state"])
        .arg(&state)
        .output()
        .unwrap();
    let cry = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), cry.contains("FORK")), (Some(2), true), "{cry}");
    assert_eq!(std::fs::read(&state).unwrap(), kept, "the evidence stays");
    // Another key, or nobody there, says nothing about the log.
    let other = NamedKey::log(&log.name, fork.hq().witness_key().key);
    assert!(matches!(follow(&at(&world), &other, &state), Err(MonitorError::Checkpoint(_))));
    let gone = at(&fork);
    drop(fork);
    assert!(!follow(&gone, &log, &state).unwrap_err().is_evidence());
}
