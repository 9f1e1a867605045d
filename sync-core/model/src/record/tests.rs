//! Records open to what was sealed, chains show every change, decoding never panics.

use super::*;
use crate::chain::{ChainError, Head};
use crate::cose::SoftwareKey;
use crate::id::BootId;
use crate::record::shift::DayClosed;
use crate::time::{TimeQuality, Timestamp};
use uuid::Uuid;

fn envelope(seq: u64, previous: Hash, act: &Act) -> Envelope {
    Envelope {
        version: ENVELOPE_VERSION,
        record: RecordId(Uuid::from_u128(u128::from(seq))),
        device: DeviceId(Uuid::from_u128(7)),
        seq,
        previous,
        recorded: Moment {
            wall_at: Timestamp(1_795_500_000_000),
            mono_ms: 5,
            boot: BootId(Uuid::from_u128(9)),
            quality: TimeQuality::RtcOnly,
        },
        hq_seen: None,
        rulebook: None,
        inspection: None,
        visit_previous: None,
        case: None,
        officers: vec![],
        blobs: vec![],
        salt: [3; 16],
        act: raw_act(act).unwrap(),
    }
}

fn day_closed() -> Act {
    DayClosed { last_seq: 4, head: Hash::of(b"x"), blobs: 2, blob_bytes: 10 }.into()
}

#[test]
fn a_sealed_record_opens_to_what_was_sealed() {
    let key = SoftwareKey::from_secret(&[1; 32]);
    let record = Record::seal(envelope(1, Hash::ZERO, &day_closed()), &key).unwrap();
    let opened = Record::open(&record.bytes, &key.public()).unwrap();
    assert_eq!(opened, record);
    assert_eq!(opened.envelope.act(), day_closed());
    assert_eq!(Record::read(&record.bytes).unwrap(), record);
}

#[test]
fn an_act_of_a_later_program_is_kept_as_it_is() {
    let later = Act::Unknown(RawAct {
        kind: "drone_flown".into(),
        body: Value::Map(vec![(Value::Text("height_mm".into()), Value::Integer(9.into()))]),
    });
    let key = SoftwareKey::from_secret(&[1; 32]);
    let record = Record::seal(envelope(1, Hash::ZERO, &later), &key).unwrap();
    let opened = Record::open(&record.bytes, &key.public()).unwrap();
    assert_eq!(opened.envelope.act(), later);
    assert_eq!(opened.envelope.act().kind(), "drone_flown");
}

#[test]
fn a_chain_shows_gaps_swaps_and_foreign_starts() {
    let key = SoftwareKey::from_secret(&[1; 32]);
    let start = Head::genesis(b"certificate");
    let first = Record::seal(envelope(1, start.hash, &day_closed()), &key).unwrap();
    let second = Record::seal(envelope(2, first.hash, &day_closed()), &key).unwrap();
    let after_first = start.follow(&first.envelope, first.hash).unwrap();
    assert_eq!(after_first.follow(&second.envelope, second.hash).unwrap().seq, 2);
    assert_eq!(
        start.follow(&second.envelope, second.hash),
        Err(ChainError::Seq { expected: 1, found: 2 })
    );
    let foreign = Head::genesis(b"another certificate");
    assert_eq!(foreign.follow(&first.envelope, first.hash), Err(ChainError::Previous { seq: 1 }));
}

#[test]
fn no_input_makes_the_decoder_panic() {
    let key = SoftwareKey::from_secret(&[1; 32]);
    let record = Record::seal(envelope(1, Hash::ZERO, &day_closed()), &key).unwrap();
    for end in 0..record.bytes.len() {
        assert!(Record::read(&record.bytes[..end]).is_err());
    }
    for index in 0..record.bytes.len() {
        for value in [0x00, 0x1f, 0x5b, 0x9f, 0xbf, 0xff] {
            let mut changed = record.bytes.clone();
            changed[index] = value;
            // Reading may succeed where only the signature changed; opening must not.
            if changed != record.bytes {
                assert!(Record::open(&changed, &key.public()).is_err());
            }
        }
    }
}
