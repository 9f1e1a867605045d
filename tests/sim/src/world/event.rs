//! What can happen in the simulated world, and how a seed chooses it.
//!
//! Each event carries its own chances, so that taking one away leaves the others as they are; its
//! debug form is what a regression test pastes.

use super::random::Random;

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives and so does the answer.
    Arrives,
    /// It is lost.
    Lost,
    /// It arrives, the answer is lost.
    ReplyLost,
    /// It arrives twice; the second answer comes back.
    Twice,
    /// It arrives hours later, after others; nobody waits for the answer any more.
    Late,
    /// It is lost, and the answer to an earlier request comes instead.
    StaleReply,
    /// Only so many thousandths of the body arrive.
    Cut(u16),
    /// Only so many thousandths of the answer come back.
    ReplyCut(u16),
    /// One bit of the body is flipped, at so many thousandths.
    Flipped(u16),
    /// HQ's process ends before the request.
    HqDies,
    /// HQ's process ends after it acted and before it answers.
    HqDiesAfter,
    /// HQ cannot just now.
    Busy,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An officer records a lead.
    Lead(u8),
    /// An officer takes a photograph of so many bytes.
    Photo(u8, u32),
    /// A document number is taken from a lease.
    Number(u8),
    /// A sync round, with what becomes of its requests; those after the list arrive.
    Sync(u8, Vec<Fate>),
    /// A request that was under way for hours arrives now: the n-th of those.
    Arrive(u8),
    /// The device's program ends and starts again, after a reboot.
    RestartDevice(u8),
    /// HQ's process ends and starts again.
    RestartHq,
    /// So many minutes pass.
    Pass(u16),
    /// The device's clock jumps by so many minutes.
    Jump(u8, i32),
    /// The device has no network, or has it again.
    Network(u8, bool),
    /// HQ revokes the device.
    Revoke(u8),
    /// Somebody copies the device's folder and starts the copy as another device.
    Clone(u8),
    /// Somebody keeps a copy of the device's folder.
    BackUp(u8),
    /// The device's folder is put back to the copy that was kept.
    Restore(u8),
    /// HQ issues a rulebook.
    Rulebook,
    /// HQ leases document numbers to the device.
    Lease(u8),
    /// HQ sends the device a message.
    Message(u8),
    /// An officer asks to try again what was parked.
    Resume(u8),
}

/// How long a run is and what is in it.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Fewest events.
    pub events_min: u64,
    /// Most events.
    pub events_max: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self { events_min: 10, events_max: 26 }
    }
}

/// Returns the number of devices at the start and the events of a seed.
#[must_use]
pub fn script(seed: u64, shape: Shape) -> (u8, Vec<Event>) {
    let mut random = Random::new(seed);
    let devices = small(random.below(3)) + 2;
    let spread = shape.events_max.saturating_sub(shape.events_min) + 1;
    let count = shape.events_min + random.below(spread);
    // Some worlds know no copies and no revocation: in those everything must arrive.
    let foul = random.chance(50);
    let events = (0..count).map(|_| one(&mut random, foul)).collect();
    (devices, events)
}

fn small(number: u64) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn one(random: &mut Random, foul: bool) -> Event {
    // Counted around all machines there are then, copies included.
    let device = small(random.below(60));
    match random.below(100) {
        0..24 => Event::Lead(device),
        24..32 => {
            let bytes = [1_u32, 900, 20_000, 262_144, 300_000];
            Event::Photo(device, bytes.get(random.index(bytes.len())).copied().unwrap_or(1))
        }
        32..37 => Event::Number(device),
        37..62 => Event::Sync(device, fates(random)),
        62..65 => Event::Arrive(small(random.below(4))),
        65..69 => Event::RestartDevice(device),
        69..72 => Event::RestartHq,
        72..75 => Event::Pass(u16::try_from(random.below(24 * 60)).unwrap_or(0)),
        75..78 => Event::Jump(device, jump(random)),
        78..81 => Event::Network(device, random.chance(40)),
        81..82 => Event::Rulebook,
        82..84 => Event::Lease(device),
        84..85 => Event::Message(device),
        85..86 => Event::Resume(device),
        _ if !foul => Event::Lead(device),
        86..88 => Event::Revoke(device),
        88..92 => Event::Clone(device),
        92..96 => Event::BackUp(device),
        _ => Event::Restore(device),
    }
}

/// A second, an hour, a day, to 1970, to 2099, back and forth.
fn jump(random: &mut Random) -> i32 {
    let jumps = [1, -1, 60, -60, 1_440, -1_440, -29_900_000, 38_000_000];
    jumps.get(random.index(jumps.len())).copied().unwrap_or(1)
}

/// Most requests of a bad line are met by something: lost 10 %, doubled 10 %, out of order 20 %.
fn fates(random: &mut Random) -> Vec<Fate> {
    if random.chance(25) {
        return vec![];
    }
    let count = 1 + random.below(6);
    (0..count).map(|_| fate(random)).collect()
}

fn fate(random: &mut Random) -> Fate {
    let at = u16::try_from(random.below(1000)).unwrap_or(0);
    match random.below(100) {
        0..10 => Fate::Lost,
        10..20 => Fate::Twice,
        20..30 => Fate::Late,
        30..40 => Fate::StaleReply,
        40..48 => Fate::ReplyLost,
        48..52 => Fate::Cut(at),
        52..56 => Fate::ReplyCut(at),
        56..59 => Fate::Flipped(at),
        59..61 => Fate::HqDies,
        61..64 => Fate::HqDiesAfter,
        64..66 => Fate::Busy,
        _ => Fate::Arrives,
    }
}
