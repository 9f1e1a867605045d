//! A wrong PIN is counted before its answer is known, whenever the process dies in between: pulling
//! the battery buys no free try, and the count never falls.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use sync_model::cose::SoftwareKey;

use super::world::{World, officer};
use crate::clock::SystemClock;
use crate::disk::RealDisk;
use crate::key::{Hardness, SealedKey};
use crate::random;
use crate::store::Store;

const KILLS: u32 = 200;
const CHILD_FOLDER: &str = "XUNZHENG_TEST_PIN_FOLDER";
const NAME: &str = "store::tests::pin::the_count_of_wrong_pins_never_falls_over_two_hundred_kills";

/// The child: tries wrong PINs without end, as unlocking does, and tells before and after each.
fn try_until_killed(folder: &Path) -> ! {
    let store = Store::open(folder, Arc::new(SystemClock::new()), Arc::new(RealDisk)).unwrap();
    let mut told = std::io::stderr();
    loop {
        // One write each, so that a kill never leaves half a line.
        told.write_all(b"tries\n").unwrap();
        let failures = store.count_failure(officer(1)).unwrap();
        told.write_all(format!("counted {failures}\n").as_bytes()).unwrap();
        let row = store.read(|r| r.officer(officer(1))).unwrap().unwrap();
        let opened = row.sealed_key.unwrap().open("864209", officer(1).as_bytes()).unwrap();
        assert!(opened.is_none());
        told.write_all(b"answered\n").unwrap();
    }
}

/// Runs the child, kills it at a random moment; returns what it had told, a line each.
fn run_and_kill(folder: &Path) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(CHILD_FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let [first, second] = random::bytes::<2>();
    let mut told: Vec<_> = lines.by_ref().take(1 + usize::from(first % 8)).collect();
    for _ in 0..u32::from(second) * 4_000 {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    told.extend(lines);
    assert!(!child.wait().unwrap().success());
    told.into_iter().map(Result::unwrap).collect()
}

#[test]
fn the_count_of_wrong_pins_never_falls_over_two_hundred_kills() {
    if let Some(folder) = std::env::var_os(CHILD_FOLDER) {
        try_until_killed(Path::new(&folder));
    }
    let mut world = World::enrolled();
    let key = SoftwareKey::from_secret(&[5; 32]);
    let sealed =
        SealedKey::seal(&key, "275910", officer(1).as_bytes(), Hardness::REHEARSAL).unwrap();
    world.store().keep_sealed_key(officer(1), &sealed).unwrap();
    world.close();
    let (mut counted, mut answers, mut unheard) = (0, 0, 0);
    let mut ends = [0; 3];
    for kill in 1..=KILLS {
        let told = run_and_kill(world.path());
        let heard: Vec<u32> =
            told.iter().filter_map(|line| line.strip_prefix("counted ")?.parse().ok()).collect();
        // Each try goes on from what was on the disk, by exactly one.
        for (failures, expected) in heard.iter().zip(counted + 1..) {
            assert_eq!(*failures, expected, "kill {kill}");
        }
        let moment = match told.last().map(String::as_str) {
            Some("tries") => 0,
            Some("answered") => 2,
            Some(_) => 1,
            None => panic!("the child hardly ran"),
        };
        ends[moment] += 1;
        answers += told.iter().filter(|line| *line == "answered").count();
        let store = world.open_with(Arc::new(RealDisk)).unwrap();
        let row = store.read(|r| r.officer(officer(1))).unwrap().unwrap();
        let told_last = heard.last().copied().unwrap_or(counted);
        assert!(row.failures >= told_last, "the count fell after kill {kill}");
        // At most the one try under way was counted unheard.
        assert!(row.failures <= told_last + 1, "{} after {told_last}", row.failures);
        unheard += row.failures - told_last;
        counted = row.failures;
    }
    // No answer was ever given that had not been counted before.
    assert!(answers <= usize::try_from(counted).unwrap());
    println!(
        "{KILLS} kills (before counting {}, between count and answer {}, after an answer {}): \
         {counted} tries counted, {unheard} of them unheard, {answers} answers",
        ends[0], ends[1], ends[2]
    );
    assert!(ends[1] > 0, "no kill fell between count and answer: {ends:?}");
}
