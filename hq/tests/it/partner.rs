//! Two devices, one case; records brought for another device; a device that was copied.

use sync_model::cose::Signer;
use sync_model::fold::{Placed, fold};
use sync_model::hash::Hash;
use sync_model::id::{AssignmentId, CaseId, EvidenceId, InspectionId};
use sync_model::record::Record;
use sync_model::record::case::{CaseFiled, PriorNoticeGiven};
use sync_model::record::evidence::EvidenceExcluded;
use sync_model::record::inspection::AssignmentAccepted;
use sync_model::record::shift::DayClosed;
use sync_model::rule::on_spot::PartyKind;
use sync_model::wire::assignment::{Party, Premises};
use sync_model::wire::audit::{Order, SeqRun};
use sync_model::wire::feed::FeedBody;
use sync_model::wire::partner::{CustodyRequest, PartnerRecords};
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::{PushRequest, Receipt};
use uuid::Uuid;

use crate::support::World;
use crate::support::device::{Device, next};

fn id() -> Uuid {
    Uuid::from_u128(u128::from(next()))
}

fn party() -> Party {
    Party {
        kind: PartyKind::SoleProprietor,
        name: "演练小吃店".into(),
        credit_code: None,
        identity_number: None,
        person_in_charge: None,
        phone: None,
        address: "演练路1号".into(),
    }
}

pub(crate) fn filed(
    case: CaseId,
    inspection: InspectionId,
    violation: &str,
    evidence: &[u128],
) -> CaseFiled {
    CaseFiled {
        case,
        inspection,
        matter: "m".into(),
        authority: "xh-zhzf".into(),
        party: party(),
        violation: violation.into(),
        acted_at: sync_model::time::Timestamp(1),
        place: "演练路1号".into(),
        evidence: evidence.iter().map(|n| EvidenceId(Uuid::from_u128(*n))).collect(),
    }
}

fn begun(
    inspection: InspectionId,
    assignment: AssignmentId,
) -> sync_model::record::inspection::InspectionBegun {
    sync_model::record::inspection::InspectionBegun {
        inspection,
        assignment,
        shift: Hash::ZERO,
        premises: Premises {
            name: "演练小吃店".into(),
            address: "演练路1号".into(),
            region_code: "330106002".into(),
        },
        party: party(),
        participations: vec![],
        on_site_reason: "需要现场查看".into(),
        overrides: vec![],
    }
}

/// What the feed of a device told of its partners.
fn told(device: &Device) -> Vec<PartnerRecords> {
    let (_, items) = device.feed_as("1-2", 0, 500);
    items
        .into_iter()
        .filter_map(|item| match item.body {
            FeedBody::Partner(records) => Some(records),
            _ => None,
        })
        .collect()
}

fn push(device: &Device, from: usize) -> Receipt {
    device.push(&device.records[from..]).ok()
}

