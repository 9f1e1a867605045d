//! What was typed is there after a restart, and the cursor goes where it was.

use super::world::{HOUR_MS, World};

fn fields(world: &World) -> Vec<(String, String)> {
    let rows = world.store().read(|r| r.draft("case/1")).unwrap();
    rows.into_iter().map(|row| (row.field, row.value)).collect()
}

#[test]
fn every_field_survives_and_the_last_one_is_where_to_resume() {
    let mut world = World::enrolled();
    let store = world.store();
    store.save_draft("case/1", "violation", "店外经").unwrap();
    store.save_draft("case/1", "place", "门前").unwrap();
    store.save_draft("case/1", "violation", "店外经营").unwrap();
    store.save_draft("case/2", "place", "别处").unwrap();
    world.reopen();
    let expected = [("place", "门前"), ("violation", "店外经营")]
        .map(|(field, value)| (field.to_owned(), value.to_owned()));
    assert_eq!(fields(&world), expected);
    world.store().forget_draft("case/1").unwrap();
    assert!(fields(&world).is_empty());
    assert_eq!(world.store().read(|r| r.draft("case/2")).unwrap().len(), 1);
}

/// The order once hung on the wall clock; a clock that fell back sent the officer to a field
/// finished long ago.
#[test]
fn the_field_to_resume_does_not_depend_on_the_clock() {
    let world = World::enrolled();
    world.store().save_draft("case/1", "violation", "a").unwrap();
    world.clock.jump_ms(-HOUR_MS);
    world.store().save_draft("case/1", "place", "b").unwrap();
    assert_eq!(fields(&world).last().unwrap().0, "place");
    // Two saves within one millisecond.
    world.store().save_draft("case/1", "violation", "c").unwrap();
    assert_eq!(fields(&world).last().unwrap().0, "violation");
}
