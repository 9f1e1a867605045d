//! The feed: a page and its cursor commit together, and only what HQ signed for this device counts.

use sync_model::hash::Hash;
use sync_model::id::{DeviceId, LeaseId};
use sync_model::wire::feed::{Acceptance, CommandMessage, FeedBody, NumberLease};
use uuid::Uuid;

use super::rebuild::projections;
use super::world::{HqKeys, World, assignment, assignment_id, device_id, page};
use crate::error::StoreError;

fn command(title: &str) -> FeedBody {
    FeedBody::Command(CommandMessage { title: title.to_owned(), text: String::new() })
}

fn task(revision: u32, title: &str) -> FeedBody {
    FeedBody::Assignment(Box::new(assignment(1, revision, title)))
}

fn title(world: &World) -> String {
    let row = world.store().read(|r| r.assignment(assignment_id(1))).unwrap();
    row.unwrap().assignment.title
}

#[test]
fn a_page_and_its_cursor_commit_together() {
    let mut world = World::enrolled();
    let items = vec![world.hq.item(3, None, command("a")), world.hq.item(7, None, task(1, "t"))];
    let batch = world.store().take_feed(&page(items)).unwrap();
    assert_eq!((batch.items, batch.assignments), (2, 1));
    world.reopen();
    assert_eq!(world.store().read(|r| r.feed_cursor()).unwrap(), 7);
    assert_eq!(world.store().read(|r| r.command_messages()).unwrap().len(), 1);
    assert_eq!(title(&world), "t");
}

#[test]
fn one_bad_signature_rejects_the_whole_page() {
    let world = World::enrolled();
    let before = projections(world.store());
    let forged = HqKeys::new(50).item(2, None, command("forged"));
    let mut bent = world.hq.item(2, None, command("bent"));
    let last = bent.len() - 1;
    bent[last] ^= 1;
    for bad in [forged, bent] {
        let items = vec![world.hq.item(1, None, command("good")), bad];
        let refused = world.store().take_feed(&page(items));
        assert!(matches!(refused, Err(StoreError::Cose(_))));
        assert_eq!(projections(world.store()), before);
        assert_eq!(world.store().read(|r| r.feed_cursor()).unwrap(), 0);
    }
    assert_eq!(
        world.store().take_feed(&page(vec![world.hq.item(1, None, command("x"))])).unwrap().items,
        1
    );
}

#[test]
fn items_for_another_device_are_skipped() {
    let world = World::enrolled();
    let other = DeviceId(Uuid::from_u128(77));
    let items = vec![
        world.hq.item(1, Some(other), command("not for us")),
        world.hq.item(2, Some(device_id()), command("for us")),
    ];
    assert_eq!(world.store().take_feed(&page(items)).unwrap().items, 1);
    let titles = world.store().read(|r| r.command_messages()).unwrap();
    assert_eq!(titles.len(), 1);
    assert_eq!(titles[0].title, "for us");
}

#[test]
fn a_page_read_again_changes_nothing() {
    let world = World::enrolled();
    let items = vec![world.hq.item(1, None, command("a")), world.hq.item(2, None, task(1, "t"))];
    world.store().take_feed(&page(items.clone())).unwrap();
    let once = projections(world.store());
    let again = world.store().take_feed(&page(items)).unwrap();
    assert_eq!(again.items, 0);
    assert_eq!(projections(world.store()), once);
}

#[test]
fn an_older_revision_never_overwrites_a_newer_one() {
    let world = World::enrolled();
    for (index, revision, text) in [(1, 2, "second"), (2, 1, "first"), (3, 3, "third")] {
        world
            .store()
            .take_feed(&page(vec![world.hq.item(index, None, task(revision, text))]))
            .unwrap();
        let expected = if index == 3 { "third" } else { "second" };
        assert_eq!(title(&world), expected);
    }
}

#[test]
fn numbers_leased_to_another_device_are_never_used_here() {
    let world = World::enrolled();
    let lease = |number: u128, device, first| {
        FeedBody::NumberLease(NumberLease {
            lease: LeaseId(Uuid::from_u128(number)),
            device,
            authority: "town".to_owned(),
            word: "北综执当罚".to_owned(),
            year: 2026,
            first,
            last: first + 9,
        })
    };
    // Addressed to all, as a careless HQ might.
    let items = vec![
        world.hq.item(1, None, lease(1, DeviceId(Uuid::from_u128(77)), 1)),
        world.hq.item(2, None, lease(2, device_id(), 11)),
    ];
    world.store().take_feed(&page(items)).unwrap();
    assert_eq!(world.store().read(|r| r.free_numbers()).unwrap(), 10);
    let open = world.store().read(|r| r.open_lease("town", 2026)).unwrap().unwrap();
    assert_eq!((open.next, open.last), (11, 20));
}

#[test]
fn a_refusal_is_counted_and_a_later_acceptance_replaces_it() {
    let world = World::enrolled();
    let told = |accepted| {
        FeedBody::Acceptance(Acceptance { record: Hash::ZERO, seq: 4, accepted, findings: vec![] })
    };
    let first = world.store().take_feed(&page(vec![world.hq.item(1, None, told(false))])).unwrap();
    assert_eq!(first.refusals, 1);
    assert_eq!(world.store().read(|r| r.refusals()).unwrap().len(), 1);
    world.store().take_feed(&page(vec![world.hq.item(2, None, told(true))])).unwrap();
    assert!(world.store().read(|r| r.refusals()).unwrap().is_empty());
    assert!(world.store().read(|r| r.acceptance(4)).unwrap().unwrap().accepted);
}

/// TC-07 at the device: a list is never replaced by an older one, nor by one of another issuer.
#[test]
fn the_newest_status_list_holds_whatever_comes_after_it() {
    use sync_model::credential::CertificateStatus::{Active, Suspended};
    use sync_model::id::OfficerId;
    use sync_model::status::StatusList;

    use super::world::TEN;
    let mut world = World::enrolled();
    let officer = OfficerId(Uuid::from_u128(7));
    let signed = |number, status, keys: &HqKeys| {
        let list = StatusList::new(number, TEN, &[(officer, status)]);
        FeedBody::Status(list.sign(&keys.issuer).unwrap().into())
    };
    let told = |world: &World| {
        let list = world.store().status_list().unwrap().unwrap();
        (list.number, list.status(officer))
    };
    let items = vec![world.hq.item(1, None, signed(5, Suspended, &world.hq))];
    world.store().take_feed(&page(items)).unwrap();
    world.reopen();
    assert_eq!(told(&world), (5, Suspended));
    let old = world.hq.item(2, None, signed(4, Active, &world.hq));
    let strange = world.hq.item(3, None, signed(6, Active, &HqKeys::new(50)));
    world.store().take_feed(&page(vec![old, strange])).unwrap();
    assert_eq!(told(&world), (5, Suspended));
    assert_eq!(world.store().read(|r| r.feed_cursor()).unwrap(), 3, "it holds nothing up");
    let new = world.hq.item(4, None, signed(6, Active, &world.hq));
    world.store().take_feed(&page(vec![new])).unwrap();
    assert_eq!(told(&world), (6, Active));
}
