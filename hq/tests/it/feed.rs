//! The feed plane: numbered, signed, in order, only for whom it is meant.

use sync_model::cose::{self, Context};
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof::consistency_holds;
use sync_model::wire::feed::{CommandMessage, FeedBody, FeedItem};
use sync_model::wire::push::Receipt;

use crate::support::World;
use crate::support::device::Device;
use crate::support::http::send;

#[test]
fn pages_bring_every_item_once_and_only_to_its_device() {
    let world = World::start();
    let (one, two) = (Device::enroll(&world), Device::enroll(&world));
    for number in 0..25 {
        let device = if number % 3 == 0 { &two } else { &one };
        let message = CommandMessage { title: number.to_string(), text: "请核实".into() };
        world.hq().command(device.id, message).unwrap();
    }
    for (device, expected) in [(&one, 16), (&two, 9)] {
        let (mut after, mut titles) = (0, vec![]);
        loop {
            let (page, items) = device.feed(after, 4);
            assert!(items.len() <= 4);
            for item in items {
                assert!(item.index > after);
                assert_eq!(item.device, Some(device.id));
                after = item.index;
                let FeedBody::Command(message) = item.body else { panic!("not a command") };
                titles.push(message.title.parse::<u32>().unwrap());
            }
            if after >= page.head {
                break;
            }
        }
        assert_eq!(titles.len(), expected);
        assert!(titles.is_sorted());
        assert_eq!(device.push(&[]).ok::<Receipt>().feed_head, after);
        assert!(device.feed(after, 4).1.is_empty());
    }
}

#[test]
fn a_rulebook_reaches_every_device_and_never_goes_back() {
    let world = World::start();
    let json = include_str!("../../../assets/rulebook/sample.json");
    let rulebook = hq::practice::read_rulebook("sample", json).unwrap();
    let hash = world.hq().import_rulebook(&rulebook).unwrap();
    assert_eq!(hash, Hash::of(&sync_model::canonical::to_bytes(&rulebook).unwrap()));
    // The same again is no news.
    world.hq().import_rulebook(&rulebook).unwrap();
    let device = Device::enroll(&world);
    let (_, items) = device.feed(0, 200);
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].body, FeedBody::Rulebook(Box::new(rulebook.clone())));
    let mut other = rulebook.clone();
    other.note.push('改');
    assert!(world.hq().import_rulebook(&other).is_err());
    other.version += 1;
    world.hq().import_rulebook(&other).unwrap();
    assert_eq!(device.feed(items[0].index, 200).1.len(), 1);
    assert_eq!(*world.hq().newest_rulebook().unwrap().unwrap(), other);
}

#[test]
fn anybody_can_check_that_the_log_only_grew() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let get = |path: &str| send(world.address(), "GET", path, &[], &[]);
    let checkpoint = || {
        let note = String::from_utf8(get("/sync/v1/log/checkpoint").body).unwrap();
        Checkpoint::open(&note, &device.trust.log_origin, &device.trust.log_key).unwrap()
    };
    let mut states = vec![checkpoint()];
    assert_eq!(states[0].size, 0);
    for count in [1, 2, 5, 8] {
        let records: Vec<_> = (0..count).map(|_| device.any()).collect();
        device.push(&records).ok::<Receipt>();
        let trust = &device.trust;
        let note = String::from_utf8(get("/sync/v1/log/checkpoint").body).unwrap();
        states.push(Checkpoint::open(&note, &trust.log_origin, &trust.log_key).unwrap());
    }
    for (old, new) in states.iter().zip(states.iter().skip(1)) {
        let path = format!("/sync/v1/log/consistency?from={}&to={}", old.size, new.size);
        let proof: Vec<Hash> = get(&path).ok();
        assert!(consistency_holds(old.size, old.root, new.size, new.root, &proof));
    }
    assert_eq!(get("/sync/v1/log/consistency?from=99").status, 422);
    assert_eq!(get("/health").body, b"ok\n");
    let page = String::from_utf8(get("/").body).unwrap();
    assert!(page.contains("总部平台") && page.contains(&device.trust.log_origin));
}

fn rulebook_of_version(version: u32) -> sync_model::rulebook::Rulebook {
    let json = include_str!("../../../assets/rulebook/sample.json");
    let mut rulebook = hq::practice::read_rulebook("sample", json).unwrap();
    rulebook.version = version;
    rulebook
}

/// What the task of a cache is: bytes by their hash, whole or as a difference.
#[test]
fn a_rulebook_comes_by_its_hash_whole_or_as_what_changed() {
    let world = World::start();
    let mut rulebook = rulebook_of_version(1);
    let first = world.hq().import_rulebook(&rulebook).unwrap();
    rulebook.version = 2;
    rulebook.matters[0].name.push_str("（修订）");
    let second = world.hq().import_rulebook(&rulebook).unwrap();
    let plain = sync_model::canonical::to_bytes(&rulebook).unwrap();
    let get = |path: String| send(world.address(), "GET", &path, &[], &[]);
    let whole = get(format!("/sync/v1/rulebook/{second}"));
    let delta = get(format!("/sync/v1/rulebook/{second}?from={first}"));
    assert!(whole.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(whole.header("xunzheng-from"), None);
    assert_eq!(delta.header("xunzheng-from"), Some(first.hex()));
    println!(
        "one matter changed: {} bytes plain, {} packed whole, {} as difference",
        plain.len(),
        whole.body.len(),
        delta.body.len()
    );
    assert!(delta.body.len() * 10 < whole.body.len());
    assert_eq!(zstd::decode_all(&whole.body[..]).unwrap(), plain);
    // One that HQ does not know is no reason to fail.
    let unknown = get(format!("/sync/v1/rulebook/{second}?from={}", Hash::of(b"x")));
    assert_eq!((unknown.header("xunzheng-from"), unknown.body), (None, whole.body));
    assert_eq!(get(format!("/sync/v1/rulebook/{}", Hash::of(b"x"))).status, 404);
    assert_eq!(get("/sync/v1/rulebook/x".to_owned()).status, 422);
}

#[test]
fn who_asks_for_names_gets_names_and_everybody_else_the_whole() {
    let world = World::start();
    let rulebook = rulebook_of_version(1);
    let hash = world.hq().import_rulebook(&rulebook).unwrap();
    let device = Device::enroll(&world);
    let (_, whole) = device.feed(0, 200);
    assert_eq!(whole[0].body, FeedBody::Rulebook(Box::new(rulebook)));
    let page: sync_model::wire::feed::FeedPage =
        device.call("GET", "/feed?after=0&limit=9&rulebooks=2", &[], &[]).ok();
    assert!(page.items[0].len() < 400);
    let payload = cose::verify(Context::Feed, &page.items[0], &device.trust.feed_key).unwrap();
    let item: FeedItem = sync_model::canonical::from_bytes(&payload, 1 << 20).unwrap();
    assert_eq!((item.index, item.device), (whole[0].index, None));
    assert!(matches!(item.body, FeedBody::RulebookNamed(name) if name.hash == hash));
    // The same bytes each time, so that a device never sees two items at one index.
    let again: sync_model::wire::feed::FeedPage =
        device.call("GET", "/feed?after=0&limit=9&rulebooks=2", &[], &[]).ok();
    assert_eq!(again.items, page.items);
}
