//! Officer pair, one handheld each, both offline on one case: whatever the order in which they sync,
//! both devices and HQ come to the same bytes.

use sync_model::fold::{Review, Status};
use sync_model::id::EvidenceId;
use sync_model::record::evidence::EvidenceExcluded;
use uuid::Uuid;

use crate::world::{Device, World, accepted, begun, case, decided, filed, heard, noticed, scope};

/// Who syncs when; afterwards everybody syncs until quiet.
const ORDERS: &[&str] = &["", "abab", "baba", "aabb", "bbaa", "abba", "baab", "aab", "b"];

fn together(order: &str) -> (Vec<u8>, World, Device, Device) {
    let world = World::new();
    let (a, b) = (world.device("a"), world.device("b"));
    a.act(&scope(1, false), accepted());
    a.act(&scope(1, false), begun());
    a.photograph(&scope(1, false), 1);
    a.photograph(&scope(1, false), 2);
    a.act(&scope(1, true), filed("占道经营", &[1, 2]));
    a.sync().unwrap();
    b.act(&scope(2, false), accepted());
    b.sync().unwrap();
    let known = b.store().read(|r| r.case_state(case())).unwrap();
    assert_eq!(known.status, Some(Status::Filed), "the partner learnt of the case");

    // Out of reach from here on; both go on with the case.
    for (minute, device) in [(1, &a), (2, &b)] {
        world.clock.advance_ms(minute * 60_000);
        device.act(&scope(minute.into(), true), filed(&format!("改写 {minute}"), &[2]));
        device.act(&scope(minute.into(), true), noticed());
        device.act(&scope(minute.into(), true), heard(&format!("申辩 {minute}")));
        let decision = decided(device, minute.into());
        device.act(&scope(minute.into(), true), decision);
    }
    let excluded =
        EvidenceExcluded { evidence: EvidenceId(Uuid::from_u128(0xe001)), reason: "误拍".into() };
    a.act(&scope(1, false), excluded);
    for who in order.chars() {
        if who == 'a' { a.sync() } else { b.sync() }.unwrap();
    }
    for _ in 0..2 {
        a.sync().unwrap();
        b.sync().unwrap();
    }
    assert_eq!((a.pending(), b.pending()), (0, 0));
    let at_hq = world.hq.case_state(case()).unwrap().unwrap();
    let bytes = at_hq.bytes().unwrap();
    for device in [&a, &b] {
        let state = device.store().read(|r| r.case_state(case())).unwrap();
        assert_eq!(state, at_hq, "order {order}");
        assert_eq!(state.bytes().unwrap(), bytes, "order {order}");
    }
    (bytes, world, a, b)
}

#[test]
fn both_devices_and_hq_fold_to_the_same_bytes_in_every_order_of_syncs() {
    for order in ORDERS {
        let (_, world, a, b) = together(order);
        let state = world.hq.case_state(case()).unwrap().unwrap();
        // Nothing merged that was signed: both decisions, notices and hearings stand.
        assert_eq!((state.decisions.len(), state.notices.len(), state.defenses.len()), (2, 2, 2));
        assert!(matches!(&state.reviews[..], [Review::PossibleDoublePenalty { .. }]));
        assert_eq!(world.hq.cases_in_review().unwrap(), [case()]);
        // The last text by time is shown, the other two are kept.
        assert_eq!(state.violation.shown().unwrap().value, "改写 2");
        assert_eq!(state.violation.differing().count(), 2);
        assert_eq!(state.evidence.iter().map(|one| one.listed).collect::<Vec<_>>(), [false, true]);
        assert_eq!(state.status, Some(Status::UnderReview));
        // The own chain holds own records only, and each as it was signed.
        for (device, other) in [(&a, &b), (&b, &a)] {
            let own = device.store().check_chain().unwrap();
            assert_eq!(device.store().read(|r| r.head()).unwrap().unwrap().seq, own);
            let rows = device.store().read(|r| r.partner_records_of_case(case())).unwrap();
            assert!(rows.len() >= 4 && rows.iter().all(|row| row.device == other.id));
        }
    }
    println!("case: {} orders of syncs folded alike", ORDERS.len());
}
