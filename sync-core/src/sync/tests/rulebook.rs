//! Rulebooks by name: fetched as a difference, checked against the hash, whole if need be.

use std::io::Write as _;

use sync_model::canonical;
use sync_model::hash::Hash;
use sync_model::rulebook::Rulebook;
use sync_model::wire::RULEBOOK_WINDOW_LOG;
use sync_model::wire::feed::{FeedBody, RulebookName};

use super::hq::{Reply, Request, ScriptedHq, State};
use super::sync;
use crate::error::SyncError;
use crate::store::tests::world::World;

fn rulebook(version: u32, note: &str) -> (Vec<u8>, RulebookName) {
    let json = include_str!("../../../../assets/rulebook/sample.json");
    let mut rulebook: Rulebook = serde_json::from_str(json).unwrap();
    rulebook.version = version;
    rulebook.note.push_str(note);
    let bytes = canonical::to_bytes(&rulebook).unwrap();
    let length = u64::try_from(bytes.len()).unwrap();
    let name = RulebookName { hash: Hash::of(&bytes), version, bytes: length };
    (bytes, name)
}

fn pack(bytes: &[u8], older: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::with_ref_prefix(Vec::new(), 19, older).unwrap();
    encoder.window_log(RULEBOOK_WINDOW_LOG).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Answers with `body` and, for a difference, the hash of what it differs from.
fn answer(body: &[u8], from: Option<&Hash>) -> Reply {
    let from = from.map_or(String::new(), |from| format!("xunzheng-from: {from}\r\n"));
    let head = format!("HTTP/1.1 200 X\r\n{from}content-length: {}\r\n\r\n", body.len());
    Reply::Raw([head.as_bytes(), body].concat())
}

fn issue(hq: &ScriptedHq, world: &World, index: u64, name: RulebookName) {
    let item = world.hq.item(index, None, FeedBody::RulebookNamed(name));
    hq.state().feed.push((index, item));
}

fn asked(state: &State) -> Vec<String> {
    state.asked.iter().filter(|asked| asked.contains("/rulebook/")).cloned().collect()
}

fn newest(world: &World) -> Option<Hash> {
    world.store().read(|r| r.rulebook_hash()).unwrap()
}

#[test]
fn a_change_comes_as_a_difference_and_pins_what_hq_issued() {
    let world = World::enrolled();
    let hq = ScriptedHq::of(&world);
    let ((first, one), (second, two)) = (rulebook(1, ""), rulebook(2, "改一处"));
    let (whole, delta) = (pack(&first, &[]), pack(&second, &first));
    assert!(delta.len() * 10 < whole.len(), "{} of {}", delta.len(), whole.len());
    let from = one.hash;
    hq.fault(move |request: &Request, _: &mut State| {
        let path = request.path.strip_prefix("/sync/v1/rulebook/")?;
        Some(match path {
            path if path == one.hash.hex() => answer(&whole, None),
            path if path == format!("{}?from={from}", two.hash) => answer(&delta, Some(&from)),
            path => panic!("{path}"),
        })
    });
    issue(&hq, &world, 1, one);
    assert_eq!(sync(&world, &hq).unwrap().feed_items, 1);
    issue(&hq, &world, 2, two);
    assert_eq!(sync(&world, &hq).unwrap().feed_items, 1);
    assert_eq!(newest(&world), Some(two.hash));
    let stored = world.store().read(|r| r.rulebook_bytes(&two.hash)).unwrap();
    assert_eq!(stored, Some(second));
    assert_eq!(world.store().read(|r| r.rulebook()).unwrap().unwrap().version, 2);
    assert_eq!(asked(&hq.state()).len(), 2);
}

#[test]
fn a_difference_that_does_not_fit_is_followed_by_the_whole() {
    let world = World::enrolled();
    let hq = ScriptedHq::of(&world);
    let ((first, one), (second, two)) = (rulebook(1, ""), rulebook(2, "改一处"));
    let mut bent = pack(&second, &first);
    let middle = bent.len() / 2;
    bent[middle] ^= 0x10;
    let (whole_one, whole_two) = (pack(&first, &[]), pack(&second, &[]));
    let from = one.hash;
    let unknown = Hash::of(b"a rulebook that is not here");
    for (number, (body, stated)) in
        [(bent, from), (whole_two.clone(), unknown)].into_iter().enumerate()
    {
        let world = if number == 0 { &world } else { &World::enrolled() };
        let hq = if number == 0 { &hq } else { &ScriptedHq::of(world) };
        let (whole_one, whole_two) = (whole_one.clone(), whole_two.clone());
        hq.fault(move |request, _| {
            let path = request.path.strip_prefix("/sync/v1/rulebook/")?;
            Some(match path {
                path if path == one.hash.hex() => answer(&whole_one, None),
                path if path == two.hash.hex() => answer(&whole_two, None),
                _ => answer(&body, Some(&stated)),
            })
        });
        issue(hq, world, 1, one);
        sync(world, hq).unwrap();
        issue(hq, world, 2, two);
        sync(world, hq).unwrap();
        assert_eq!(newest(world), Some(two.hash));
        assert_eq!(asked(&hq.state()).len(), 3);
    }
}

#[test]
fn another_rulebook_than_the_one_named_is_never_used() {
    let world = World::enrolled();
    let hq = ScriptedHq::of(&world);
    let ((_, one), (other, _)) = (rulebook(1, ""), rulebook(1, "被换过"));
    // Another content, garbage, and a bomb that unpacks to far more than was signed.
    let bomb = pack(&vec![0; 64 << 20], &[]);
    for body in [pack(&other, &[]), b"garbage".to_vec(), bomb] {
        hq.fault(move |request, _| {
            request.path.contains("/rulebook/").then(|| answer(&body, None))
        });
        hq.state().feed.clear();
        issue(&hq, &world, 1, one);
        let error = sync(&world, &hq).unwrap_err();
        assert!(matches!(error, SyncError::BadProof(why) if why.contains("named")), "{error}");
        assert_eq!(newest(&world), None);
        assert_eq!(world.store().read(|r| r.feed_cursor()).unwrap(), 0, "it is fetched again");
    }
}
