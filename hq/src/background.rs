//! What a running HQ does besides answering: publishes the log, asks its witnesses, archives, and
//! sweeps. One process of those on a store does it at a time.
//!
//! Each task is a plain function that can be stopped anywhere and called again; an error of one is
//! logged and holds up neither the others nor any request.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::archive::What;
use crate::blob::PART_DAYS;
use crate::error::HqError;
use crate::hq::Hq;
use crate::keys::random;

/// How often there is a look at what is new.
const PAUSE: Duration = Duration::from_secs(1);
/// Rounds between two sweeps: about a day.
const SWEEP_ROUNDS: u64 = 24 * 3600;
/// Rounds between two looks at witnesses and archive.
const SLOW_ROUNDS: u64 = 5;
/// Rounds until a file that could not be archived is tried again.
const REST_ROUNDS: u64 = 600;
/// How long a process keeps the duty after it was last heard of.
const DUTY_MS: i64 = 20_000;
const DUTY: &str = "background";

/// The thread that does it; ends when it is dropped.
pub(crate) struct Background {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Starts the thread.
    pub(crate) fn start(hq: &Hq) -> Result<Self, HqError> {
        let (stop, stopped) = channel::<()>();
        let hq = hq.clone();
        let holder = random::<16>()?;
        let thread = std::thread::Builder::new()
            .name("hq-background".into())
            .spawn(move || {
                let (mut round, mut rest) = (0_u64, 0_u64);
                while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(PAUSE) {
                    if hq.takes_duty(&holder) {
                        hq.work(round, &mut rest);
                        round = round.wrapping_add(1);
                    }
                }
                hq.leave_duty(&holder);
            })
            .map_err(HqError::io("start thread"))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("background thread panicked");
        }
    }
}

impl Hq {
    fn takes_duty(&self, holder: &[u8; 16]) -> bool {
        let (now, holder) = (self.now(), *holder);
        // Looked at before it is written: most rounds of most processes change nothing.
        let held = self.0.store.read::<_, HqError>(|tx| Ok(tx.duty(DUTY)?));
        let (by, left_ms) = match held {
            Ok(Some((by, until))) => (Some(by), until.0.saturating_sub(now.0)),
            Ok(None) => (None, -1),
            Err(error) => {
                tracing::warn!(%error, "background work waits");
                return false;
            }
        };
        // More than anybody takes it for: the clock was set back meanwhile.
        let stale = !(0..=DUTY_MS).contains(&left_ms);
        let mine = by == Some(holder);
        if !(stale || mine && left_ms < DUTY_MS / 2) {
            return mine;
        }
        let until = now.plus_ms(DUTY_MS);
        let taken = self
            .0
            .store
            .write::<_, HqError, _>(move |tx| Ok(tx.take_duty(DUTY, &holder, now, until)?));
        taken.unwrap_or_else(|error| {
            tracing::warn!(%error, "background work waits");
            false
        })
    }

    /// Lets another process take over at once.
    fn leave_duty(&self, holder: &[u8; 16]) {
        let holder = *holder;
        let left = self.0.store.write::<_, HqError, _>(move |tx| Ok(tx.leave_duty(DUTY, &holder)?));
        if let Err(error) = left {
            tracing::warn!(%error, "background duty is left to run out");
        }
    }

    /// Does what is due in this round. `rest` is the round until which files are left alone, after
    /// one could not be archived: reading a damaged file again and again helps nobody.
    fn work(&self, round: u64, rest: &mut u64) {
        report("publish the log", self.publish_log().map(drop));
        if round.is_multiple_of(SLOW_ROUNDS) {
            report("ask witnesses", self.collect_cosignatures().map(drop));
            let done = self.archive_what(if round < *rest { What::Records } else { What::All });
            if matches!(done, Ok(done) if done.failed > 0) {
                *rest = round.saturating_add(REST_ROUNDS);
            }
            report("archive", done.map(drop));
            report("renew the status list", self.keep_status_list());
        }
        if round.is_multiple_of(SWEEP_ROUNDS) {
            report("sweep", self.sweep(PART_DAYS).map(drop));
        }
    }
}

fn report(what: &str, done: Result<(), HqError>) {
    if let Err(error) = done {
        tracing::error!(what, %error, "background work failed and is tried again");
    }
}
