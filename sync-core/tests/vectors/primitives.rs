//! Ed25519 under the one strict rule, the seal of keys at rest, and the key made from a PIN.

use argon2::{Algorithm, Argon2, ParamsBuilder, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ed25519_dalek::Signature;
use sync_model::cose::PublicKey;

use super::{hex, json, suite, text, wycheproof};

/// Flags of the edge points that the strict rule refuses (`bundle/FORMAT.md`, section 1).
const REFUSED: [&str; 5] =
    ["low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"];

fn verifies(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (<[u8; 32]>::try_from(key), Signature::from_slice(signature))
    else {
        return false;
    };
    PublicKey(key).verifying().is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

#[test]
fn ed25519_agrees_with_wycheproof() {
    let tests = wycheproof("ed25519");
    for (group, test) in &tests {
        let key = hex(text(&group["publicKey"], "pk"));
        let found = verifies(&key, &hex(text(test, "msg")), &hex(text(test, "sig")));
        assert_eq!(found, text(test, "result") == "valid", "{test}");
    }
    println!("ed25519: {} of {} as stated", tests.len(), tests.len());
}

#[test]
fn ed25519_edge_points_are_judged_by_the_strict_rule() {
    let Some(path) = suite("cctv/ed25519/ed25519vectors.json") else { return };
    let (file, mut accepted) = (json(&path), 0);
    let tests = file.as_array().unwrap();
    for test in tests {
        let flags: Vec<&str> = test["flags"]
            .as_array()
            .map_or_else(Vec::new, |flags| flags.iter().filter_map(|one| one.as_str()).collect());
        let expected = !flags.iter().any(|flag| REFUSED.contains(flag));
        let (key, message) = (hex(text(test, "key")), text(test, "msg").as_bytes());
        assert_eq!(verifies(&key, message, &hex(text(test, "sig"))), expected, "{test}");
        accepted += u32::from(expected);
    }
    println!("edge points: {} judged by the strict rule, {accepted} accepted", tests.len());
    assert_eq!((tests.len(), accepted), (914, 43));
}

#[test]
fn the_seal_of_keys_agrees_with_wycheproof() {
    let tests = wycheproof("xchacha20_poly1305");
    let mut tried = 0;
    for (_, test) in &tests {
        let expected = text(test, "result") == "valid";
        let (key, nonce) = (hex(text(test, "key")), hex(text(test, "iv")));
        let Ok(nonce) = <[u8; 24]>::try_from(nonce.as_slice()) else {
            // The type admits no other length.
            assert!(!expected, "{test}");
            continue;
        };
        let key: [u8; 32] = key.as_slice().try_into().unwrap();
        let sealed = [hex(text(test, "ct")), hex(text(test, "tag"))].concat();
        let (aad, message) = (hex(text(test, "aad")), hex(text(test, "msg")));
        let cipher = XChaCha20Poly1305::new(&key.into());
        let opened = cipher.decrypt(&XNonce::from(nonce), Payload { msg: &sealed, aad: &aad }).ok();
        assert_eq!(opened, expected.then_some(message), "{test}");
        tried += 1;
    }
    println!("xchacha20-poly1305: {tried} of {} tried, all as stated", tests.len());
}

#[test]
fn the_key_from_a_pin_is_argon2id() {
    let Some(path) = suite("argon2/kats/argon2id") else { return };
    let file = std::fs::read_to_string(path).unwrap();
    let value = |name: &str| {
        let line = file.lines().find(|line| line.starts_with(name)).unwrap();
        hex(&line.split_once(": ").unwrap().1.replace(' ', ""))
    };
    let params = ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .output_len(32)
        .data(argon2::AssociatedData::new(&value("Associated data")).unwrap())
        .build()
        .unwrap();
    let secret = value("Secret");
    let argon2 =
        Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut made = [0; 32];
    argon2.hash_password_into(&value("Password"), &value("Salt"), &mut made).unwrap();
    assert_eq!(made.as_slice(), value("Tag"));
    println!("argon2id: 1 of 1 as stated");
}
