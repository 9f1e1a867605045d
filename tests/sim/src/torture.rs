//! The long run: seeds, power cuts and kills in turn until the time is over, each turn with seeds
//! that no turn before had.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::kill::{self, Launcher};
use crate::power_cut;
use crate::world::event::Shape;
use crate::world::shrink::run_seed;
use crate::world::{Summary, Template, Violation};

/// Seeds in one turn.
const SEEDS: u64 = 400;
/// Power cuts, and kills, in one turn: about a tenth of its seeds each.
const CUTS: usize = 40;
/// Violations after which going on tells nothing more.
const VIOLATIONS_MAX: usize = 20;

/// What the run has seen so far.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Seeds played.
    pub seeds: u64,
    /// What they saw.
    pub seen: Summary,
    /// Power cuts.
    pub cuts: usize,
    /// Processes killed.
    pub kills: usize,
    /// What did not hold, as a list of events where a seed found it.
    pub violations: Vec<String>,
    /// Time taken.
    pub took: Duration,
}

/// Runs for `time`, on `threads` threads, from seed `first` on; `tell` hears of each turn.
///
/// # Errors
/// If no world can be set up.
pub fn run(
    time: Duration,
    threads: usize,
    first: u64,
    launcher: &Launcher,
    tell: &mut dyn FnMut(&Report),
) -> Result<Report, Violation> {
    let template = Template::make()?;
    let began = Instant::now();
    let mut report = Report::default();
    while began.elapsed() < time && report.violations.len() < VIOLATIONS_MAX {
        let from = first.saturating_add(report.seeds);
        seeds(&template, from, threads, &mut report);
        let cuts = power_cut::run(CUTS, from);
        report.cuts += cuts.cuts;
        report.violations.extend(cuts.violations);
        let kills = kill::run(CUTS, from, launcher);
        report.kills += kills.kills;
        report.violations.extend(kills.violations);
        report.took = began.elapsed();
        tell(&report);
    }
    Ok(report)
}

fn seeds(template: &Template, from: u64, threads: usize, report: &mut Report) {
    let next = AtomicU64::new(from);
    let (seen, violations) = (Mutex::new(report.seen), Mutex::new(Vec::new()));
    let until = from.saturating_add(SEEDS);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= until {
                        break;
                    }
                    match run_seed(template, seed, Shape::default()) {
                        Ok(summary) => lock(&seen).add(&summary),
                        Err(failure) => lock(&violations).push(failure.to_string()),
                    }
                }
            });
        }
    });
    report.seen = *lock(&seen);
    report.violations.append(&mut lock(&violations));
    report.seeds += SEEDS;
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
