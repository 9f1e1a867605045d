//! The exhaustive model holds, and each broken rule is found.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests stop and say what they saw")]

use std::time::Instant;

use sim::model::rule::FLAWS;
use sim::model::{Custody, Second};
use stateright::{Checker as _, HasDiscoveries, Model as _};

fn holds(name: &str, model: Custody) {
    let began = Instant::now();
    let checker = model.checker().threads(2).spawn_bfs().join();
    let (states, steps) = (checker.unique_state_count(), checker.state_count());
    let (depth, took) = (checker.max_depth(), began.elapsed().as_secs_f64());
    println!("model, {name}: {states} states, {steps} steps, depth {depth}, {took:.1} s");
    checker.assert_properties();
    assert!(checker.is_done() && states > 1_000, "{name}: hardly anything was tried");
}

#[test]
fn two_devices_with_three_records_each_keep_every_invariant_in_every_order_of_events() {
    holds("two devices, 3 records each", Custody::whole(Second::Own));
}

#[test]
fn a_device_and_its_copy_with_three_records_each_keep_every_invariant() {
    holds("a device and its copy, 3 records each", Custody::whole(Second::Copy));
}

#[test]
fn machines_that_stop_between_reading_and_writing_a_receipt_keep_every_invariant() {
    holds("stops with a receipt in memory, own", Custody::small(Second::Own));
    holds("stops with a receipt in memory, copy", Custody::small(Second::Copy));
}

#[test]
fn no_device_believes_an_hq_that_came_back_from_an_older_copy_of_itself() {
    holds("HQ rolled back", Custody::rolled_back());
}

#[test]
fn each_broken_rule_is_found() {
    for flaw in FLAWS {
        let finish = HasDiscoveries::AnyFailures;
        let checker = Custody::broken(flaw).checker().finish_when(finish).spawn_bfs().join();
        let found = checker.discoveries();
        let (name, path) =
            found.into_iter().min_by_key(|(_, path)| path.clone().into_actions().len()).unwrap();
        println!("model, {flaw:?}: {} states, breaks {name:?} by", checker.unique_state_count());
        println!("  {:?}", path.into_actions());
    }
}
