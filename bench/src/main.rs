//! Benchmarks: `cargo run --release -p bench -- NAME`, JSON lines on standard output.
//!
//! Each runs its peer or floor in the same run, interleaved, on the same disk.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the command line")]

mod act;
mod crew;
mod line;
mod photo;
mod process;
mod province;
mod sync;
mod torture;
mod trust;

use std::process::ExitCode;

const USAGE: &str = "\
bench -- act | photo [FILE] | trust [BUNDLE]
       | sync [push | bytes | blobs | cuts | audit] [--no-tls]
       | province-day [--store sqlite|postgres] [--tls] [--devices N] [--records N] [--at-once N]
       | torture [--minutes N] [--seeds N] [--cuts N] [--kills N] [--from SEED]";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let outcome = match words.next().as_deref() {
        Some("act") => act::run(),
        Some("photo") => photo::run(words.next()),
        Some("sync") => sync::run(words),
        Some("role-device") => sync::role(&mut words).map(|()| Vec::new()),
        Some("province-day") => province::run(words),
        Some("role-hq") => process::hq(words).map(|()| Vec::new()),
        Some("trust") => trust::run(words.next()),
        Some("torture") => torture::torture(words),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(lines) => {
            for line in lines {
                println!("{line}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line of a long run at once.
pub(crate) fn tell(line: &str) {
    println!("{line}");
}
