//! Cases made by the exhaustive model, played on the real code.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests stop and say what they saw")]

use std::sync::atomic::{AtomicUsize, Ordering};

use sim::model::{Custody, Second, trace};
use sim::world::{Template, conform};

/// Cases of each kind.
const CASES: usize = 300;

fn follow(second: Second, revocations: u8) {
    let model = Custody { revocations, memory: false, ..Custody::small(second) };
    let traces = trace::cases(&model, CASES);
    let template = Template::make().unwrap();
    let (next, steps) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(trace) = traces.get(next.fetch_add(1, Ordering::SeqCst)) {
                    match conform::follow(&template, second, trace) {
                        Ok(compared) => steps.fetch_add(compared, Ordering::SeqCst),
                        Err(violation) => panic!("{violation}"),
                    };
                }
            });
        }
    });
    println!("conform, {second:?}: {} cases, {} steps compared", traces.len(), steps.into_inner());
    assert!(traces.len() >= CASES / 2, "the model made too few cases: {}", traces.len());
}

#[test]
fn two_devices_do_what_the_model_does() {
    follow(Second::Own, 1);
}

#[test]
fn a_device_and_its_copy_do_what_the_model_does() {
    follow(Second::Copy, 1);
}
