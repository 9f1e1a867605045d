//! The fold comes to the same bytes whatever arrives when, and never loses what was signed.

use super::*;
use crate::cose::SoftwareKey;
use crate::id::{BootId, DocumentId, InspectionId, LeaseId, RecordId};
use crate::record::case::{CaseFiled, DefenseHeard, PriorNoticeGiven};
use crate::record::document::{DeliveryWay, DocumentDelivered, NumberReserved};
use crate::record::evidence::EvidenceExcluded;
use crate::record::shift::DayClosed;
use crate::record::{Act, ENVELOPE_VERSION, Envelope, LogHead, Record, raw_act};
use crate::rule::on_spot::PartyKind;
use crate::rule::on_spot::tests::firm;
use crate::time::{Moment, TimeQuality};
use uuid::Uuid;

const NINE: i64 = 1_795_482_000_000;
const MINUTE: i64 = 60_000;

fn case() -> CaseId {
    CaseId(Uuid::from_u128(0xca5e))
}

fn evidence_id(number: u128) -> EvidenceId {
    EvidenceId(Uuid::from_u128(0xe000 + number))
}

/// A device that makes records of the case.
struct Device {
    number: u8,
    seq: u64,
    quality: TimeQuality,
}

impl Device {
    fn new(number: u8) -> Self {
        Self { number, seq: 0, quality: TimeQuality::RtcOnly }
    }

    fn make(&mut self, at: i64, seen: u64, act: impl Into<Act>) -> Record {
        self.seq += 1;
        let envelope = Envelope {
            version: ENVELOPE_VERSION,
            record: RecordId(Uuid::from_u128(u128::from(self.seq))),
            device: DeviceId(Uuid::from_u128(u128::from(self.number))),
            seq: self.seq,
            previous: Hash::ZERO,
            recorded: Moment {
                wall_at: Timestamp(at),
                mono_ms: 0,
                boot: BootId(Uuid::from_u128(1)),
                quality: self.quality,
            },
            hq_seen: (seen > 0).then_some(LogHead { size: seen, root: Hash::ZERO }),
            rulebook: None,
            inspection: None,
            visit_previous: None,
            case: Some(case()),
            officers: vec![OfficerId(Uuid::from_u128(u128::from(self.number)))],
            blobs: vec![],
            salt: [self.number; 16],
            act: raw_act(&act.into()).unwrap(),
        };
        Record::seal(envelope, &SoftwareKey::from_secret(&[self.number; 32])).unwrap()
    }
}

fn filed(violation: &str, evidence: &[u128]) -> CaseFiled {
    CaseFiled {
        case: case(),
        inspection: InspectionId(Uuid::from_u128(2)),
        matter: "m".into(),
        authority: "a".into(),
        party: Party {
            kind: PartyKind::SoleProprietor,
            name: "北山小吃店".into(),
            credit_code: None,
            identity_number: None,
            person_in_charge: None,
            phone: None,
            address: "北山路1号".into(),
        },
        violation: violation.into(),
        acted_at: Timestamp(NINE),
        place: "北山路1号".into(),
        evidence: evidence.iter().map(|number| evidence_id(*number)).collect(),
    }
}

fn noticed() -> PriorNoticeGiven {
    let told = Hash::of(b"told");
    PriorNoticeGiven { case: case(), benchmark: None, tier: None, warning: true, fine_fen: 0, told }
}

fn heard(content: &str) -> DefenseHeard {
    DefenseHeard {
        case: case(),
        content: content.into(),
        waived: false,
        adopted: false,
        reply: "已复核".into(),
    }
}

fn decided(number: u128) -> DecisionIssued {
    let blob = |role| crate::record::BlobRef {
        sha256: Hash::of(b"x"),
        bytes: 1,
        media: "text/plain".into(),
        role,
    };
    DecisionIssued {
        case: case(),
        document: DocumentId(Uuid::from_u128(number)),
        document_number: format!("西综执当罚字〔2026〕{number}号"),
        warning: true,
        fine_fen: 0,
        content: blob(crate::record::BlobRole::Content),
        text: blob(crate::record::BlobRole::Text),
        pages: vec![],
        evidence_manifest: vec![],
        facts: Box::new(firm()),
        overrides: vec![],
        officer_signatures: vec![],
    }
}

fn excluded(number: u128) -> EvidenceExcluded {
    EvidenceExcluded { evidence: evidence_id(number), reason: "误拍".into() }
}

fn placed(records: &[Record], indices: &[Option<u64>]) -> Vec<Placed> {
    records
        .iter()
        .zip(indices)
        .map(|(record, log_index)| Placed { record: record.clone(), log_index: *log_index })
        .collect()
}

