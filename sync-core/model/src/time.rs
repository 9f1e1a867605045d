//! Instants, legal dates and how far a clock can be trusted. No clock is read here.
//!
//! An instant is UTC milliseconds (`_at`); a legal date is a calendar day in Asia/Shanghai (`_on`).
//! China has kept UTC+8 without daylight saving since 1991, so the offset is a constant.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeZone, Utc};
use serde::{Deserialize, Serialize};

use crate::id::BootId;

/// Seconds from UTC to Asia/Shanghai.
const SHANGHAI_OFFSET_S: i32 = 8 * 3600;

/// An instant, in milliseconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Returns the instant `ms` milliseconds later (or earlier), saturating.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Returns the milliseconds from `earlier` to `self`; negative if `earlier` is later.
    #[must_use]
    pub fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns the legal date of this instant in Asia/Shanghai.
    #[must_use]
    pub fn legal_date(self) -> NaiveDate {
        self.local().date_naive()
    }

    /// Returns `2026年11月24日 09时05分`, the way documents print a time.
    #[must_use]
    pub fn chinese(self) -> String {
        self.local().format("%Y年%m月%d日 %H时%M分").to_string()
    }

    /// Returns `09:05`, for screens.
    #[must_use]
    pub fn clock(self) -> String {
        self.local().format("%H:%M").to_string()
    }

    /// Returns `2026-11-24T09:05:00+08:00`.
    #[must_use]
    pub fn iso(self) -> String {
        self.local().format("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// Returns the instant of local midnight at the start of `date` in Asia/Shanghai.
    #[must_use]
    pub fn start_of(date: NaiveDate) -> Self {
        let local = date.and_time(chrono::NaiveTime::MIN);
        Self(local.and_utc().timestamp_millis().saturating_sub(i64::from(SHANGHAI_OFFSET_S) * 1000))
    }

    fn local(self) -> DateTime<FixedOffset> {
        let utc =
            DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
        FixedOffset::east_opt(SHANGHAI_OFFSET_S)
            .map_or_else(|| utc.fixed_offset(), |offset| offset.from_utc_datetime(&utc.naive_utc()))
    }
}

/// How far the wall clock can be trusted (`domain` §8.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeQuality {
    /// Set against HQ within the last 24 hours.
    ServerSynced,
    /// Set by satellite.
    Gnss,
    /// The device's own clock, not checked lately.
    RtcOnly,
    /// Jumped backwards or disagrees with another source.
    Suspect,
}

/// What every record states about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The wall clock.
    pub wall_at: Timestamp,
    /// Milliseconds of the monotonic clock since boot.
    pub mono_ms: u64,
    /// Which boot `mono_ms` counts from.
    pub boot: BootId,
    /// How far `wall_at` can be trusted.
    pub quality: TimeQuality,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnight_in_shanghai_is_sixteen_hours_utc() {
        let date = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        let start = Timestamp::start_of(date);
        assert_eq!(start.iso(), "2026-11-24T00:00:00+08:00");
        assert_eq!(start.legal_date(), date);
        assert_eq!(start.plus_ms(-1).legal_date(), date.pred_opt().unwrap());
        assert_eq!(start.plus_ms(32_700_000).chinese(), "2026年11月24日 09时05分");
    }
}
