//! Canonical CBOR and signed objects: what others encode is taken only in the one form, and what
//! this program refuses is named here with the reason.

use sync_model::canonical;
use sync_model::cose::{PublicKey, Unverified};

use super::{hex, json, json_below, suite, text};

#[test]
fn cbor_is_taken_exactly_where_the_one_form_allows_it() {
    let Some(path) = suite("cbor/appendix_a.json") else { return };
    let (file, mut taken) = (json(&path), 0);
    let examples = file.as_array().unwrap();
    for example in examples {
        let bytes = hex(text(example, "hex"));
        // Tags, floats and simple values other than false, true and null have no form here; what
        // does not round-trip (indefinite lengths) has another one, which is the only one taken.
        let head = bytes[0];
        let formless = head >> 5 == 6 || (head >> 5 == 7 && !(0xf4..=0xf6).contains(&head));
        let expected = example["roundtrip"] == true && !formless;
        let found = canonical::check(&bytes, 1024).is_ok();
        assert_eq!(found, expected, "{example}");
        taken += u32::from(found);
    }
    println!("cbor: {} examples, {taken} taken", examples.len());
    assert_eq!((examples.len(), taken), (82, 37));
}

/// No example is one of ours: they carry tags, keys' names in the unprotected header, or other
/// algorithms, and none the context of this program. So each must be refused, whatever it is worth
/// elsewhere; what COSE itself signs is compared in the test below.
#[test]
fn no_signed_object_of_other_programs_passes_for_ours() {
    let mut refused = 0;
    for suite in ["sign1-tests", "sign-tests", "eddsa-examples", "ecdsa-examples"]
        .iter()
        .chain(&["countersign", "countersign1"])
        .filter_map(|name| suite(&format!("cose/{name}")))
    {
        for (name, example) in json_below(&suite) {
            let bytes = hex(text(&example["output"], "cbor"));
            assert!(Unverified::parse(&bytes).is_err(), "{name}");
            refused += 1;
        }
    }
    println!("cose: {refused} objects of other forms refused");
}

/// The signature of the one example that signs by Ed25519 in a `COSE_Sign1`, over the structure as
/// this program builds it (RFC 9052 §4.4): name, protected, external data, payload.
#[test]
fn the_signed_structure_is_the_one_of_cose() {
    let Some(path) = suite("cose/eddsa-examples/eddsa-sig-01.json") else { return };
    let example = json(&path);
    let key: [u8; 32] = hex(text(&example["input"]["sign0"]["key"], "x_hex")).try_into().unwrap();
    let object: ciborium::Value =
        ciborium::from_reader(hex(text(&example["output"], "cbor")).as_slice()).unwrap();
    let ciborium::Value::Tag(18, object) = object else { panic!("no COSE_Sign1") };
    let part = |at: usize| object.as_array().unwrap()[at].clone();
    let structure = ("Signature1", part(0), ciborium::Value::Bytes(Vec::new()), part(2));
    let structure = canonical::to_bytes(&structure).unwrap();
    assert_eq!(structure, hex(text(&example["intermediates"], "ToBeSign_hex")));
    let signature = ed25519_dalek::Signature::from_slice(part(3).as_bytes().unwrap()).unwrap();
    let verifying = PublicKey(key).verifying().unwrap();
    assert!(verifying.verify_strict(&structure, &signature).is_ok());
}