/// Two officers of one case, both offline from the second record on.
fn pair() -> Vec<Placed> {
    let (mut one, mut two) = (Device::new(1), Device::new(2));
    let records = [
        one.make(NINE, 0, filed("占道经营", &[1, 2])),
        two.make(NINE + 2 * MINUTE, 1, filed("占道经营、未亮照", &[2, 3])),
        one.make(NINE + 3 * MINUTE, 1, excluded(2)),
        two.make(NINE + 4 * MINUTE, 1, noticed()),
        one.make(NINE + 5 * MINUTE, 1, heard("不知道不允许")),
        two.make(NINE + 6 * MINUTE, 1, decided(1)),
        one.make(NINE + 7 * MINUTE, 1, decided(2)),
    ];
    placed(&records, &[Some(0), Some(4), Some(1), Some(5), Some(2), Some(6), Some(3)])
}

fn bytes(records: impl IntoIterator<Item = Placed>) -> Vec<u8> {
    fold(case(), records).bytes().unwrap()
}

/// Calls `each` with every order of `items` (Heap).
fn permutations(items: &mut Vec<Placed>, count: usize, each: &mut impl FnMut(&[Placed])) {
    if count <= 1 {
        return each(items);
    }
    for index in 0..count {
        permutations(items, count - 1, each);
        let other = if count.is_multiple_of(2) { index } else { 0 };
        items.swap(other, count - 1);
    }
}

fn random(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap()
}

#[test]
fn every_order_of_arrival_folds_to_the_same_bytes() {
    let mut records = pair();
    records.pop();
    let expected = bytes(records.clone());
    let mut orders = 0;
    let count = records.len();
    permutations(&mut records, count, &mut |order| {
        orders += 1;
        assert_eq!(bytes(order.to_vec()), expected);
    });
    assert_eq!(orders, 720);
    // Every subset too, as of a device that has not heard of all yet, in both directions.
    for subset in 0..1_u32 << count {
        let some: Vec<Placed> = (0..count)
            .filter(|bit| subset & (1 << bit) != 0)
            .map(|bit| records[bit].clone())
            .collect();
        let back: Vec<Placed> = some.iter().rev().cloned().collect();
        assert_eq!(bytes(some), bytes(back));
    }
}

#[test]
fn a_large_case_of_many_devices_folds_the_same_in_random_orders_with_duplicates() {
    let mut seed = 7;
    for round in 0..8 {
        let mut devices: Vec<Device> = (1..=5).map(Device::new).collect();
        let (mut records, mut log) = (Vec::new(), 0);
        for step in 0..120 {
            let at = NINE + i64::try_from(random(&mut seed) % 10_000).unwrap() * MINUTE;
            let device = &mut devices[random(&mut seed) % 5];
            device.quality =
                [TimeQuality::Suspect, TimeQuality::RtcOnly, TimeQuality::ServerSynced]
                    [random(&mut seed) % 3];
            let seen = u64::try_from(random(&mut seed)).unwrap() % (log + 1);
            let record = match random(&mut seed) % 5 {
                0 => device.make(at, seen, filed(&format!("{step}"), &[step % 7])),
                1 => device.make(at, seen, excluded(step % 7)),
                2 => device.make(at, seen, noticed()),
                3 => device.make(at, seen, heard("我错了")),
                _ => device.make(at, seen, decided(step)),
            };
            let log_index = (!random(&mut seed).is_multiple_of(4)).then(|| {
                log += 1;
                log - 1
            });
            records.push(Placed { record, log_index });
        }
        let expected = bytes(records.clone());
        for _ in 0..5 {
            let mut order = records.clone();
            for index in (1..order.len()).rev() {
                order.swap(index, random(&mut seed) % (index + 1));
            }
            // The same record once more, now without its place, changes nothing.
            let again = order[random(&mut seed) % order.len()].clone();
            order.insert(0, Placed { log_index: None, ..again });
            assert_eq!(bytes(order), expected, "round {round}");
        }
    }
}

#[test]
fn both_decisions_stand_and_somebody_has_to_look() {
    let state = fold(case(), pair());
    assert_eq!(state.decisions.len(), 2);
    assert!(
        matches!(&state.reviews[..], [Review::PossibleDoublePenalty { decisions }] if decisions.len() == 2)
    );
    // In HQ's order the first decision lacked a notice; it stands, and the status says what is missing.
    let refused: Vec<Refused> =
        state.requests.iter().filter_map(|request| request.outcome.err()).collect();
    assert_eq!(refused, [Refused::NoNotice, Refused::NoNotice, Refused::NotHeard]);
    assert_eq!(state.status, Some(Status::Noticed));
}

#[test]
fn both_versions_of_a_text_are_kept_and_the_later_one_is_shown() {
    let state = fold(case(), pair());
    assert_eq!(state.violation.shown().unwrap().value, "占道经营、未亮照");
    let other: Vec<&str> =
        state.violation.differing().map(|version| version.value.as_str()).collect();
    assert_eq!(other, ["占道经营"]);
    assert_eq!(state.officers.len(), 2);
}

