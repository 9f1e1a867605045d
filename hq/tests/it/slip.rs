//! A slip is enough: it says where its record stands, and proves an omission, an exchange and a
//! second log by itself.

use hq::Standing;
use sync_model::chain::Head;
use sync_model::hash::{Hash, hex};
use sync_model::log::note::Checkpoint;
use sync_model::log::proof;
use sync_model::log::tile;
use sync_model::record::{LogHead, Record};
use sync_model::slip::{Opened, SLIP_DUE_MS, Slip};

use crate::support::World;
use crate::support::device::Device;
use crate::support::http::send;

const ADDRESS: &str = "https://hq.example";

/// Returns the newest state of the log, as a device would have verified it.
fn seen(world: &World, device: &Device) -> LogHead {
    let note = world.hq().log_checkpoint().unwrap();
    let found = Checkpoint::open(&note, &device.trust.log_origin, &device.trust.log_key).unwrap();
    LogHead { size: found.size, root: found.root }
}

fn slip_of(device: &Device, record: &Record, seen: Option<LogHead>) -> String {
    Slip::of(record, seen).to_url(ADDRESS, &device.certificate, &device.key).unwrap()
}

fn opened(device: &Device, slip: &str) -> Opened {
    Slip::open(slip, &device.trust.issuer_key).unwrap()
}

fn lookup(world: &World, slip: &Slip) -> serde_json::Value {
    let seen = slip.seen.map_or(0, |seen| seen.size);
    let path = format!("/c/slip/{}?seen={seen}", hex(&slip.record.0));
    let reply = send(world.address(), "GET", &path, &[], &[]);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("cache-control").as_deref(), Some("no-store"));
    serde_json::from_slice(&reply.body).unwrap()
}

fn hashes(value: &serde_json::Value) -> Vec<Hash> {
    let items = value.as_array().unwrap();
    items.iter().map(|one| Hash::from_hex(one.as_str().unwrap()).unwrap()).collect()
}

#[test]
fn a_logged_record_is_answered_with_place_time_and_proofs() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let first = device.any();
    device.push(&[first]);
    let before = seen(&world, &device);
    let second = device.any();
    let slip = slip_of(&device, &second, Some(before));
    let third = device.any();
    device.push(&[second.clone(), third]);
    let since = hq::HqClock::now(&*world.clock).0;
    let Opened { slip: promise, .. } = opened(&device, &slip);
    let answer = lookup(&world, &promise);
    let note = answer["checkpoint"].as_str().unwrap();
    let now = Checkpoint::open(note, &device.trust.log_origin, &device.trust.log_key).unwrap();
    let index = answer["place"]["index"].as_u64().unwrap();
    assert_eq!(answer["place"]["since"].as_i64(), Some(since));
    let leaf = sync_model::log::leaf(&second.hash, device.id, second.envelope.seq);
    let path = hashes(&answer["place"]["inclusion"]);
    assert_eq!(proof::root_from_inclusion(leaf, index, now.size, &path), Some(now.root));
    let growth = hashes(&answer["growth"]);
    assert!(proof::consistency_holds(before.size, before.root, now.size, now.root, &growth));
    let report = world.hq().slip(&slip).unwrap().unwrap();
    assert!(matches!(report.standing, Standing::Logged(ref place) if place.index == index));
    assert!(report.same_log);
}

/// HQ takes the record, and then pretends it never came; or never lets it in. The slip is the proof: it
/// is signed by a device that HQ itself certified, it is due, and the whole published log, to which
/// HQ's signature commits it, has no such leaf.
#[test]
fn an_omission_is_proven_by_the_slip_alone() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let first = device.any();
    device.push(&[first]);
    let withheld = device.any();
    let slip = slip_of(&device, &withheld, Some(seen(&world, &device)));
    let report = |world: &World| world.hq().slip(&slip).unwrap().unwrap().standing;
    assert_eq!(report(&world), Standing::Awaited);
    world.clock.advance(SLIP_DUE_MS + 60_000);
    assert_eq!(report(&world), Standing::Missing);
    let Opened { slip: promise, device: certified } = opened(&device, &slip);
    assert_eq!(certified.key, sync_model::cose::Signer::public(&device.key));
    let answer = lookup(&world, &promise);
    assert!(answer["place"].is_null());
    let note = answer["checkpoint"].as_str().unwrap();
    let now = Checkpoint::open(note, &device.trust.log_origin, &device.trust.log_key).unwrap();
    let leaf = sync_model::log::entry(&withheld.hash, device.id, withheld.envelope.seq);
    let path = format!("/log/v1/tile/entries/000.p/{}", now.size);
    assert_eq!(world.hq().publish_log().unwrap(), now.size);
    let bundle = send(world.address(), "GET", &path, &[], &[]);
    assert_eq!(bundle.status, 200, "{path}");
    let entries = tile::entries(&bundle.body).unwrap();
    assert_eq!(entries.len() as u64, now.size);
    assert!(!entries.contains(&leaf.as_slice()));
    // Once it comes after all, the same slip says so.
    device.push(&[withheld]);
    assert!(matches!(report(&world), Standing::Logged(_)));
}

#[test]
fn another_record_at_the_promised_place_is_named() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let promised = device.any();
    let slip = slip_of(&device, &promised, None);
    // The device was set back, and made another first record.
    device.records.clear();
    device.head = Head::genesis(&device.certificate);
    let other = device.any();
    device.push(std::slice::from_ref(&other));
    let report = world.hq().slip(&slip).unwrap().unwrap();
    assert_eq!(report.standing, Standing::Replaced(other.hash));
}

#[test]
fn slips_of_two_logs_are_found() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let record = device.any();
    device.push(std::slice::from_ref(&record));
    let shown = seen(&world, &device);
    let elsewhere = LogHead { root: Hash::of(b"what another party was shown"), ..shown };
    let honest = slip_of(&device, &record, Some(shown));
    let other = slip_of(&device, &record, Some(elsewhere));
    let longer = slip_of(&device, &record, Some(LogHead { size: 9, ..elsewhere }));
    // Two parties need nobody else where the size is the same.
    assert!(opened(&device, &honest).slip.contradicts(&opened(&device, &other).slip));
    let same_log = |slip: &str| world.hq().slip(slip).unwrap().unwrap().same_log;
    assert!(same_log(&honest) && !same_log(&other) && !same_log(&longer));
    // A log shorter than what the slip saw cannot show growth from it.
    assert!(lookup(&world, &opened(&device, &longer).slip)["growth"].is_null());
    assert!(world.hq().slip("12345").unwrap().is_err());
}
