//! Power cuts at every write and sync of both ends.
//!
//! A pair of handheld and HQ works in a scratch folder while [`syscalls`] writes down every change
//! of its files. Then the power fails after each of the changes: [`platter`] says what the disk
//! holds, both ends start on that, and [`check`] derives the invariants again. Some cuts are healed
//! (sync until quiet), some are what the next life starts from, so that recovery is cut too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a harness stops at the first surprise of its own"
)]

mod chance;
pub mod check;
pub mod pair;
mod platter;
mod syscalls;
pub mod tap;

use std::path::Path;

pub use chance::Chance;
pub use platter::{Lie, Platter, Survival};

use check::Checked;
use pair::{DEVICE, HQ, Pair, StepError, Told};
use tap::{Event, Watch};

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Power cuts.
    pub cuts: usize,
    /// Of them at the handheld alone, at HQ alone, at both.
    pub where_cut: [usize; 3],
    /// Lives: runs of a script, each on what a cut left.
    pub lives: usize,
    /// Changes of files, each a point to cut at.
    pub points: usize,
    /// Cuts after which both ends were run on until all had arrived.
    pub healed: usize,
    /// What the checks looked at.
    pub checked: Checked,
    /// What did not hold.
    pub violations: Vec<String>,
}

/// One run of the script, with what was told and after which change.
struct Life {
    start: Platter,
    events: Vec<Event>,
    told: Vec<(usize, Told)>,
}

/// Cuts the power `count` times, as `seed` chooses.
///
/// # Panics
/// If the harness itself does not work.
#[must_use]
pub fn run(count: usize, seed: u64) -> Report {
    run_over(count, seed, 60, Lie::None)
}

/// Cuts one first life, from the empty folder on, after every single change.
///
/// # Panics
/// If the harness itself does not work.
#[must_use]
pub fn run_every_point(seed: u64) -> Report {
    let points = {
        let scratch = scratch();
        live(scratch.path(), &mut Chance::of(seed), true, None, Lie::None).events.len() + 1
    };
    // Names and numbers of bytes differ a little from life to life.
    run_over(points, seed, usize::MAX, Lie::None)
}

/// As [`run`], over a disk that lies.
///
/// # Panics
/// If the harness itself does not work.
#[must_use]
pub fn run_with(count: usize, seed: u64, lie: Lie) -> Report {
    run_over(count, seed, 60, lie)
}

fn run_over(count: usize, seed: u64, first_share: usize, lie: Lie) -> Report {
    let mut report = Report::default();
    let mut chance = Chance::of(seed);
    let scratch = scratch();
    let mut home = scratch.path().join("first");
    std::fs::create_dir_all(&home).unwrap();
    let mut code: Option<String> = None;
    while report.cuts < count {
        let life = live(&home, &mut chance, report.lives == 0, code.take(), lie);
        report.lives += 1;
        report.points += life.events.len();
        let next = scratch.path().join(format!("life{}", report.lives));
        // A part of the points of a life, so that many lives are seen.
        let share = if report.lives == 1 { first_share } else { 40 };
        let share = share.min(count - report.cuts);
        let image = scratch.path().join("image");
        code = cut_life(&life, share, &image, &next, &mut chance, &mut report);
        std::fs::remove_dir_all(&home).unwrap();
        home = next;
    }
    report
}

/// In memory where the machine has that: nothing real is at stake, and syncs cost nothing there.
pub(crate) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// Runs the script once over `home`, watched.
fn live(home: &Path, chance: &mut Chance, first: bool, code: Option<String>, lie: Lie) -> Life {
    let watch = Watch::over(home);
    let start = Platter::read(home, lie).unwrap();
    watch.record();
    let mut told = Vec::new();
    let mut pair = Pair::at(&home.canonicalize().unwrap());
    let mut tell = |one: Told| {
        let known = told.iter().rev().any(|(_, other)| *other == one);
        if !known {
            told.push((watch.length(), one));
        }
    };
    pair.start_hq().unwrap();
    pair.start_device().unwrap();
    pair.enroll(code, &mut tell).unwrap();
    pair.tell_all(&mut tell).unwrap();
    let steps = if first { 6 } else { 8 + chance.below(10) };
    for step in 0..steps {
        let what = if first { step } else { chance.below(14) };
        work(&mut pair, chance, what, &mut tell).unwrap();
    }
    pair.stop();
    Life { start, events: watch.take(), told }
}

