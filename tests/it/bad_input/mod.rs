//! What goes wrong in the field: each with a sentence that says what to do, and nothing lost.

mod database;
mod full_disk;
mod hq;
mod name;
mod photograph;
mod pin;

use sync_model::id::InspectionId;

use crate::support::people::arrive;
use crate::support::world::{World, ok};

const PERSON: &str = "演练当事人";

fn on_visit() -> (World, InspectionId) {
    let world = World::new(1);
    let device = &world.devices[0];
    let inspection = arrive(&world, device, device.find("演练小吃店"));
    (world, inspection)
}

/// Everything goes up and every invariant holds.
fn finish(world: &World) {
    let device = &world.devices[0];
    ok(device.sync());
    ok(device.sync());
    assert!(device.is_empty(), "something still waits");
    let counted = world.check();
    assert_eq!(counted.records, counted.receipts);
}
