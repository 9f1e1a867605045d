//! The audit plane over HTTP: what HQ lost is named, sent again, and stands where it stood.

use sync_model::wire::audit::{AuditReply, AuditRequest, SeqRun};
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::Receipt;

use crate::support::device::Device;
use crate::support::{World, blob_literal};

fn world(records: usize) -> (World, Device) {
    let world = World::start();
    let mut device = Device::enroll(&world);
    for _ in 0..records {
        device.any();
    }
    device.push(&device.records).ok::<Receipt>();
    (world, device)
}

/// Removes records from HQ's database as a damaged disk or a wrong hand would.
fn lose(world: &World, device: &Device, seqs: &[u64]) {
    let device = blob_literal(world, device.id.as_bytes());
    let list = seqs.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let lost = format!("device = {device} AND seq IN ({list})");
    let sql = if world.schema.is_some() {
        format!(
            "ALTER TABLE record DISABLE TRIGGER USER; ALTER TABLE record_body DISABLE TRIGGER USER;
             DELETE FROM record_body
             WHERE log_index IN (SELECT log_index FROM record WHERE {lost});
             DELETE FROM record WHERE {lost};"
        )
    } else {
        format!("DROP TRIGGER record_is_never_deleted; DELETE FROM record WHERE {lost};")
    };
    world.meddle(&sql).unwrap();
}

#[test]
fn what_hq_lost_is_named_by_number_and_put_back_in_its_place() {
    let (world, device) = world(40);
    let before: Receipt = device.push(&device.records).ok();
    let places = device.verify(&before, &device.records);
    lose(&world, &device, &[1, 7, 8, 30]);

    let request = AuditRequest { last_seq: 40, absent: 0, frame: vec![0x61].into() };
    let reply: AuditReply = device.post("/audit", &request).ok();
    let run = |first, count| SeqRun { first, count };
    assert_eq!(reply.absent, [run(1, 1), run(7, 2), run(30, 1)]);
    assert_eq!(reply.frame, None);
    assert_eq!(reply.head, None, "the chain ends where the device said");
    let request = AuditRequest { last_seq: 39, absent: 4, frame: vec![0x61].into() };
    let reply: AuditReply = device.post("/audit", &request).ok();
    assert_eq!(reply.head.map(|head| head.seq), Some(40));

    // The device sends its chain again; old and new receipts name the same places.
    let after: Receipt = device.push(&device.records).ok();
    assert_eq!(device.verify(&after, &device.records), places);
    let (records, healed) = (world.hq().counts().unwrap().records, world.hq().alarms().unwrap());
    assert_eq!(records, 40);
    assert_eq!((healed.len(), healed[0].kind.as_str()), (1, "healed"));
    world.hq().verify_log().unwrap();
}

#[test]
fn a_record_that_never_stood_in_a_hole_does_not_get_in() {
    let (world, device) = world(5);
    lose(&world, &device, &[3]);
    let mut foreign = Device::enroll(&world);
    for _ in 0..3 {
        foreign.any();
    }
    let mut envelope = foreign.records[2].envelope.clone();
    (envelope.device, envelope.previous) = (device.id, device.records[1].hash);
    let forged = sync_model::record::Record::seal(envelope, &device.key).unwrap();
    let problem = device.push(&[forged]).problem();
    assert_eq!(problem.code, ProblemCode::BadRecord);
    assert_eq!(world.hq().counts().unwrap().quarantined, 1);
}

#[test]
fn an_audit_of_too_much_or_of_nonsense_is_a_named_problem() {
    let (_world, device) = world(2);
    let ask = |last_seq, frame: Vec<u8>| {
        device.post("/audit", &AuditRequest { last_seq, absent: 0, frame: frame.into() })
    };
    assert_eq!(ask(u64::MAX, vec![0x61]).problem().code, ProblemCode::TooLarge);
    assert_eq!(ask(2, vec![9; 20]).problem().code, ProblemCode::Malformed);
    assert_eq!(ask(2, vec![0x61; 100_000]).problem().code, ProblemCode::TooLarge);
}