/// Does one thing of a day.
fn work(
    pair: &mut Pair,
    chance: &mut Chance,
    what: usize,
    tell: &mut dyn FnMut(Told),
) -> Result<(), StepError> {
    // Drafts and messages grow, so that a later one is known from an earlier one.
    let number = format!("{:020}", pair.store()?.read(|r| r.head())?.map_or(0, |head| head.seq));
    match what {
        0 => pair.photograph(20_000 + chance.below(600_000), tell)?,
        1 => pair.lead(30, tell)?,
        2 => pair.command(&format!("{number}-{}", chance.number()), tell)?,
        3 | 6 | 7 => {
            pair.sync(tell)?;
        }
        4 => pair.start_device()?,
        5 => pair.start_hq()?,
        8 => pair.draft(&number, tell)?,
        9 => pair.photograph(1 + chance.below(3_000), tell)?,
        // A text over several pages; many of them fill the WAL until it is written back.
        10 => {
            for _ in 0..chance.below(30) {
                pair.lead(40_000, tell)?;
            }
        }
        _ => pair.lead(chance.below(6_000), tell)?,
    }
    Ok(())
}

/// Cuts one life at `share` of its points; leaves in `next` what the next life starts from, and
/// returns the code that enrolls its handheld if that is still to be done.
fn cut_life(
    life: &Life,
    share: usize,
    image: &Path,
    next: &Path,
    chance: &mut Chance,
    report: &mut Report,
) -> Option<String> {
    let mut code = None;
    let points = life.events.len() + 1;
    let heir = chance.below(share);
    let mut platter = life.start.clone();
    let mut taken = 0;
    for point in 0..points {
        if let Some(event) = point.checked_sub(1).and_then(|before| life.events.get(before)) {
            platter.apply(event);
        }
        // So many of the points that are left, evenly.
        if chance.below(points - point) >= share - taken {
            continue;
        }
        let told: Vec<Told> =
            life.told.iter().filter(|(at, _)| *at <= point).map(|(_, one)| one.clone()).collect();
        let whose = chance.below(3);
        if image.exists() {
            std::fs::remove_dir_all(image).unwrap();
        }
        std::fs::create_dir_all(image).unwrap();
        let seed = chance.number();
        let survival = survival(whose, &mut Chance::of(seed));
        platter.cut(image, &mut Chance::of(seed), &survival).unwrap();
        if taken == heir {
            copy(image, next);
            code = check::code(&told);
        }
        taken += 1;
        report.cuts += 1;
        if let Some(count) = report.where_cut.get_mut(whose) {
            *count += 1;
        }
        let found = check::check(image, &told).and_then(|checked| {
            report.checked.records += checked.records;
            report.checked.receipts += checked.receipts;
            report.checked.files += checked.files;
            report.checked.untold += checked.untold;
            if chance.below(4) == 0 {
                report.healed += 1;
                check::heal(image, &told)?;
            }
            Ok(())
        });
        if let Err(violation) = found {
            let last = point.checked_sub(1).and_then(|before| life.events.get(before));
            report.violations.push(format!(
                "life {}, point {point} of {points}, {}: {violation}; last change {}",
                report.lives,
                ["device", "hq", "both"].get(whose).unwrap_or(&""),
                last.map_or("none".to_owned(), brief),
            ));
            if taken == heir + 1 {
                // Nobody can go on from what is broken; the life begins anew.
                std::fs::remove_dir_all(next).unwrap();
                std::fs::create_dir_all(next).unwrap();
                code = None;
            }
        }
    }
    code
}

/// Says which machine lost its power, and how bad it was.
fn survival(whose: usize, chance: &mut Chance) -> impl Fn(&Path) -> Survival + use<> {
    let bad = if chance.below(4) == 0 { Survival::Synced } else { Survival::Some };
    move |name: &Path| {
        let cut = match whose {
            0 => name.starts_with(DEVICE),
            1 => name.starts_with(HQ),
            _ => true,
        };
        if cut { bad } else { Survival::Everything }
    }
}

fn brief(event: &Event) -> String {
    match event {
        Event::Write { inode, offset, bytes } => {
            format!("write of {} bytes at {offset} of file {inode}", bytes.len())
        }
        other => format!("{other:?}"),
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            // Copies permissions as well: keys that others can read are refused.
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
