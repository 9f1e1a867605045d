//! HQ's clock. Everything takes it as a value, so that tests share one clock with the devices.

use std::time::UNIX_EPOCH;

use sync_model::time::Timestamp;

/// Tells the time.
pub trait HqClock: Send + Sync {
    /// Returns the present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl HqClock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place of HQ that reads the clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