#[test]
fn an_exclusion_takes_back_only_what_it_came_after() {
    let state = fold(case(), pair());
    let listed: Vec<bool> = state.evidence.iter().map(|one| one.listed).collect();
    // The partner named number 2 while the exclusion was made: adding wins, both are shown.
    assert_eq!(listed, [true, true, true]);
    let second = &state.evidence[1];
    assert_eq!((second.added.len(), second.excluded.len()), (2, 1));
    // Without the partner's filing the exclusion stands.
    let alone = fold(case(), pair().into_iter().filter(|one| one.log_index != Some(4)));
    let listed: Vec<bool> = alone.evidence.iter().map(|one| one.listed).collect();
    assert_eq!(listed, [true, false]);
}

#[test]
fn a_clock_that_runs_ahead_wins_only_until_the_next_device_has_spoken_with_hq() {
    const YEAR_2099: i64 = 4_070_908_800_000;
    let (mut ahead, mut right) = (Device::new(1), Device::new(2));
    let future = ahead.make(YEAR_2099, 0, filed("二〇九九年写的", &[]));
    let beside = right.make(NINE, 0, filed("同时写的", &[]));
    let state = fold(case(), placed(&[future.clone(), beside.clone()], &[Some(0), Some(1)]));
    assert_eq!(state.violation.shown().unwrap().value, "二〇九九年写的");
    let later = right.make(NINE + MINUTE, 2, filed("见过之后写的", &[]));
    let state = fold(case(), placed(&[later, beside, future], &[Some(2), Some(1), Some(0)]));
    assert_eq!(state.violation.shown().unwrap().value, "见过之后写的");
    assert_eq!(state.violation.versions().len(), 3);
}

#[test]
fn a_clock_in_doubt_has_no_say_beyond_the_proven_order() {
    let (mut one, mut two) = (Device::new(1), Device::new(2));
    two.quality = TimeQuality::Suspect;
    let known = one.make(NINE, 0, filed("甲写的", &[]));
    let doubted = two.make(NINE + 99 * MINUTE, 0, filed("时钟存疑时写的", &[]));
    let state = fold(case(), placed(&[doubted, known], &[Some(1), Some(0)]));
    assert_eq!(state.violation.shown().unwrap().value, "甲写的");
    let after = two.make(0, 2, filed("见过之后写的", &[]));
    let records = [one.make(NINE + MINUTE, 0, filed("先写的", &[])), after];
    let state = fold(case(), placed(&records, &[Some(0), Some(1)]));
    assert_eq!(state.violation.shown().unwrap().value, "见过之后写的");
}

#[test]
fn a_head_that_a_record_cannot_have_seen_proves_nothing() {
    let (mut one, mut two) = (Device::new(1), Device::new(2));
    let records = [
        one.make(NINE, u64::MAX, filed("甲", &[1])),
        two.make(NINE + MINUTE, u64::MAX, excluded(1)),
        one.make(NINE + 2 * MINUTE, u64::MAX, decided(1)),
    ];
    let all = placed(&records, &[None, Some(3), None]);
    let mut back = all.clone();
    back.reverse();
    assert_eq!(bytes(all), bytes(back));
}

#[test]
fn a_delivery_counts_by_its_document_and_foreign_records_do_not_count() {
    let mut device = Device::new(1);
    let mut records = vec![
        device.make(NINE, 0, filed("占道经营", &[])),
        device.make(NINE, 0, noticed()),
        device.make(NINE, 0, heard("无")),
        device.make(
            NINE,
            0,
            NumberReserved {
                lease: LeaseId(Uuid::from_u128(1)),
                number: 1,
                document_number: "1号".into(),
                document: DocumentId(Uuid::from_u128(1)),
                case: case(),
            },
        ),
        device.make(NINE, 0, decided(1)),
    ];
    let way = DeliveryWay::RefusedReceipt { reason: "无理由".into(), witness: None };
    let delivered = DocumentDelivered {
        document: DocumentId(Uuid::from_u128(1)),
        recipient: "某某".into(),
        way,
        place: "店内".into(),
    };
    let outside = |device: &mut Device, act: Act| {
        let record = device.make(NINE, 0, act);
        let mut envelope = record.envelope;
        envelope.case = None;
        Record::seal(envelope, &SoftwareKey::from_secret(&[1; 32])).unwrap()
    };
    records.push(outside(&mut device, delivered.into()));
    let day = DayClosed { last_seq: 1, head: Hash::ZERO, blobs: 0, blob_bytes: 0 };
    records.push(outside(&mut device, day.into()));
    let indices: Vec<Option<u64>> = (0..7).map(Some).collect();
    let state = fold(case(), placed(&records, &indices));
    assert_eq!(state.status, Some(Status::Delivered));
    assert_eq!((state.deliveries.len(), state.requests.len()), (1, 5));
    assert!(state.reviews.is_empty());
    assert_eq!(fold(case(), placed(&records, &[None; 7])).waiting.len(), 5);
}
