//! Plays paths of the exhaustive model on real devices and the real HQ and compares both after
//! every step: what the model proves is only worth something if the code does the same.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_bytes::ByteBuf;
use sync_core::sync::{Exchange, Method};
use sync_model::canonical;
use sync_model::cose::{self, Context};
use sync_model::hash::Hash;
use sync_model::wire::push::PushRequest;
use sync_model::wire::request::RequestStatement;
use sync_model::wire::{FEED_BYTES_MAX, HEADER_REQUEST, MEDIA_CBOR, PREFIX};

use super::event::{Event, Fate};
use super::network::lock;
use super::{Template, Violation, World, check};
use crate::model::state::{Push, Rec, State, Status};
use crate::model::trace::Trace;
use crate::model::{Action, Second};

/// Plays one path; returns how many steps were compared.
///
/// # Errors
/// The first step after which code and model differ.
pub fn follow(template: &Template, second: Second, trace: &Trace) -> Result<usize, Violation> {
    let machines = if second == Second::Copy { 1 } else { 2 };
    let mut world = World::new(template, machines)?;
    let mut group = None;
    for (nth, (action, expected)) in trace.iter().enumerate() {
        step(&mut world, &mut group, action)?;
        let found = seen(&world)?;
        if found != model(expected) {
            let done: Vec<&Action> = trace.iter().take(nth + 1).map(|(action, _)| action).collect();
            let what = format!("{done:?}\n code {found:?}\nmodel {:?}", model(expected));
            return Err(Violation::new("code and model differ", what));
        }
    }
    Ok(trace.len())
}

fn step(world: &mut World, group: &mut Option<Push>, action: &Action) -> Result<(), Violation> {
    match action {
        Action::Commit(at) => world.device(usize::from(*at))?.lead(),
        Action::Copy => world.copy(0),
        // HQ has it in memory; nothing is on its disk before it settles.
        Action::Take(push) => {
            *group = Some(*push);
            Ok(())
        }
        Action::Settle => {
            if let Some(push) = group.take() {
                let exchange = exchange(world, push)?;
                lock(&world.net).deliver(&exchange);
            }
            Ok(())
        }
        Action::RestartHq => {
            *group = None;
            lock(&world.net).restart()
        }
        Action::Revoke(device) => world.revoke(usize::from(*device)),
        Action::Read(reply) => {
            let exchange = exchange(world, reply.to)?;
            let machine = reply.to.machine;
            lock(&world.net).replace_next(exchange);
            world.play(&Event::Sync(
                machine,
                vec![Fate::Arrives, Fate::Lost, Fate::Lost, Fate::Lost],
            ))
        }
        other => Err(Violation::new("simulator", format!("{other:?} has no counterpart"))),
    }
}

/// Returns the request with which the machine sends, or once sent, these records.
fn exchange(world: &mut World, push: Push) -> Result<Exchange, Violation> {
    let device = world.device(usize::from(push.machine))?;
    let store = device.store()?;
    let rows = store
        .read(|r| r.records_from(push.first.into(), push.count.into()))
        .map_err(Violation::of("simulator"))?;
    let head = store.read(|r| r.log_head()).map_err(Violation::of("simulator"))?;
    let request = PushRequest {
        records: rows.into_iter().map(|row| ByteBuf::from(row.bytes)).collect(),
        seen_size: head.map(|head| head.size),
    };
    let body = canonical::to_bytes(&request).map_err(Violation::of("simulator"))?;
    let path = format!("{PREFIX}/push");
    let statement = RequestStatement {
        device: Some(device.id),
        method: "POST".to_owned(),
        path: path.clone(),
        body: Hash::of(&body),
        nonce: [7; 16],
    };
    let payload = canonical::to_bytes(&statement).map_err(Violation::of("simulator"))?;
    let signed = cose::sign(Context::Request, &payload, store.device_key())
        .map_err(Violation::of("simulator"))?;
    let headers =
        vec![(HEADER_REQUEST, STANDARD.encode(signed)), ("content-type", MEDIA_CBOR.to_owned())];
    Ok(Exchange { method: Method::Post, path, headers, body, reply_max: FEED_BYTES_MAX })
}

/// What both sides are compared by.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    machines: Vec<Vec<Status>>,
    log: Vec<Rec>,
    forks: BTreeSet<Rec>,
    quarantine: BTreeSet<Rec>,
}

fn model(state: &State) -> Seen {
    // A machine that does not exist yet has no records.
    let machines = state.machines.iter().map(|machine| machine.status.clone()).collect();
    let hq = &state.hq;
    let (log, forks, quarantine) = (hq.log.clone(), hq.forks.clone(), hq.quarantine.clone());
    Seen { machines, log, forks, quarantine }
}

fn seen(world: &World) -> Result<Seen, Violation> {
    let mut names: BTreeMap<Hash, Rec> = BTreeMap::new();
    let mut machines = Vec::new();
    let small = |number: u64| u8::try_from(number).unwrap_or(u8::MAX);
    let first = world.devices.first().map(|device| device.id);
    for (branch, device) in (0..).zip(&world.devices) {
        let parked = device.store()?.read(|r| r.parked()).map_err(Violation::of("simulator"))?;
        let mut statuses = Vec::new();
        for (seq, hash) in &device.committed {
            let of = if Some(device.id) == first { 0 } else { branch };
            names.entry(*hash).or_insert(Rec { device: of, seq: small(*seq), branch });
            statuses.push(match device.receipted.get(seq) {
                Some(index) => Status::Received(small(*index)),
                None if parked.iter().any(|row| row.seq == *seq) => Status::Parked,
                None => Status::Pending,
            });
        }
        machines.push(statuses);
    }
    machines.resize(2, vec![]);
    let held = check::held(lock(&world.net).folder())?;
    let named = |hashes: &[Hash]| {
        hashes.iter().filter_map(|hash| names.get(hash).copied()).collect::<Vec<_>>()
    };
    Ok(Seen {
        machines,
        log: named(&held.log),
        forks: named(&held.forks).into_iter().collect(),
        quarantine: named(&held.quarantine).into_iter().collect(),
    })
}
