//! The long run: seeds, power cuts and kills beside each other until there are enough of each or
//! the time is over, each with a seed that no other job of the run had.
//!
//! Work is cut into jobs. Whoever is free takes a job of the kind that is furthest behind, and there
//! are more workers than processors, since a kill waits for processes most of its time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::kill::{self, Launcher};
use crate::power_cut;
use crate::world::event::Shape;
use crate::world::shrink::run_seed;
use crate::world::{Summary, Template, Violation};

/// Seeds in one job.
const SEEDS: u64 = 20;
/// Power cuts in one job: a first life, and several that begin with what a cut left.
const CUTS: u64 = 180;
/// Kills in one job: a pair of processes, until it is replaced.
const KILLS: u64 = 50;
/// Without goals there are so many seeds to each power cut and each kill.
const SEEDS_TO_ONE: u64 = 10;
/// Workers for each processor.
const WORKERS: usize = 2;
/// Violations after which going on tells nothing more.
const VIOLATIONS_MAX: usize = 20;
/// How often the run says how far it is.
const TELL: Duration = Duration::from_secs(15);

/// When the run ends: as soon as all three counts are reached, or when the time is over.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// Longest time; jobs that run then are still finished.
    pub time: Duration,
    /// Seeds, power cuts and kills wanted; without any the run ends with its time.
    pub wanted: Option<[u64; 3]>,
}

/// What the run has seen so far.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Seeds played.
    pub seeds: u64,
    /// What they saw.
    pub seen: Summary,
    /// Power cuts.
    pub cuts: u64,
    /// Lives of which they cut the power.
    pub lives: u64,
    /// Processes killed.
    pub kills: u64,
    /// Time that workers spent on each of the three.
    pub spent: [Duration; 3],
    /// What did not hold, as a list of events where a seed found it.
    pub violations: Vec<String>,
    /// Time taken.
    pub took: Duration,
}

/// A kind of job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Seeds,
    Cuts,
    Kills,
}

/// Everything workers share.
struct Run<'a> {
    goal: Goal,
    first: u64,
    template: &'a Template,
    launcher: &'a Launcher,
    began: Instant,
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    report: Report,
    /// Of each kind, what was given out so far.
    given: [u64; 3],
    jobs: u64,
    working: usize,
}

/// Runs until `goal`, for `threads` processors, from seed `first` on; `tell` hears every while.
///
/// # Errors
/// If no world can be set up.
pub fn run(
    goal: Goal,
    threads: usize,
    first: u64,
    launcher: &Launcher,
    tell: &mut dyn FnMut(&Report),
) -> Result<Report, Violation> {
    let template = Template::make()?;
    let workers = threads.max(1) * WORKERS;
    let state = Mutex::new(State { working: workers, ..State::default() });
    let run = Run {
        goal,
        first,
        template: &template,
        launcher,
        began: Instant::now(),
        state,
        news: Condvar::new(),
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((kind, from, count, seed)) = run.take() {
                    run.work(kind, from, count, seed);
                }
                run.lock().working -= 1;
                run.news.notify_all();
            });
        }
        let mut state = run.lock();
        while state.working > 0 {
            let waited = run.news.wait_timeout_while(state, TELL, |state| state.working > 0);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.report.took = run.began.elapsed();
            let report = state.report.clone();
            drop(state);
            tell(&report);
            state = run.lock();
        }
    });
    Ok(run.state.into_inner().unwrap_or_else(PoisonError::into_inner).report)
}

impl Run<'_> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives out a job of the kind that is furthest behind: its first number, how many, its seed.
    fn take(&self) -> Option<(Kind, u64, u64, u64)> {
        let mut state = self.lock();
        let over = self.began.elapsed() >= self.goal.time;
        if over || state.report.violations.len() >= VIOLATIONS_MAX {
            return None;
        }
        let wanted = self.goal.wanted.unwrap_or([u64::MAX, u64::MAX, u64::MAX]);
        let weights = self.goal.wanted.unwrap_or([SEEDS_TO_ONE, 1, 1]);
        let kinds = [(Kind::Seeds, SEEDS), (Kind::Cuts, CUTS), (Kind::Kills, KILLS)];
        let mut best: Option<(usize, u128)> = None;
        for (place, given) in state.given.iter().enumerate() {
            let (want, weight) = (wanted.get(place), weights.get(place));
            let (Some(&want), Some(&weight)) = (want, weight) else { continue };
            // Compared as parts of a billion of what is wanted.
            let done = u128::from(*given) * 1_000_000_000 / u128::from(weight.max(1));
            if *given < want && best.is_none_or(|(_, least)| done < least) {
                best = Some((place, done));
            }
        }
        let (place, _) = best?;
        let (kind, share) = kinds.get(place).copied()?;
        let given = state.given.get_mut(place)?;
        let from = *given;
        let count = share.min(wanted.get(place).copied()? - from);
        *given += count;
        state.jobs += 1;
        Some((kind, from, count, self.first.wrapping_add(state.jobs)))
    }

    fn work(&self, kind: Kind, from: u64, count: u64, seed: u64) {
        let began = Instant::now();
        let done = catch_unwind(AssertUnwindSafe(|| match kind {
            Kind::Seeds => self.seeds(self.first.saturating_add(from), count),
            Kind::Cuts => self.cuts(count, seed),
            Kind::Kills => self.kills(count, seed),
        }));
        let mut state = self.lock();
        if let Err(panic) = done {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
            let text = text.unwrap_or_default();
            state.report.violations.push(format!("{kind:?} with seed {seed} panicked: {text}"));
        }
        let [seeds, cuts, kills] = &mut state.report.spent;
        *match kind {
            Kind::Seeds => seeds,
            Kind::Cuts => cuts,
            Kind::Kills => kills,
        } += began.elapsed();
    }

    fn seeds(&self, from: u64, count: u64) {
        for seed in from..from.saturating_add(count) {
            let played = run_seed(self.template, seed, Shape::default());
            let mut state = self.lock();
            state.report.seeds += 1;
            match played {
                Ok(summary) => state.report.seen.add(&summary),
                Err(failure) => state.report.violations.push(failure.to_string()),
            }
        }
    }

    fn cuts(&self, count: u64, seed: u64) {
        let cut = power_cut::run(usize::try_from(count).unwrap_or(usize::MAX), seed);
        let report = &mut self.lock().report;
        report.cuts += u64::try_from(cut.cuts).unwrap_or(0);
        report.lives += u64::try_from(cut.lives).unwrap_or(0);
        let told = |violation| format!("power cuts with seed {seed}: {violation}");
        report.violations.extend(cut.violations.into_iter().map(told));
    }

    fn kills(&self, count: u64, seed: u64) {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let killed = kill::run(count, seed, self.launcher);
        let report = &mut self.lock().report;
        report.kills += u64::try_from(killed.kills).unwrap_or(0);
        let told = |violation| format!("kills with seed {seed}: {violation}");
        report.violations.extend(killed.violations.into_iter().map(told));
    }
}
