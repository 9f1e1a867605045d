//! The rehearsal's clock: the machine's, moved forward where a real day would have waited.
//!
//! Times it gives are therefore later than the machine's; that is said in every rehearsal's name.

use std::sync::atomic::{AtomicU64, Ordering};

use sync_core::clock::{Clock, Reading, SystemClock};
use sync_model::time::Timestamp;

/// The machine's clock with an offset that only grows.
pub struct RehearsalClock {
    system: SystemClock,
    offset_ms: AtomicU64,
}

impl RehearsalClock {
    /// Returns the machine's clock.
    #[must_use]
    pub fn new() -> Self {
        Self { system: SystemClock::new(), offset_ms: AtomicU64::new(0) }
    }

    /// Lets `ms` pass without waiting.
    pub fn advance_ms(&self, ms: u64) {
        self.offset_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Makes sure that the clock shows no time before `at`: a resumed rehearsal goes on where the
    /// interrupted one stood.
    pub fn never_before(&self, at: Timestamp) {
        let behind = at.since_ms(self.now().wall_at);
        if let Ok(behind) = u64::try_from(behind) {
            self.advance_ms(behind.saturating_add(1));
        }
    }
}

impl Default for RehearsalClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for RehearsalClock {
    fn now(&self) -> Reading {
        let reading = self.system.now();
        let offset = self.offset_ms.load(Ordering::SeqCst);
        Reading {
            wall_at: reading.wall_at.plus_ms(i64::try_from(offset).unwrap_or(i64::MAX)),
            mono_ms: reading.mono_ms.saturating_add(offset),
            boot: reading.boot,
        }
    }
}
