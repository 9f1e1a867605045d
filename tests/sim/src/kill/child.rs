//! The processes that are killed: HQ as it is served, and a handheld that acts and syncs without
//! end and tells each thing once it is done.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use hq::Config;
use sync_core::error::Outcome;
use sync_model::hash::Hash;

use crate::power_cut::Chance;
use crate::power_cut::pair::{HQ as HQ_FOLDER, Pair, StepError, Told};

/// Which of the two the process is.
pub(super) const ROLE: &str = "XUNZHENG_SIM_ROLE";
/// The folder of the pair.
pub(super) const FOLDER: &str = "XUNZHENG_SIM_FOLDER";
/// HQ's port.
pub(super) const PORT: &str = "XUNZHENG_SIM_PORT";
/// Role of HQ.
pub(super) const HQ: &str = "hq";
/// Role of the handheld.
pub(super) const DEVICE: &str = "device";
/// What a process says once it runs.
pub(super) const READY: &str = "ready";

/// Becomes the child if the parent asked for one; returns otherwise.
///
/// # Panics
/// If the child cannot do its work; the parent then says so.
pub fn child_if_asked() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let folder = std::env::var_os(FOLDER).unwrap();
    let port: u16 = std::env::var(PORT).unwrap().parse().unwrap();
    match role.as_str() {
        HQ => serve(Path::new(&folder), port),
        _ => act(Path::new(&folder), port),
    }
}

/// One write, so that a kill never leaves half a line.
fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(format!("\n{line}\n").as_bytes()).unwrap();
    stdout.flush().unwrap();
}

fn serve(folder: &Path, port: u16) -> ! {
    let config = Config::new(folder.join(HQ_FOLDER), ([127, 0, 0, 1], port).into());
    // The process before this one may be dying still.
    let _running = loop {
        match hq::serve(&config) {
            Ok(running) => break running,
            Err(hq::HqError::Locked(_) | hq::HqError::Io { .. }) => {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            Err(error) => panic!("HQ does not start: {error}"),
        }
    };
    say(READY);
    loop {
        std::thread::park();
    }
}

fn act(folder: &Path, port: u16) -> ! {
    let mut pair = Pair::over(folder, &format!("http://127.0.0.1:{port}"));
    pair.start_device().unwrap();
    say(READY);
    let mut known = HashSet::new();
    let mut tell = |one: Told| {
        let line = write(&one);
        if known.insert(line.clone()) {
            say(&line);
        }
    };
    let mut chance = Chance::of(u64::from_be_bytes(sync_core::random::bytes()));
    loop {
        let number = format!("{:020}", chance.number());
        let done = match chance.below(8) {
            0 => pair.photograph(1 + chance.below(200_000), &mut tell),
            1 | 2 => pair.lead(chance.below(5_000), &mut tell),
            3 => pair.draft(&number, &mut tell),
            _ => pair.sync(&mut tell).map(drop),
        };
        match done {
            Ok(()) => {}
            // HQ was killed, or is being started.
            Err(StepError::Sync(error)) if error.outcome() == Outcome::Waiting => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn write(one: &Told) -> String {
    match one {
        Told::Act { seq, hash } => format!("act {seq} {hash}"),
        Told::Receipt { seq } => format!("receipt {seq}"),
        Told::Held(hash) => format!("held {hash}"),
        Told::Reached(hash, bytes) => format!("reached {hash} {bytes}"),
        // Drafts come in any order here, so only their being there is told.
        Told::Draft(_) => "draft".to_owned(),
        Told::Enrolled => "enrolled".to_owned(),
        Told::Code(code) => format!("code {code}"),
        Told::Command(text) => format!("command {text}"),
    }
}

/// Reads what [`write`] wrote; anything else is noise of the program around the child.
pub(super) fn read(line: &str) -> Option<Told> {
    let mut words = line.split(' ');
    let kind = words.next()?;
    let mut word = || words.next();
    match kind {
        "act" => Some(Told::Act { seq: word()?.parse().ok()?, hash: Hash::from_hex(word()?)? }),
        "receipt" => Some(Told::Receipt { seq: word()?.parse().ok()? }),
        "held" => Some(Told::Held(Hash::from_hex(word()?)?)),
        "reached" => Some(Told::Reached(Hash::from_hex(word()?)?, word()?.parse().ok()?)),
        "draft" => Some(Told::Draft(String::new())),
        "enrolled" => Some(Told::Enrolled),
        _ => None,
    }
}
