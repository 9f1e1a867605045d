//! Thousands of seeded runs of real devices and the real HQ on a line where everything goes wrong.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests stop and say what they saw")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use sim::world::event::{Shape, script};
use sim::world::plant::{self, BUGS};
use sim::world::shrink::{Failure, run_seed};
use sim::world::{Summary, Template};

/// Seeds in the default run; `XUNZHENG_SEEDS` asks for more, `XUNZHENG_SEED` for one.
const SEEDS: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn no_seed_breaks_an_invariant() {
    let template = Template::make().unwrap();
    let (first, count) = match number("XUNZHENG_SEED") {
        Some(seed) => (seed, 1),
        None => (0, number("XUNZHENG_SEEDS").unwrap_or(SEEDS)),
    };
    let (next, total) = (AtomicU64::new(first), Mutex::new(Summary::default()));
    let failures: Mutex<Vec<Box<Failure>>> = Mutex::default();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + count || failures.lock().unwrap().len() >= 3 {
                        break;
                    }
                    match run_seed(&template, seed, Shape::default()) {
                        Ok(summary) => total.lock().unwrap().add(&summary),
                        Err(failure) => failures.lock().unwrap().push(failure),
                    }
                }
            });
        }
    });
    let total = total.into_inner().unwrap();
    println!("simulator: {count} seeds in {:.1} s: {total:?}", began.elapsed().as_secs_f64());
    let failures = failures.into_inner().unwrap();
    for failure in &failures {
        println!("{failure}");
    }
    assert!(failures.is_empty(), "{} seeds failed", failures.len());
    if count >= SEEDS {
        let traffic = total.traffic;
        let seen = [traffic.lost, traffic.doubled, traffic.reordered, traffic.damaged];
        assert!(seen.iter().all(|count| *count > 500), "the line was too good: {traffic:?}");
        assert!(total.counted.receipts > 5_000 && total.counted.forks > 50, "{total:?}");
    }
}

#[test]
fn every_planted_bug_is_found() {
    let template = Template::make().unwrap();
    let shape = Shape { events_min: 0, events_max: 6 };
    for bug in BUGS {
        let (mut found, mut healed) = (0, 0);
        for seed in 0..8 {
            let (_, events) = script(seed * 7 + 1, shape);
            let what = match plant::run(&template, 2, &events, bug) {
                Err(what) => what,
                // The audit misses the record at HQ and sends it; afterwards everything holds.
                Ok(()) if bug == plant::Bug::DeviceClaims => {
                    healed += 1;
                    continue;
                }
                Ok(()) => panic!("{bug:?} was not found with seed {seed}"),
            };
            assert_ne!(what.rule, "simulator", "{bug:?}: {what}");
            if seed == 0 {
                println!("planted {bug:?}: {what}");
            }
            found += 1;
        }
        println!("planted {bug:?}: found {found}, healed {healed} of 8");
    }
}
