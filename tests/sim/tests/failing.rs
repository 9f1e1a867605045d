//! Every file access of both ends fails once, and disks fill up at every point of a day.
#![allow(clippy::print_stdout, reason = "tests print what they counted")]

use sim::failing::{End, Report, every_site, full_disk};

fn tell(name: &str, report: &Report) {
    println!(
        "{name}: {} trials over {:?}, {} refused and done again, {} absorbed, {} violations",
        report.trials,
        report.sites,
        report.refused,
        report.absorbed,
        report.violations.len()
    );
    for (said, count) in &report.said {
        println!("  {count} x {said}");
    }
}

fn holds(name: &str, report: &Report) {
    tell(name, report);
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
    assert!(report.refused > 20, "hardly anything failed");
}

#[test]
fn each_access_of_the_handheld_may_fail_once() {
    holds("each access of the device", &every_site(End::Device));
}

#[test]
fn each_access_of_hq_may_fail_once() {
    holds("each access of hq", &every_site(End::Hq));
}

#[test]
fn the_handheld_may_be_full_at_two_hundred_points() {
    holds("full device", &full_disk(End::Device, 200));
}

#[test]
fn hq_may_be_full_at_a_hundred_points() {
    holds("full hq", &full_disk(End::Hq, 100));
}
