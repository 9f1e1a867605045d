//! The long run of seeds, power cuts and kills: `bench -- torture --minutes N [--seeds N] [--cuts N]
//! [--kills N] [--from SEED]`, one JSON line every while; ends with failure where an invariant did
//! not hold.
//!
//! With counts it ends when all of them are reached, or when the minutes are over; a kind that is
//! not named then is not run. Not a measurement: the other benches of this program run in processes
//! of their own.

use std::time::Duration;

use anyhow::{Context, bail};
use sim::kill::{Launcher, child_if_asked};
use sim::torture::{Goal, Report, run};

/// Minutes if none are given.
const MINUTES: u64 = 10;

pub(crate) fn torture(words: impl Iterator<Item = String>) -> anyhow::Result<Vec<String>> {
    // Kills need processes to kill: this program again.
    child_if_asked();
    let (mut minutes, mut first) = (MINUTES, 0);
    let [mut seeds, mut cuts, mut kills] = [None; 3];
    let mut words = words;
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("{word} needs a number"))?;
        let value: u64 = value.parse().with_context(|| format!("{word} {value}: no number"))?;
        match word.as_str() {
            "--minutes" => minutes = value,
            "--from" => first = value,
            "--seeds" => seeds = Some(value),
            "--cuts" => cuts = Some(value),
            "--kills" => kills = Some(value),
            _ => bail!("torture knows --minutes, --seeds, --cuts, --kills and --from, not {word}"),
        }
    }
    let counts = [seeds, cuts, kills];
    let goal = Goal {
        time: Duration::from_secs(minutes.saturating_mul(60)),
        wanted: counts.iter().any(Option::is_some).then(|| counts.map(|one| one.unwrap_or(0))),
    };
    let program = std::env::current_exe().context("find this program")?;
    let launcher = Launcher { program, args: vec!["torture".to_owned()] };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut tell = |report: &Report| crate::tell(&line(report));
    let report = run(goal, threads, first, &launcher, &mut tell)?;
    if report.violations.is_empty() {
        return Ok(vec![]);
    }
    bail!("{}", report.violations.join("\n\n"))
}

fn line(report: &Report) -> String {
    let (seen, line) = (&report.seen, &report.seen.traffic);
    let [seeds, cuts, kills] = report.spent.map(|time| time.as_secs());
    serde_json::json!({
        "bench": "torture",
        "seconds": report.took.as_secs(),
        "seeds": report.seeds,
        "power_cuts": report.cuts,
        "lives": report.lives,
        "kills": report.kills,
        "violations": report.violations.len(),
        "worker_seconds": { "seeds": seeds, "power_cuts": cuts, "kills": kills },
        "events": seen.events,
        "requests": line.requests,
        "lost": line.lost,
        "doubled": line.doubled,
        "reordered": line.reordered,
        "damaged": line.damaged,
        "restarts": line.hq_restarts + seen.device_restarts,
        "copies": seen.copies,
        "forks": seen.counted.forks,
        "revoked": seen.revoked,
        "records": seen.counted.records,
        "receipts": seen.counted.receipts,
        "files": seen.counted.files,
    })
    .to_string()
}
