//! The code one handheld shows, checked by another one without a network.

use sync_model::credential_code::Verdict;
use sync_model::id::InspectionId;
use xunzheng::credential::{check, live_code, qr};

use super::support::people::arrive;
use super::support::world::{World, ok};

/// Two devices, each with its own officers; the first has begun a visit.
fn visit() -> (World, InspectionId) {
    let world = World::new(2);
    let device = &world.devices[0];
    let assignment = device.assignments()[0].assignment;
    let inspection = arrive(&world, device, assignment);
    (world, inspection)
}

#[test]
fn another_handheld_says_live_then_stale_and_never_takes_a_changed_code() {
    let (world, inspection) = visit();
    let [showing, checking] = &world.devices[..] else { panic!("two devices") };
    let code = ok(live_code(showing.services(), inspection, ""));
    assert!(code.starts_with("http://"), "{code}");
    let report = ok(check(checking.services(), &code));
    assert_eq!(report.verdict, Verdict::Live);
    let names: Vec<_> = report
        .officers
        .iter()
        .map(|one| one.shown.as_ref().unwrap().credential.name.as_str())
        .collect();
    assert_eq!(names, ["演练甲", "演练乙"]);
    let cut = code.get(..code.len() - 17).unwrap();
    assert_eq!(ok(check(checking.services(), cut)).verdict, Verdict::Malformed);
    world.clock.advance_ms(120_000);
    let later = ok(check(checking.services(), &code)).verdict;
    assert_eq!(later, Verdict::Stale { seconds: 120 });
    let again = ok(live_code(showing.services(), inspection, "4711"));
    let report = ok(check(checking.services(), &again));
    assert_eq!(report.verdict, Verdict::Live);
    let moment = &report.officers[1].shown.as_ref().unwrap().moment;
    assert_eq!((moment.challenge.as_str(), moment.inspection), ("4711", inspection));
}

#[test]
fn two_officers_fit_a_code_of_101_modules() {
    let (world, inspection) = visit();
    let code = ok(live_code(world.devices[0].services(), inspection, "4711"));
    let side = ok(qr(&code)).side - 8;
    println!("{} characters, {side} modules, version {}", code.len(), (side - 17) / 4);
    assert!(side <= 101, "{side} modules");
}

#[test]
fn a_code_of_another_platform_is_from_an_unknown_issuer() {
    let (world, inspection) = visit();
    let code = ok(live_code(world.devices[0].services(), inspection, ""));
    let elsewhere = World::of_one_pair(1);
    let report = ok(check(elsewhere.devices[0].services(), &code));
    assert_eq!(report.verdict, Verdict::UnknownIssuer);
}
