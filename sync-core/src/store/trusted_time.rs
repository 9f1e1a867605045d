//! The earliest time it can be: for decisions that a wrong clock must not make.
//!
//! Three things are known whatever the wall clock shows: when this program was built, the newest
//! time HQ told, and how long the device has been running since. Their sum is a lower bound of the
//! true time; it never moves back, and no setting of the device moves it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sync_model::id::BootId;
use sync_model::time::Timestamp;

use super::sql::{Reader, from_content, set_meta, to_content};
use super::{Store, lock};
use crate::clock::Clock;
use crate::error::StoreError;

/// When HQ told its time, by the clock that cannot be set.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Told {
    hq_at: Timestamp,
    mono_ms: u64,
    boot: BootId,
}

/// A lower bound of the true time that runs on by itself.
#[derive(Clone)]
pub struct TrustedTime {
    clock: Arc<dyn Clock>,
    told: Option<Told>,
    built_at: Timestamp,
}

impl std::fmt::Debug for TrustedTime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("TrustedTime").field(&self.now()).finish()
    }
}

impl TrustedTime {
    /// Returns the bound for a device that HQ never told the time.
    #[must_use]
    pub fn since_build(clock: Arc<dyn Clock>) -> Self {
        Self { clock, told: None, built_at: built_at() }
    }

    /// Returns the bound as if the program had been built at another time.
    #[must_use]
    pub fn built_at(self, built_at: Timestamp) -> Self {
        Self { built_at, ..self }
    }

    /// Returns the earliest time it can be now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let Some(told) = self.told else { return self.built_at };
        let reading = self.clock.now();
        let since = if reading.boot == told.boot {
            reading.mono_ms.saturating_sub(told.mono_ms)
        } else {
            // How long it was off nobody knows.
            reading.mono_ms
        };
        told.hq_at.plus_ms(i64::try_from(since).unwrap_or(i64::MAX)).max(self.built_at)
    }
}

fn built_at() -> Timestamp {
    let seconds: i64 = env!("XUNZHENG_BUILT_AT_S").parse().unwrap_or_default();
    Timestamp(seconds.saturating_mul(1000))
}

impl Reader<'_> {
    fn told(&self) -> Result<Option<Told>, StoreError> {
        self.meta("hq_told_time")?.map(|bytes| from_content(&bytes, "hq's time")).transpose()
    }
}

impl Store {
    /// Returns the earliest time it can be, by what HQ told this device.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn trusted_time(&self) -> Result<TrustedTime, StoreError> {
        let told = self.read(|r| r.told())?;
        Ok(TrustedTime { clock: Arc::clone(&self.clock), told, built_at: built_at() })
    }

    /// Keeps the time HQ told, unless more is known already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn note_told_time(&self, hq_at: Timestamp) -> Result<(), StoreError> {
        if self.trusted_time()?.now() >= hq_at {
            return Ok(());
        }
        let reading = self.clock.now();
        let told = Told { hq_at, mono_ms: reading.mono_ms, boot: reading.boot };
        set_meta(&lock(&self.writer), "hq_told_time", &to_content(&told)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    const HOUR_MS: u64 = 3_600_000;
    const BUILT: Timestamp = Timestamp(1_790_000_000_000);

    fn told(clock: &Arc<ManualClock>, hq_at: Timestamp) -> TrustedTime {
        let reading = clock.now();
        TrustedTime {
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            told: Some(Told { hq_at, mono_ms: reading.mono_ms, boot: reading.boot }),
            built_at: BUILT,
        }
    }

    #[test]
    fn the_wall_clock_moves_nothing() {
        for wall_at in [Timestamp(0), Timestamp(4_070_908_800_000)] {
            let clock = Arc::new(ManualClock::at(wall_at));
            let alone = TrustedTime::since_build(Arc::clone(&clock) as Arc<dyn Clock>);
            assert_eq!(alone.built_at(BUILT).now(), BUILT);
            let time = told(&clock, BUILT.plus_ms(5000));
            clock.advance_ms(HOUR_MS);
            clock.jump_ms(-86_400_000 * 365);
            assert_eq!(time.now(), BUILT.plus_ms(5000 + 3_600_000));
        }
    }

    #[test]
    fn a_later_program_knows_better_than_an_old_word_of_hq() {
        let clock = Arc::new(ManualClock::at(Timestamp(0)));
        assert_eq!(told(&clock, BUILT.plus_ms(-1)).now(), BUILT);
    }
}