#[test]
fn partners_are_told_what_the_other_made_and_hq_folds_the_case() {
    let world = World::start();
    let (mut one, mut two) = (Device::enroll(&world), Device::enroll(&world));
    let mut stranger = Device::enroll(&world);
    let (assignment, inspection) = (AssignmentId(id()), InspectionId(id()));
    let case = CaseId(id());
    one.act(AssignmentAccepted { assignment, revision: 1 }, vec![]);
    one.inspection = Some(inspection);
    one.act(begun(inspection, assignment), vec![]);
    one.act(filed(case, inspection, "占道经营", &[1, 2]), vec![]);
    push(&one, 0);
    // The partner comes later and learns what there was; a stranger learns nothing.
    two.act(AssignmentAccepted { assignment, revision: 1 }, vec![]);
    push(&two, 0);
    stranger.any();
    push(&stranger, 0);
    let learnt: Vec<u64> = told(&two)
        .iter()
        .flat_map(|told| told.records.iter().map(|record| record.log_index))
        .collect();
    assert_eq!(learnt, [1, 2]);
    assert!(told(&stranger).is_empty());

    two.inspection = Some(inspection);
    two.act(filed(case, inspection, "占道经营、未亮照", &[2]), vec![]);
    one.act(
        EvidenceExcluded { evidence: EvidenceId(Uuid::from_u128(1)), reason: "误拍".into() },
        vec![],
    );
    let told_hash = Hash::of(b"told");
    one.act(
        PriorNoticeGiven {
            case,
            benchmark: None,
            tier: None,
            warning: true,
            fine_fen: 0,
            told: told_hash,
        },
        vec![],
    );
    push(&two, 1);
    push(&one, 3);

    // What each side can read, it folds to the same bytes as HQ.
    let state = world.hq().case_state(case).unwrap().unwrap();
    assert_eq!(state.violation.versions().len(), 2);
    assert_eq!(state.evidence.iter().map(|one| one.listed).collect::<Vec<_>>(), [false, true]);
    let own = |device: &Device, receipts: &[u64]| -> Vec<Placed> {
        device
            .records
            .iter()
            .zip(receipts)
            .map(|(record, index)| Placed { record: record.clone(), log_index: Some(*index) })
            .collect()
    };
    let of_partner = |device: &Device, author: &Device| -> Vec<Placed> {
        told(device)
            .iter()
            .flat_map(|told| &told.records)
            .map(|placed| Placed {
                record: Record::open(&placed.bytes, &author.key.public()).unwrap(),
                log_index: Some(placed.log_index),
            })
            .collect()
    };
    let places = |device: &Device| device.verify(&push(device, 0), &device.records);
    let mut of_one = own(&one, &places(&one));
    of_one.extend(of_partner(&one, &two));
    let mut of_two = of_partner(&two, &one);
    of_two.extend(own(&two, &places(&two)));
    let expected = state.bytes().unwrap();
    assert_eq!(fold(case, of_one).bytes().unwrap(), expected);
    assert_eq!(fold(case, of_two).bytes().unwrap(), expected);
}

fn bring(by: &Device, of: &Device, records: &[Record]) -> crate::support::http::Reply {
    let records = records.iter().map(|record| record.bytes.clone().into()).collect();
    by.post("/partner", &CustodyRequest { device: of.id, records })
}

#[test]
fn a_lost_devices_day_arrives_by_its_partner() {
    let world = World::start();
    let (mut lost, partner) = (Device::enroll(&world), Device::enroll(&world));
    let on = lost.wall_at.legal_date();
    let file = b"a photograph nobody else has";
    lost.cite(&[file]);
    lost.any();
    let (last_seq, head) = (lost.head.seq, lost.head.hash);
    lost.act(DayClosed { last_seq, head, blobs: 1, blob_bytes: file.len() as u64 }, vec![]);

    let receipt: Receipt = bring(&partner, &lost, &lost.records).ok();
    assert_eq!(lost.verify(&receipt, &lost.records), [0, 1, 2]);
    let report = world.hq().day(lost.id, on).unwrap();
    assert_eq!(report.statement.unwrap().brought_by, Some(partner.id));
    assert!(report.head_matches && report.missing.is_empty());
    // The file is missing, by name, until the partner brings it too.
    assert_eq!(report.missing_blobs.len(), 1);
    partner.upload(file, 100);
    assert!(world.hq().day(lost.id, on).unwrap().complete);
    // Had the device come back, it would have got the very same places.
    let own: Receipt = lost.push(&lost.records).ok();
    assert_eq!(lost.verify(&own, &lost.records), [0, 1, 2]);
    world.hq().verify_log().unwrap();
}

