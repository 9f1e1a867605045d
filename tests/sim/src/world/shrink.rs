//! Runs seeds, and takes events away from a failing one until none can be spared.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::event::{Event, Fate, Shape, script};
use super::{Summary, Template, Violation, World};

/// A failing seed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// Devices at the start.
    pub devices: u8,
    /// As few events as still fail.
    pub events: Vec<Event>,
    /// What does not hold.
    pub violation: Violation,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(out, "seed {}: {}", self.seed, self.violation)?;
        writeln!(out, "replay(&template, {}, &[", self.devices)?;
        for event in &self.events {
            writeln!(out, "    {event:?},")?;
        }
        write!(out, "])")
    }
}

/// Plays a list of events from the start.
///
/// # Errors
/// The first invariant that does not hold; a panic is one.
pub fn replay(template: &Template, devices: u8, events: &[Event]) -> Result<Summary, Violation> {
    let run = || World::new(template, devices)?.run(events);
    // What panicked is dropped with its world; nothing of it is used again.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        Err(Violation::new("nothing panics", text.unwrap_or_default()))
    })
}

/// Runs a seed.
///
/// # Errors
/// The failing events, as few as possible.
pub fn run_seed(template: &Template, seed: u64, shape: Shape) -> Result<Summary, Box<Failure>> {
    let (devices, events) = script(seed, shape);
    replay(template, devices, &events).map_err(|violation| {
        let fails = |events: &[Event]| {
            replay(template, devices, events).err().filter(|found| found.rule == violation.rule)
        };
        let events = shrink(events, |events| fails(events).is_some());
        let violation = fails(&events).unwrap_or(violation.clone());
        Box::new(Failure { seed, devices, events, violation })
    })
}

/// Takes away as much as `fails` lets: first halves, then quarters, then single events, then the
/// faults within them.
#[must_use]
pub fn shrink(mut events: Vec<Event>, fails: impl Fn(&[Event]) -> bool) -> Vec<Event> {
    let mut size = events.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < events.len() {
            let mut fewer = events.clone();
            fewer.drain(at..at.saturating_add(size).min(fewer.len()));
            if fails(&fewer) {
                events = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    for at in 0..events.len() {
        let Some(Event::Sync(device, fates)) = events.get(at).cloned() else { continue };
        for keep in 0..fates.len() {
            let mut simpler = events.clone();
            let fewer = fates.iter().enumerate();
            let fewer = fewer.map(|(nth, fate)| if nth == keep { *fate } else { Fate::Arrives });
            if let Some(place) = simpler.get_mut(at) {
                *place = Event::Sync(device, fewer.take(keep + 1).collect());
            }
            if fails(&simpler) {
                events = simpler;
                break;
            }
        }
    }
    events
}
