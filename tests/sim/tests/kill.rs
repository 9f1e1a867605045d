//! Kills of the processes of both ends at any moment.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests stop at the first surprise and print what they counted"
)]

use sim::kill::{Launcher, child_if_asked, run};

/// Kills in the default run; `XUNZHENG_KILLS` asks for more.
const KILLS: usize = 600;

/// Not a test: what the test below starts again and again.
#[test]
fn child() {
    child_if_asked();
}

#[test]
fn nothing_told_is_lost_when_handheld_or_hq_are_killed_at_any_moment() {
    let wanted = std::env::var("XUNZHENG_KILLS").ok().and_then(|text| text.parse().ok());
    let wanted: usize = wanted.unwrap_or(KILLS);
    let program = std::env::current_exe().unwrap();
    let args = ["--exact", "child", "--nocapture", "--quiet"].map(str::to_owned).to_vec();
    let launcher = Launcher { program, args };
    let began = std::time::Instant::now();
    let halves = [1, 2].map(|seed| {
        let launcher = launcher.clone();
        std::thread::spawn(move || run(wanted.div_ceil(2), seed, &launcher))
    });
    let mut kills = 0;
    for half in halves {
        let report = half.join().unwrap();
        println!("kills: {report:?}");
        assert!(report.violations.is_empty(), "{:#?}", report.violations);
        assert!(report.checked.records > 100 && report.checked.receipts > 20);
        kills += report.kills;
    }
    println!("kills: {kills} in {:?}", began.elapsed());
    assert!(kills >= wanted);
}
