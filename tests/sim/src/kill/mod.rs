//! SIGKILL at any moment: handheld and HQ are processes of their own, at work with each other over
//! HTTP, and one or both of them are killed again and again.
//!
//! What a process told before it died must be there when it starts again. Unlike a power cut, a
//! kill loses nothing that was handed to the system; it tests what the program itself keeps where,
//! and locks, sockets and half-sent requests. Checks are those of [`crate::power_cut::check`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a harness stops at the first surprise of its own"
)]

mod child;

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use child::child_if_asked;

use crate::power_cut::check::{self, Checked};
use crate::power_cut::pair::{Pair, Told};
use crate::power_cut::{Chance, scratch};

/// A pair is replaced by a fresh one after so many kills: checks take longer as it grows.
const KILLS_OF_A_PAIR: usize = 50;
/// Longest that a process is left alone once it runs.
const LEFT_ALONE_MS: usize = 60;
/// Longest wait for a receipt.
const RECEIPT_WAIT: Duration = Duration::from_millis(1500);
/// No process of a test takes longer to say that it runs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How to start this program again as a child; the child must call [`child_if_asked`] first.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Processes killed.
    pub kills: usize,
    /// Of them handhelds and HQs.
    pub whose: [usize; 2],
    /// Pairs worn out.
    pub pairs: usize,
    /// What the checks looked at.
    pub checked: Checked,
    /// Pairs that ran on in the end until all had arrived.
    pub healed: usize,
    /// What did not hold.
    pub violations: Vec<String>,
}

/// Kills `count` processes, as `seed` chooses.
///
/// # Panics
/// If the harness itself does not work.
#[must_use]
pub fn run(count: usize, seed: u64, launcher: &Launcher) -> Report {
    let mut report = Report::default();
    let mut chance = Chance::of(seed);
    while report.kills < count && report.violations.is_empty() {
        report.pairs += 1;
        let share = KILLS_OF_A_PAIR.min(count - report.kills);
        if let Err(violation) = wear_out(share, launcher, &mut chance, &mut report) {
            report.violations.push(format!("kill {}: {violation}", report.kills));
        }
    }
    report
}

/// A child and what it says.
struct Process {
    child: Child,
    lines: Receiver<String>,
    readers: Vec<JoinHandle<String>>,
    ready: bool,
}

impl Process {
    fn start(launcher: &Launcher, role: &str, root: &Path, port: u16) -> Self {
        let mut child = Command::new(&launcher.program)
            .args(&launcher.args)
            .env(child::ROLE, role)
            .env(child::FOLDER, root)
            .env(child::PORT, port.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, lines) = channel();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut complaints = child.stderr.take().unwrap();
        let readers = vec![
            std::thread::spawn(move || {
                for line in said.lines().map_while(Result::ok) {
                    tell.send(line).ok();
                }
                String::new()
            }),
            std::thread::spawn(move || {
                let mut text = String::new();
                complaints.read_to_string(&mut text).ok();
                text
            }),
        ];
        Self { child, lines, readers, ready: false }
    }

    /// Kills the process and returns what it had told; an end of its own is a violation.
    fn kill(mut self) -> Result<Vec<Told>, String> {
        let died = self.child.try_wait().unwrap();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let complaints: Vec<String> =
            self.readers.drain(..).map(|reader| reader.join().unwrap()).collect();
        if let Some(status) = died {
            return Err(format!("ended by itself, {status}: {}", complaints.concat()));
        }
        Ok(self.lines.try_iter().filter_map(|line| child::read(&line)).collect())
    }

    /// Waits until the process runs, for what it told meanwhile.
    fn wait_ready(&mut self, told: &mut Vec<Told>) -> Result<(), String> {
        while !self.ready {
            let line = self.lines.recv_timeout(PATIENCE).map_err(|_| "does not start")?;
            self.ready = line == child::READY;
            told.extend(child::read(&line));
        }
        Ok(())
    }
}

impl Process {
    /// Waits until a receipt is told, but not for ever: HQ may be the one that is slow.
    fn wait_receipt(&self, told: &mut Vec<Told>) {
        let until = Instant::now() + RECEIPT_WAIT;
        while let Ok(line) =
            self.lines.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            let one = child::read(&line);
            let done = matches!(one, Some(Told::Receipt { .. }));
            told.extend(one);
            if done {
                return;
            }
        }
    }
}

/// Kills processes of one pair until `share` are dead, then lets it run on to a good end.
fn wear_out(
    share: usize,
    launcher: &Launcher,
    chance: &mut Chance,
    report: &mut Report,
) -> Result<(), String> {
    let scratch = scratch();
    let root = scratch.path();
    let mut told = Vec::new();
    let mut pair = Pair::at(root);
    pair.start_hq().unwrap();
    pair.start_device().unwrap();
    pair.enroll(None, &mut |one| told.push(one)).unwrap();
    pair.stop();
    // The same port every time: the handheld does not know that HQ was away.
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let start = |role| Process::start(launcher, role, root, port);
    let (mut device, mut hq) = (start(child::DEVICE), start(child::HQ));
    let mut kills = 0;
    while kills < share {
        // Some kills fall into the start, where what the last kill left is put right; some after
        // a moment of work; some after a record has just got its receipt.
        let when = chance.below(3);
        if when > 0 {
            hq.wait_ready(&mut told)?;
            device.wait_ready(&mut told)?;
        }
        if when == 2 {
            device.wait_receipt(&mut told);
        }
        let alone = u64::try_from(chance.below(LEFT_ALONE_MS)).unwrap();
        std::thread::sleep(Duration::from_millis(alone));
        let (kills_device, kills_hq) = match chance.below(5) {
            0 | 1 => (true, false),
            2 | 3 => (false, true),
            _ => (true, true),
        };
        if kills_hq {
            let old = std::mem::replace(&mut hq, start(child::HQ));
            // The new one waits for the lock until the old one is gone.
            old.kill().map_err(|why| format!("HQ {why}"))?;
        }
        if kills_device {
            let old = device.kill().map_err(|why| format!("the handheld {why}"))?;
            told.extend(old);
            check_device(root, &told, report)?;
            device = start(child::DEVICE);
        }
        let dead = usize::from(kills_device) + usize::from(kills_hq);
        kills += dead;
        report.kills += dead;
        let [devices, hqs] = &mut report.whose;
        *devices += usize::from(kills_device);
        *hqs += usize::from(kills_hq);
    }
    hq.kill().map_err(|why| format!("HQ {why}"))?;
    told.extend(device.kill().map_err(|why| format!("the handheld {why}"))?);
    check_device(root, &told, report)?;
    check::heal(root, &told)?;
    report.healed += 1;
    Ok(())
}

/// Checks both ends while the handheld is dead; HQ may be at work.
fn check_device(root: &Path, told: &[Told], report: &mut Report) -> Result<(), String> {
    let checked = check::check(root, told)?;
    report.checked = Checked {
        records: report.checked.records + checked.records,
        receipts: report.checked.receipts + checked.receipts,
        files: report.checked.files + checked.files,
        untold: report.checked.untold + checked.untold,
    };
    Ok(())
}
