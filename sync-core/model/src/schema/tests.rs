//! Every released text can be read, every act this program makes has a schema, hashes never move.

use super::*;

/// Hashes of released schemas as first computed; a change here is a change of the past.
const RELEASED_HASHES: &str = include_str!("../../schemas/v1.hashes");

#[test]
fn every_released_text_can_be_read_and_its_hashes_never_change() {
    for (version, text) in RELEASED {
        assert_ne!(parse::schemas(*version, text).unwrap(), []);
    }
    let found: String = Registry::released()
        .schemas()
        .iter()
        .map(|schema| format!("{} v{} {}\n", schema.hash, schema.version, schema.kind))
        .collect();
    assert_eq!(found, RELEASED_HASHES, "released schemas changed:\n{found}");
}

#[test]
fn wrong_texts_are_refused_with_their_line() {
    let read = |text: &str| parse::schemas(9, text).unwrap_err();
    assert_eq!(read("act a = {x: uint}").what, "no envelope");
    assert_eq!(read("\nenvelope {x: uint}\nact a = {x: nothing}").line, 3);
    assert!(read("envelope {x: uint, x: int}").what.contains("twice"));
    assert!(read("envelope {x: [uint}").what.contains("wanted"));
    assert!(read(&format!("envelope {}", "[".repeat(50_000))).what.contains("deep"));
}

#[test]
fn order_of_writing_does_not_change_a_schema_and_any_field_does() {
    let hash = |body: &str| {
        let text = format!("envelope {{v: uint}}\nact a = {body}");
        parse::schemas(9, &text).unwrap()[0].hash
    };
    assert_eq!(hash("{a: uint, b: ?text}"), hash("{b: ?text,a: uint}"));
    assert_ne!(hash("{a: uint, b: ?text}"), hash("{a: uint, b: text}"));
    assert_ne!(hash("{a: uint}"), hash("{a: int}"));
}

#[test]
fn a_value_fits_exactly_or_not_at_all() {
    let shape = |text: &str| {
        let text = format!("envelope {{v: uint}}\nact a = {text}");
        parse::schemas(9, &text).unwrap().remove(0).body
    };
    let entry = |key: &str, value: Value| (Value::Text(key.into()), value);
    let kind = shape("{k: one_of(one, two: {n: uint}), m: ?hash}");
    let value = |k: Value, m: Value| Value::Map(vec![entry("k", k), entry("m", m)]);
    let two = |n: i64| Value::Map(vec![entry("two", Value::Map(vec![entry("n", n.into())]))]);
    assert!(kind.fits(&value("one".into(), Value::Null)));
    assert!(kind.fits(&value(two(1), Value::Bytes(vec![0; 32]))));
    assert!(!kind.fits(&value(two(-1), Value::Null)));
    assert!(!kind.fits(&value("two".into(), Value::Null)));
    assert!(!kind.fits(&value("one".into(), Value::Bytes(vec![0; 31]))));
    let Value::Map(mut more) = value("one".into(), Value::Null) else { panic!() };
    more.push(entry("new_field", 1.into()));
    assert!(!kind.fits(&Value::Map(more)));
}