#[test]
fn records_before_which_others_are_missing_wait_and_the_day_says_which() {
    let world = World::start();
    let (mut lost, partner) = (Device::enroll(&world), Device::enroll(&world));
    let on = lost.wall_at.legal_date();
    for _ in 0..5 {
        lost.any();
    }
    lost.push(&lost.records[..1]).ok::<Receipt>();
    let problem = bring(&partner, &lost, &lost.records[3..]).problem();
    assert_eq!((problem.code, problem.expected_seq), (ProblemCode::Gap, Some(2)));
    let report = world.hq().day(lost.id, on).unwrap();
    assert_eq!(report.statement.unwrap().seq, 5);
    assert_eq!(report.missing, [SeqRun { first: 2, count: 2 }]);
    // Another partner has the rest: what waited follows.
    let other = Device::enroll(&world);
    bring(&other, &lost, &lost.records[1..3]).ok::<Receipt>();
    assert_eq!(world.hq().counts().unwrap().records, 5);
    let report = world.hq().day(lost.id, on).unwrap();
    assert_eq!(report.statement.unwrap().brought_by, Some(partner.id));
    assert!(report.missing.is_empty() && report.complete);
    world.hq().verify_log().unwrap();
}

#[test]
fn only_the_signature_of_the_original_device_decides() {
    let world = World::start();
    let (mut lost, mut partner) = (Device::enroll(&world), Device::enroll(&world));
    let own = partner.any();
    assert_eq!(bring(&partner, &lost, &[own]).problem().code, ProblemCode::BadRecord);
    assert_eq!(bring(&partner, &partner, &[]).problem().code, ProblemCode::Malformed);
    let record = lost.any();
    world.hq().revoke(lost.id).unwrap();
    let before = world.hq().counts().unwrap();
    assert_eq!(bring(&partner, &lost, &[record]).problem().code, ProblemCode::Revoked);
    let after = world.hq().counts().unwrap();
    assert_eq!((after.records, after.quarantined), (before.records, before.quarantined + 1));
}

#[test]
fn a_copied_device_is_named_in_the_first_batch_shown_and_told_once() {
    let world = World::start_on(None);
    let mut device = Device::enroll(&world);
    device.any();
    push(&device, 0);
    let head = device.head;
    let mine = device.any();
    push(&device, 1);
    device.head = head;
    let other = [device.any(), device.any()];
    for _ in 0..3 {
        let problem = device.push(&other).problem();
        assert_eq!((problem.code, problem.seq), (ProblemCode::Fork, Some(2)));
    }
    assert_eq!(world.hq().counts().unwrap().forks, 2);
    let alarms = world.hq().alarms().unwrap();
    assert_eq!((alarms.len(), alarms[0].kind.as_str(), alarms[0].seq), (1, "fork", 2));
    let (_, items) = device.feed_as("1-2", 0, 100);
    let orders: Vec<Order> = items
        .iter()
        .filter_map(|item| match item.body {
            FeedBody::Order(order) => Some(order),
            _ => None,
        })
        .collect();
    assert_eq!(orders, [Order::ForkSeen { seq: 2, held: mine.hash, other: other[0].hash }]);
    let commands = items.iter().filter(|item| matches!(item.body, FeedBody::Command(_)));
    assert_eq!(commands.count(), 1);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_xunzheng-hq"))
        .args(["devices", "--data", world.data().to_str().unwrap()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("fork") && text.contains("第2条"), "{text}");
}

#[test]
fn an_hq_that_went_back_is_named_at_the_first_push_of_a_device_that_saw_more() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let record = device.any();
    let records = vec![record.bytes.clone().into()];
    let request = PushRequest { records, seen_size: Some(900) };
    // Taken all the same; the proof of growth is missing, which the device notices.
    let receipt: Receipt = device.post("/push", &request).ok();
    assert_eq!(receipt.consistency, None);
    let alarms = world.hq().alarms().unwrap();
    assert_eq!((alarms.len(), alarms[0].kind.as_str(), alarms[0].seq), (1, "rollback", 900));
    device.post("/push", &request).ok::<Receipt>();
    assert_eq!(world.hq().alarms().unwrap().len(), 1);
}
