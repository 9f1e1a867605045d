//! Every file access of both ends fails once: nothing acknowledged is lost, and the next try works.
//!
//! The accesses of a small day are counted; then the day is run again for each of them, and that
//! one access fails: the device answers no, the disk is full, only half is written. A step that
//! says so is tried again at once. Disks that stay full until somebody makes room come after.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a harness stops at the first surprise of its own"
)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sync_core::error::{Outcome, StoreError};

use crate::power_cut::check;
use crate::power_cut::pair::{DEVICE, HQ, Pair, StepError, Told};
use crate::power_cut::tap::{Fault, Kind, Plan, Seen, Watch};
use crate::power_cut::{copy, scratch};

/// Whose file accesses fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The handheld's.
    Device,
    /// HQ's.
    Hq,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// File accesses of the day, by kind.
    pub sites: BTreeMap<Kind, usize>,
    /// Days run with one fault.
    pub trials: usize,
    /// Steps that said that they did not work, and worked when tried again.
    pub refused: usize,
    /// Faults that nobody needed to be told of.
    pub absorbed: usize,
    /// What the errors said, and how often.
    pub said: BTreeMap<String, usize>,
    /// What did not hold.
    pub violations: Vec<String>,
}

type Tell<'a> = &'a mut dyn FnMut(Told);
type Step = fn(&mut Pair, Tell<'_>) -> Result<(), StepError>;

/// A day at the handheld, HQ running all the while.
const AT_DEVICE: &[Step] = &[
    |pair, _| pair.start_device(),
    |pair, tell| pair.photograph(3_000, tell),
    |pair, tell| pair.lead(6_000, tell),
    |pair, tell| pair.draft("1", tell),
    |pair, tell| pair.sync(tell).map(drop),
];

/// A day at HQ: the handheld has records and a file for it.
const AT_HQ: &[Step] = &[
    |pair, _| pair.start_hq(),
    |pair, tell| pair.command("1", tell),
    |pair, tell| pair.sync(tell).map(drop),
];

/// What waits when HQ's day begins.
const BEFORE_HQ: &[Step] = &[
    |pair, _| pair.start_device(),
    |pair, tell| pair.photograph(300_000, tell),
    |pair, tell| pair.lead(6_000, tell),
];

/// An enrolled pair that has worked before.
pub struct Base(tempfile::TempDir);

impl Base {
    /// Makes one.
    #[must_use]
    pub fn make() -> Self {
        let folder = scratch();
        let mut pair = Pair::at(folder.path());
        pair.start_hq().unwrap();
        pair.start_device().unwrap();
        pair.enroll(None, &mut |_| {}).unwrap();
        pair.photograph(2_000, &mut |_| {}).unwrap();
        pair.sync(&mut |_| {}).unwrap();
        pair.stop();
        Self(folder)
    }
}

/// One day on a copy of the base, with accesses of one end watched.
struct Day {
    folder: tempfile::TempDir,
    pair: Pair,
    told: Vec<Told>,
    watch: Watch,
    steps: &'static [Step],
}

impl Day {
    fn begin(base: &Base, end: End) -> Self {
        let folder = scratch();
        copy(base.0.path(), folder.path());
        let root = folder.path().canonicalize().unwrap();
        let mut pair = Pair::at(&root);
        let mut told = Vec::new();
        pair.start_hq().unwrap();
        pair.start_device().unwrap();
        pair.tell_all(&mut |one| told.push(one)).unwrap();
        let steps = match end {
            End::Device => AT_DEVICE,
            End::Hq => {
                for step in BEFORE_HQ {
                    step(&mut pair, &mut |one| told.push(one)).unwrap();
                }
                AT_HQ
            }
        };
        let watch = Watch::over(&root.join(if end == End::Device { DEVICE } else { HQ }));
        Self { folder, pair, told, watch, steps }
    }

    /// Does one step; a panic is an error like no other.
    fn step(&mut self, step: Step) -> Result<Result<(), StepError>, String> {
        let told = &mut self.told;
        let pair = &mut self.pair;
        catch_unwind(AssertUnwindSafe(|| step(pair, &mut |one| told.push(one))))
            .map_err(|_| "panicked".to_owned())
    }

    /// Checks what is left; where `heals`, both ends also run on until all has arrived.
    fn end(mut self, heals: bool) -> Result<(), String> {
        self.pair.stop();
        let Self { folder, told, watch, .. } = self;
        drop(watch);
        check::check(folder.path(), &told)?;
        if heals { check::heal(folder.path(), &told) } else { Ok(()) }
    }
}

/// Counts the accesses of a day.
fn sites(base: &Base, end: End) -> Vec<Seen> {
    let mut day = Day::begin(base, end);
    day.watch.plan(Plan::Nothing);
    for step in day.steps {
        day.step(*step).unwrap().unwrap();
    }
    let (seen, _) = day.watch.pass();
    day.end(true).unwrap();
    seen
}

/// Lets each access of `end` fail once, in each way that it can.
///
/// # Panics
/// If the harness itself does not work.
#[must_use]
pub fn every_site(end: End) -> Report {
    let base = Base::make();
    let mut report = Report::default();
    let sites = sites(&base, end);
    for site in &sites {
        *report.sites.entry(site.kind).or_default() += 1;
    }
    for (number, site) in sites.iter().enumerate() {
        let mut faults = vec![Fault::Broken];
        if site.kind.needs_room() {
            faults.push(Fault::Full);
        }
        if site.kind == Kind::Write {
            faults.push(Fault::Short);
        }
        for fault in faults {
            report.trials += 1;
            let day = Day::begin(&base, end);
            let plan = Plan::Once(number, fault);
            if let Err(violation) = one_fault(day, plan, site.kind, fault, &mut report) {
                let what = format!("{fault:?} at {number} ({:?} of {:?})", site.kind, site.name);
                report.violations.push(format!("{what}: {violation}"));
            }
        }
    }
    report
}

fn one_fault(
    mut day: Day,
    plan: Plan,
    kind: Kind,
    fault: Fault,
    report: &mut Report,
) -> Result<(), String> {
    day.watch.plan(plan);
    let mut refused = 0;
    for step in day.steps {
        if let Err(error) = day.step(*step)? {
            refused += 1;
            report.refused += 1;
            *report.said.entry(saying(&error)).or_default() += 1;
            // Room that was missing for one moment alone is no longer missing when one looks.
            let fault = if fault == Fault::Full { Fault::Broken } else { fault };
            says_what_it_means(&error, kind, fault)?;
            if refused > 1 {
                return Err(format!("one fault, two errors: {error}"));
            }
            day.step(*step)?.map_err(|again| format!("{error}; tried again: {again}"))?;
        }
    }
    let (_, hit) = day.watch.pass();
    // Calls differ a little from run to run; a day that made one call less met no fault.
    if refused == 0 && hit.is_some() {
        report.absorbed += 1;
    }
    day.end(report.trials.is_multiple_of(5))
}

/// Returns what an error says, without the place where it was.
fn saying(error: &StepError) -> String {
    match error {
        StepError::Store(StoreError::Corrupt { .. }) => "store: database is damaged".to_owned(),
        other => other.to_string(),
    }
}

/// An error leads to one of the answers a screen has; a full disk is something that can be helped.
fn says_what_it_means(error: &StepError, kind: Kind, fault: Fault) -> Result<(), String> {
    let outcome = match error {
        StepError::Store(error) => error.outcome(),
        StepError::Sync(error) => error.outcome(),
        StepError::Hq(_) => return Ok(()),
        StepError::Off | StepError::Answer(_) => return Err(format!("{error}")),
    };
    // Of a place that cannot be read SQLite itself says that it is damaged, and mostly it is.
    let unreadable = kind == Kind::Read && fault == Fault::Broken;
    let damage = outcome == Outcome::Damaged && !unreadable;
    if damage || outcome == Outcome::Refused {
        return Err(format!("{outcome:?}, though nothing is damaged: {error}"));
    }
    if fault == Fault::Full && !matches!(outcome, Outcome::Fixable | Outcome::Waiting) {
        return Err(format!("{outcome:?}, though only room is missing: {error}"));
    }
    Ok(())
}

/// Fills the disk of `end` at `points` different moments of a day and makes room later.
///
/// # Panics
/// If the harness itself does not work.
#[must_use]
pub fn full_disk(end: End, points: usize) -> Report {
    let base = Base::make();
    let mut report = Report::default();
    for site in sites(&base, end) {
        *report.sites.entry(site.kind).or_default() += 1;
    }
    let roomy: usize =
        report.sites.iter().filter(|(kind, _)| kind.needs_room()).map(|(_, count)| count).sum();
    for point in 0..points {
        report.trials += 1;
        let at = point * roomy / points.max(1);
        let plan = if point.is_multiple_of(2) { Plan::FullFrom(at) } else { Plan::QuotaFrom(at) };
        if let Err(violation) = full_day(Day::begin(&base, end), plan.clone(), &mut report) {
            report.violations.push(format!("{plan:?}: {violation}"));
        }
    }
    report
}

fn full_day(mut day: Day, plan: Plan, report: &mut Report) -> Result<(), String> {
    day.watch.plan(plan);
    let mut missed = Vec::new();
    for step in day.steps {
        match day.step(*step)? {
            Ok(()) => {}
            // Without its store nothing else can be asked of it.
            Err(StepError::Off) => missed.push(*step),
            Err(error) => {
                report.refused += 1;
                *report.said.entry(saying(&error)).or_default() += 1;
                says_what_it_means(&error, Kind::Write, Fault::Full)?;
                missed.push(*step);
            }
        }
    }
    day.watch.pass();
    // Somebody made room.
    for step in missed {
        day.step(step)?.map_err(|error| format!("with room again: {error}"))?;
    }
    day.end(report.trials.is_multiple_of(5))
}
