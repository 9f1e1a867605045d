//! The feed during a round: what is not HQ's is refused, and what came before it stays.

use sync_model::wire::feed::{CommandMessage, FeedBody, FeedPage};

use super::hq::{Request, ScriptedHq, body};
use super::sync;
use crate::error::{Outcome, SyncError};
use crate::store::tests::world::{HqKeys, TEN, World, lead};

fn command(keys: &HqKeys, index: u64) -> Vec<u8> {
    let message = CommandMessage { title: index.to_string(), text: String::new() };
    keys.item(index, None, FeedBody::Command(message))
}

fn is_feed(request: &Request) -> bool {
    request.path.contains("/feed?")
}

#[test]
fn items_come_down_once_and_in_order() {
    let world = World::enrolled();
    let hq = ScriptedHq::of(&world);
    for index in [2, 5, 9] {
        let bytes = command(&world.hq, index);
        hq.state().feed.push((index, bytes));
    }
    assert_eq!(sync(&world, &hq).unwrap().feed_items, 3);
    assert_eq!(sync(&world, &hq).unwrap().feed_items, 0);
    let titles: Vec<String> = world
        .store()
        .read(|r| r.command_messages())
        .unwrap()
        .into_iter()
        .map(|message| message.title)
        .collect();
    assert_eq!(titles, ["9", "5", "2"]);
}

#[test]
fn a_forged_item_stops_the_feed_but_not_the_records() {
    let world = World::enrolled();
    world.act(lead("1"));
    let hq = ScriptedHq::of(&world);
    let forged = command(&HqKeys::new(90), 1);
    hq.state().feed.push((1, forged));
    let error = sync(&world, &hq).unwrap_err();
    assert!(matches!(error, SyncError::BadProof(_)), "{error}");
    assert_eq!(error.outcome(), Outcome::Damaged);
    assert_eq!(world.store().read(|r| r.feed_cursor()).unwrap(), 0);
    assert_eq!(world.store().read(|r| r.outbox_counts()).unwrap().received, 1);
    let right = command(&world.hq, 1);
    hq.state().feed = vec![(1, right)];
    assert_eq!(sync(&world, &hq).unwrap().feed_items, 1);
}

#[test]
fn a_page_that_repeats_itself_ends_the_round() {
    let world = World::enrolled();
    let hq = ScriptedHq::of(&world);
    let items: Vec<_> = vec![command(&world.hq, 1).into()];
    hq.state().feed = vec![(9, command(&world.hq, 9))];
    hq.fault(move |request, _| {
        // HQ claims more to come and sends the same again.
        is_feed(request).then(|| body(&FeedPage { items: items.clone(), head: 9, hq_at: TEN }))
    });
    let error = sync(&world, &hq).unwrap_err();
    assert!(matches!(error, SyncError::Garbage(_)), "{error}");
    assert_eq!(world.store().read(|r| r.command_messages()).unwrap().len(), 1);
}

/// An item that a later HQ invented once held up the whole feed.
#[test]
fn an_item_this_program_does_not_know_is_kept_and_holds_nothing_up() {
    use sync_model::canonical;
    use sync_model::cose::{self, Context};
    #[derive(serde::Serialize)]
    struct Later {
        index: u64,
        device: Option<()>,
        issued_at: i64,
        body: Vec<(&'static str, u64)>,
    }
    let world = World::enrolled();
    let hq = ScriptedHq::of(&world);
    let item = Later { index: 1, device: None, issued_at: 5, body: vec![("drone_orders", 7)] };
    let payload = canonical::to_bytes(&item).unwrap();
    let unknown = cose::sign(Context::Feed, &payload, &world.hq.feed).unwrap();
    let known = command(&world.hq, 2);
    hq.state().feed = vec![(1, unknown.clone()), (2, known)];
    assert_eq!(sync(&world, &hq).unwrap().feed_items, 2);
    assert_eq!(world.store().read(|r| r.feed_cursor()).unwrap(), 2);
    assert_eq!(world.store().read(|r| r.command_messages()).unwrap().len(), 1);
    let kept = world.store().read(|r| r.unknown_feed_items()).unwrap();
    assert_eq!(kept, [(1, unknown)]);
    // Nothing is read twice, and a forged item of an unknown kind is still a forgery.
    assert_eq!(sync(&world, &hq).unwrap().feed_items, 0);
    let forged = cose::sign(Context::Feed, &payload, &HqKeys::new(90).feed).unwrap();
    hq.state().feed = vec![(3, forged)];
    assert!(matches!(sync(&world, &hq).unwrap_err(), SyncError::BadProof(_)));
}

/// A rulebook of half a megabyte could once not be verified, since every signed object was held to
/// the size of a record.
#[test]
fn an_item_larger_than_any_record_comes_down() {
    let world = World::enrolled();
    let hq = ScriptedHq::of(&world);
    let text = "法".repeat(300_000);
    let message = CommandMessage { title: "long".to_owned(), text: text.clone() };
    let bytes = world.hq.item(1, None, FeedBody::Command(message));
    hq.state().feed.push((1, bytes));
    assert_eq!(sync(&world, &hq).unwrap().feed_items, 1);
    assert_eq!(world.store().read(|r| r.command_messages()).unwrap()[0].text, text);
}
