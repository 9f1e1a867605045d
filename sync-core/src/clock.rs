//! Clocks. Everything that needs the time is given one; only [`SystemClock`] asks the machine.

use std::sync::Mutex;
use std::time::{Instant, UNIX_EPOCH};

use sync_model::id::BootId;
use sync_model::time::Timestamp;
use uuid::Uuid;

/// What a clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Wall clock; may be wrong and may jump.
    pub wall_at: Timestamp,
    /// Monotonic milliseconds within `boot`.
    pub mono_ms: u64,
    /// Which boot.
    pub boot: BootId,
}

/// Shows the time.
pub trait Clock: Send + Sync {
    /// Returns what the clock shows now.
    fn now(&self) -> Reading;
}

/// The machine's clocks.
pub struct SystemClock {
    boot: BootId,
    started: Instant,
    offset_ms: u64,
}

impl SystemClock {
    /// Returns the machine's clocks; monotonic time counts from boot where the system tells.
    #[must_use]
    pub fn new() -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()
            .and_then(|text| Uuid::parse_str(text.trim()).ok());
        let uptime_ms =
            std::fs::read_to_string("/proc/uptime").ok().and_then(|text| uptime_ms(&text));
        let (boot, offset_ms) = match boot {
            Some(boot) => (boot, uptime_ms.unwrap_or_default()),
            // Without a boot id every process start counts as a boot: times compare less, never
            // wrongly, and a delay counts from the start of the process.
            None => (Uuid::from_bytes(crate::random::bytes()), 0),
        };
        Self { boot: BootId(boot), started: Instant::now(), offset_ms }
    }
}

/// Returns the milliseconds in `12345.67 890.12`.
fn uptime_ms(text: &str) -> Option<u64> {
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    Some(seconds.parse::<u64>().ok()? * 1000 + hundredths.parse::<u64>().ok()? * 10)
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Reading {
        let wall_ms = std::time::SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX));
        let run_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Reading {
            wall_at: Timestamp(wall_ms),
            mono_ms: self.offset_ms.saturating_add(run_ms),
            boot: self.boot,
        }
    }
}

/// A clock that moves only when told: for tests and for rehearsing a whole day in seconds.
pub struct ManualClock(Mutex<Reading>);

impl ManualClock {
    /// Returns a clock that stands at `wall_at`.
    #[must_use]
    pub fn at(wall_at: Timestamp) -> Self {
        let boot = BootId(Uuid::from_u128(1));
        Self(Mutex::new(Reading { wall_at, mono_ms: 1000, boot }))
    }

    /// Lets `ms` pass on both clocks.
    pub fn advance_ms(&self, ms: u64) {
        self.change(|reading| {
            reading.mono_ms += ms;
            reading.wall_at = reading.wall_at.plus_ms(i64::try_from(ms).unwrap_or(i64::MAX));
        });
    }

    /// Moves the wall clock alone, as a pulled battery or a wrong setting does.
    pub fn jump_ms(&self, ms: i64) {
        self.change(|reading| reading.wall_at = reading.wall_at.plus_ms(ms));
    }

    fn change(&self, change: impl FnOnce(&mut Reading)) {
        change(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Reading {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_runs_forward_within_a_boot() {
        let clock = SystemClock::new();
        let (first, second) = (clock.now(), clock.now());
        assert_eq!(first.boot, second.boot);
        assert!(first.mono_ms <= second.mono_ms);
        assert_eq!(uptime_ms("12.34 5.6"), Some(12_340));
    }
}
