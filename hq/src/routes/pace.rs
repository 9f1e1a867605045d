//! When those who are turned away are to come back: measured, not guessed.
//!
//! HQ knows how many requests are under way and how long it takes for each while it is busy. Whoever
//! is turned away gets a moment of his own behind them and behind those turned away before him, so
//! that a crowd comes back one by one, as fast as HQ works, and not all at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Time for a request before any was measured.
const EACH_AT_FIRST: Duration = Duration::from_millis(5);
/// One request counts for so much of the average.
const SHARE: u32 = 16;
/// Nobody is sent away for longer: HQ may be given more processors meanwhile.
const AWAY_MAX: Duration = Duration::from_secs(15 * 60);

/// How fast HQ works, and who was told to come back when.
#[derive(Debug)]
pub(super) struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    under_way: u32,
    /// When a request was last finished, or when the line was last empty.
    since: Option<Instant>,
    /// Time between two requests that were finished while others waited.
    each: Duration,
    /// The last moment that was given to somebody.
    given: Option<Instant>,
}

impl Pace {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            under_way: 0,
            since: None,
            each: EACH_AT_FIRST,
            given: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is taken on.
    pub(super) fn begin(&self, now: Instant) {
        let mut state = self.state();
        if state.under_way == 0 {
            state.since = Some(now);
        }
        state.under_way = state.under_way.saturating_add(1);
    }

    /// A request is done.
    pub(super) fn end(&self, now: Instant) {
        let mut state = self.state();
        let took = state.since.map_or(state.each, |since| now.saturating_duration_since(since));
        state.each = (state.each * (SHARE - 1) + took) / SHARE;
        state.since = Some(now);
        state.under_way = state.under_way.saturating_sub(1);
    }

    /// Returns in how many seconds somebody who is turned away now has his turn; at least one.
    pub(super) fn come_back_s(&self, now: Instant) -> u32 {
        let mut state = self.state();
        let free = now + state.each * state.under_way;
        let behind = state.given.map_or(free, |given| given + state.each);
        let turn = free.max(behind).min(now + AWAY_MAX);
        state.given = Some(turn);
        let wait = turn.saturating_duration_since(now);
        u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(pace: &Pace, now: Instant, each: Duration, count: u32) -> Instant {
        let mut at = now;
        for _ in 0..count {
            at += each;
            pace.begin(at);
            pace.end(at);
        }
        at
    }

    #[test]
    fn a_crowd_comes_back_one_by_one_as_fast_as_hq_works() {
        let pace = Pace::new();
        let now = Instant::now();
        // A thousand wait; HQ finishes one every 20 ms.
        for _ in 0..1000 {
            pace.begin(now);
        }
        let now = busy(&pace, now, Duration::from_millis(20), 200);
        let told: Vec<u32> = (0..5_000).map(|_| pace.come_back_s(now)).collect();
        assert_eq!(told.first(), Some(&20), "behind the thousand");
        assert!(told.is_sorted());
        // 4,999 more at 20 ms each.
        assert_eq!(told.last(), Some(&120));
        let most = told.chunk_by(|one, other| one == other).map(<[u32]>::len).max();
        assert!(most <= Some(51), "{most:?} in one second");
    }

    #[test]
    fn moments_that_nobody_needs_any_more_are_forgotten_and_nobody_waits_for_ever() {
        let pace = Pace::new();
        let now = Instant::now();
        assert_eq!(pace.come_back_s(now), 1);
        for _ in 0..1_000_000 {
            assert!(pace.come_back_s(now) <= 900);
        }
        assert_eq!(pace.come_back_s(now), 900);
        assert_eq!(pace.come_back_s(now + Duration::from_secs(1000)), 1);
    }
}
