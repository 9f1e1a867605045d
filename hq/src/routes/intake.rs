//! How much HQ takes on at once, and how slowly somebody may send.
//!
//! Everything that waits is counted and bounded: bodies in memory, requests in line. Over the
//! bound, HQ says when to come back, at once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;
use sync_model::wire::problem::ProblemCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::pace::Pace;
use crate::error::{HqError, refuse};
use crate::hq::Hq;

/// Requests worked on or waiting for the writer; each has its whole body in memory.
const UNDER_WAY_MAX: usize = 1024;
/// KiB of bodies received at once, beyond the free part of each.
const BODIES_KIB_MAX: usize = 128 * 1024;
/// The first bytes of a body that are not counted: most requests have no more.
const FREE_BYTES: usize = 64 * 1024;
/// Slowest sender that is waited for: half of what the oldest modem reaches.
const BYTES_PER_SECOND_MIN: u64 = 1024;
/// How long a body may stand still at first: one lost packet on a bad line.
const GRACE: Duration = Duration::from_secs(10);

/// The bounds of one HQ process.
pub(crate) struct Intake {
    under_way: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    grace: Duration,
    pace: Arc<Pace>,
}

/// A place in the line; given back when dropped.
pub(super) struct Place {
    pace: Arc<Pace>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pace.end(Instant::now());
    }
}

impl Intake {
    pub(crate) fn new() -> Self {
        Self {
            under_way: Arc::new(Semaphore::new(UNDER_WAY_MAX)),
            bodies: Arc::new(Semaphore::new(BODIES_KIB_MAX)),
            grace: GRACE,
            pace: Pace::new(),
        }
    }

    /// Takes a place in the line.
    pub(super) fn place(&self) -> Result<Place, HqError> {
        let permit = Arc::clone(&self.under_way)
            .try_acquire_owned()
            .map_err(|_| refuse(ProblemCode::Busy, "too many requests are waiting"))?;
        self.pace.begin(Instant::now());
        Ok(Place { pace: Arc::clone(&self.pace), _permit: permit })
    }

    /// Returns in how many seconds somebody who is turned away now is to come back.
    pub(super) fn come_back_s(&self) -> u32 {
        self.pace.come_back_s(Instant::now())
    }

    fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, HqError> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        Arc::clone(&self.bodies)
            .try_acquire_many_owned(kib)
            .map_err(|_| refuse(ProblemCode::Busy, "too many bodies are on their way"))
    }
}

/// A body, and the room it takes.
pub(super) struct Received {
    pub(super) bytes: Vec<u8>,
    pub(super) room: Option<OwnedSemaphorePermit>,
}

fn too_large() -> HqError {
    refuse(ProblemCode::TooLarge, "body is too large")
}

/// Reads a body of at most `max` bytes; refuses a larger one before reading where it is stated.
pub(super) async fn receive(
    hq: &Hq,
    headers: &HeaderMap,
    body: Body,
    max: usize,
) -> Result<Received, HqError> {
    let intake = &hq.0.intake;
    let stated = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let stated = stated.and_then(|text| text.parse::<usize>().ok());
    if stated.is_some_and(|stated| stated > max) {
        return Err(too_large());
    }
    let mut received = Received { bytes: Vec::new(), room: None };
    let mut counted = FREE_BYTES;
    let started = Instant::now();
    let mut chunks = body.into_data_stream();
    loop {
        let sent = u64::try_from(received.bytes.len()).unwrap_or(u64::MAX);
        let due = started + intake.grace + Duration::from_secs(sent / BYTES_PER_SECOND_MIN);
        let Ok(next) = timeout_at(due, chunks.next()).await else {
            hq.0.metrics.connections_cut.inc();
            return Err(refuse(ProblemCode::Busy, "body came too slowly"));
        };
        let Some(chunk) = next else { return Ok(received) };
        let chunk = chunk.map_err(|_| refuse(ProblemCode::Malformed, "body was cut"))?;
        let length = received.bytes.len().saturating_add(chunk.len());
        if length > max {
            return Err(too_large());
        }
        if length > counted {
            // Ahead in steps, so that many small chunks do not mean many permits.
            let more = length.saturating_sub(counted).max(FREE_BYTES);
            let room = intake.room(more)?;
            counted = counted.saturating_add(more);
            match &mut received.room {
                Some(all) => all.merge(room),
                none => *none = Some(room),
            }
        }
        received.bytes.extend_from_slice(&chunk);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sync_model::canonical;
    use sync_model::wire::problem::Problem;

    use super::*;
    use crate::clock::SystemClock;
    use crate::hq::InitOptions;
    use crate::in_process::InProcess;

    #[test]
    fn a_full_line_answers_at_once_when_to_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let hq = Hq::init(folder.path(), &InitOptions::default(), Arc::new(SystemClock)).unwrap();
        let served = InProcess::new(&hq).unwrap();
        let get = || served.call("GET", "/ready", &[], Vec::new()).unwrap();
        let line: Vec<_> = (0..UNDER_WAY_MAX).map(|_| hq.0.intake.place().unwrap()).collect();
        let full = get();
        assert_eq!(full.status, 503);
        let told = full.headers.iter().find(|(name, _)| name == "retry-after");
        let seconds: u32 = told.unwrap().1.parse().unwrap();
        // Behind a whole line, at the time that each takes before any was measured.
        assert!((5..=6).contains(&seconds), "{seconds} s");
        let problem: Problem = canonical::from_bytes(&full.body, 4096).unwrap();
        assert_eq!(problem.retry_after_s, Some(seconds));
        drop(line);
        assert_eq!(get().status, 200);
        // Bodies that are not small wait for room too, and give it back.
        let room = hq.0.intake.room(BODIES_KIB_MAX * 1024).unwrap();
        let post =
            |bytes| served.call("POST", "/sync/v1/push", &[], vec![0; bytes]).unwrap().status;
        assert_eq!(post(FREE_BYTES + 1), 503);
        assert_eq!(post(FREE_BYTES), 401);
        drop(room);
        for _ in 0..3 {
            assert_eq!(post(4 * 1024 * 1024), 401);
        }
        assert!(hq.0.intake.room(BODIES_KIB_MAX * 1024).is_ok());
    }
}
