//! Every byte string comes back; hostile ones are refused within bounds.

use proptest::prelude::*;

use super::*;

fn request(records: Vec<Vec<u8>>) -> PushRequest {
    let records = records.into_iter().map(ByteBuf::from).collect();
    PushRequest { records, seen_size: Some(7) }
}

fn returns(records: Vec<Vec<u8>>) -> Body {
    let request = request(records);
    let body = pack(&request).unwrap();
    assert_eq!(unpack(&body.bytes).unwrap(), request);
    body
}

/// Byte strings made of what packing looks for, cut anywhere.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(HASH.to_vec()),
        Just(PLACES[0].prefix.to_vec()),
        Just(PLACES[1].prefix.to_vec()),
        Just(PLACES[2].prefix.to_vec()),
        Just(Hash::of(b"known").0.to_vec()),
        proptest::collection::vec(any::<u8>(), 0..70),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_byte_string_comes_back(records in proptest::collection::vec(pieces(), 0..12)) {
        returns(records);
    }

    #[test]
    fn hostile_streams_are_refused_or_opened_and_never_more(
        form in proptest::collection::vec(any::<u8>(), 0..40),
        refs in proptest::collection::vec(0_u8..8, 0..40),
        text in pieces(),
        random in pieces(),
    ) {
        let packed = Packed {
            form: form.into(),
            push: request(vec![]),
            refs: refs.into(),
            text: text.into(),
            random: random.into(),
        };
        if let Ok(request) = unpack(&canonical::to_bytes(&packed).unwrap()) {
            // Whatever opens is a push like any other.
            let body = pack(&request).unwrap();
            prop_assert_eq!(unpack(&body.bytes).unwrap(), request);
        }
    }

    #[test]
    fn arbitrary_bytes_never_open_by_accident_into_something_large(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        prop_assert!(unpack(&bytes).is_err());
    }
}

#[test]
fn a_chain_costs_no_hashes() {
    let mut records: Vec<Vec<u8>> = Vec::new();
    let mut previous = Hash::of(b"genesis");
    for n in 0..100_u8 {
        let record = [&[n][..], HASH, &previous.0, b"text", HASH, &previous.0].concat();
        previous = Hash::of(&record);
        records.push(record);
    }
    let whole: usize = records.iter().map(Vec::len).sum();
    let body = returns(records);
    assert!(body.bytes.len() < whole - 99 * 64 + 99 * 4 + 100, "{} bytes", body.bytes.len());
}

#[test]
fn one_byte_that_becomes_many_stops_at_the_limit() {
    // Each three bytes of this would become 34.
    let count = PUSH_BYTES_MAX / 4;
    let mut form = Vec::new();
    put(&mut form, count * 2 * 2);
    let packed = Packed {
        form: form.into(),
        push: request(vec![]),
        refs: [vec![0], vec![2; count - 1]].concat().into(),
        text: HASH.repeat(count).into(),
        random: vec![1; 32].into(),
    };
    let bytes = canonical::to_bytes(&packed).unwrap();
    assert!(bytes.len() < PUSH_BYTES_MAX);
    assert_eq!(unpack(&bytes), Err(PackError::TooLarge));
    let packed = Packed { form: vec![0; PUSH_RECORDS_MAX + 1].into(), ..empty() };
    assert_eq!(unpack(&canonical::to_bytes(&packed).unwrap()), Err(PackError::TooLarge));
}

fn empty() -> Packed {
    let none = ByteBuf::new;
    Packed { form: none(), push: request(vec![]), refs: none(), text: none(), random: none() }
}
