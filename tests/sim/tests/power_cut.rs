//! Power cuts at both ends: what was acknowledged is there, and a lying disk is found out.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests stop at the first surprise and print what they counted"
)]

use sim::power_cut::{Lie, Report, run, run_every_point, run_with};

/// Cuts in the default run; `XUNZHENG_POWER_CUTS` asks for more.
const CUTS: usize = 400;

fn tell(name: &str, report: &Report) {
    println!(
        "{name}: {} power cuts (device, hq, both: {:?}) in {} lives over {} points, {} healed, \
         {:?}, {} violations",
        report.cuts,
        report.where_cut,
        report.lives,
        report.points,
        report.healed,
        report.checked,
        report.violations.len()
    );
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_fails_after_any_write_or_sync() {
    let wanted = std::env::var("XUNZHENG_POWER_CUTS").ok().and_then(|text| text.parse().ok());
    let wanted: usize = wanted.unwrap_or(CUTS);
    let halves = [1, 2].map(|seed| std::thread::spawn(move || run(wanted / 2, seed)));
    for half in halves {
        let report = half.join().unwrap();
        tell("power cuts", &report);
        assert!(report.violations.is_empty(), "{:#?}", report.violations);
        assert_eq!(report.cuts, wanted / 2);
        assert!(report.checked.records > 100 && report.checked.receipts > 100);
        assert!(report.checked.files > 100 && report.healed > 10);
    }
}

#[test]
fn a_first_day_is_cut_after_every_single_change() {
    let report = run_every_point(7);
    tell("every point", &report);
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
    assert!(report.cuts > 400, "{} cuts", report.cuts);
}

#[test]
fn a_disk_that_only_says_that_it_synced_is_found_out() {
    for lie in [Lie::FileSync, Lie::FolderSync] {
        let report = run_with(120, 3, lie);
        tell(&format!("{lie:?} is a lie"), &report);
        assert!(!report.violations.is_empty(), "{lie:?}: losses were not noticed");
    }
}
