//! What a device may send over which network, and how long it keeps what HQ holds; set by HQ, may
//! change at noon (`design` C4).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::id::DeviceId;
use crate::time::Timestamp;

/// What may go over a network that costs money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowance {
    /// Records only: they are a small part of the bytes and nearly all of the legal value.
    Records,
    /// Records, and the small files a reader needs first: texts and thumbnails.
    Previews,
    /// Everything.
    All,
}

/// What kind of network a device is on, as far as it can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkKind {
    /// Costs nothing by the byte.
    Unmetered,
    /// Costs by the byte.
    Metered,
    /// A foreign operator's network.
    Roaming,
    /// The station's own cable or cradle.
    Dock,
    /// Nobody said.
    Unknown,
}

/// HQ's rules for one device's traffic and storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Rises with each change.
    pub revision: u64,
    /// What may go over a metered network.
    pub metered: Allowance,
    /// What may go while roaming.
    pub roaming: Allowance,
    /// Bytes of files a day over a metered network; records are not counted.
    pub metered_bytes_per_day: u64,
    /// Days an original stays on the device after HQ archived it (R3).
    pub retain_days: u32,
    /// Minute of the day (UTC+8) at which the nightly window opens.
    pub nightly_start_minute: u32,
    /// Length of the nightly window in minutes; each device starts at its own minute within.
    pub nightly_window_minutes: u32,
}

impl Policy {
    /// Holds until HQ says otherwise: 5 MB a day of previews where it costs, a month of originals,
    /// four hours from 22:00.
    pub const DEFAULT: Self = Self {
        revision: 0,
        metered: Allowance::Previews,
        roaming: Allowance::Records,
        metered_bytes_per_day: 5_000_000,
        retain_days: 30,
        nightly_start_minute: 22 * 60,
        nightly_window_minutes: 4 * 60,
    };

    /// Returns what may go over a network of this kind.
    ///
    /// A device that cannot tell sends everything: evidence that lies on one device alone is the
    /// greater risk.
    #[must_use]
    pub fn allowance(&self, network: NetworkKind) -> Allowance {
        match network {
            NetworkKind::Unmetered | NetworkKind::Dock | NetworkKind::Unknown => Allowance::All,
            NetworkKind::Metered => self.metered,
            NetworkKind::Roaming => self.roaming,
        }
    }

    /// Returns when a device begins in the night that starts on `night`: hash(device, date) mod
    /// window, so that a province's devices come one after the other, and no device is always last.
    #[must_use]
    pub fn nightly_start(&self, device: DeviceId, night: NaiveDate) -> Timestamp {
        let mut text = device.as_bytes().to_vec();
        text.extend(night.to_string().bytes());
        let spread = Hash::of(&text)
            .0
            .iter()
            .take(7)
            .fold(0_i64, |sum, byte| sum.wrapping_mul(256).wrapping_add(i64::from(*byte)));
        let window_ms = i64::from(self.nightly_window_minutes).max(1) * 60_000;
        self.nightly_opens(night).plus_ms(spread.rem_euclid(window_ms))
    }

    /// Returns when the nightly window of `night` opens.
    #[must_use]
    pub fn nightly_opens(&self, night: NaiveDate) -> Timestamp {
        Timestamp::start_of(night).plus_ms(i64::from(self.nightly_start_minute) * 60_000)
    }

    /// Returns when the nightly window of `night` closes.
    #[must_use]
    pub fn nightly_closes(&self, night: NaiveDate) -> Timestamp {
        self.nightly_opens(night).plus_ms(i64::from(self.nightly_window_minutes).max(1) * 60_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn devices_spread_over_the_whole_window_and_change_places() {
        let policy = Policy::DEFAULT;
        let night = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        let next = night.succ_opt().unwrap();
        let opens = policy.nightly_opens(night);
        assert_eq!(opens.iso(), "2026-11-24T22:00:00+08:00");
        let mut slots = [0_u32; 24];
        let mut moved = 0;
        for number in 0..2400_u128 {
            let device = DeviceId(Uuid::from_u128(number));
            let after_ms = policy.nightly_start(device, night).since_ms(opens);
            assert!((0..4 * 3_600_000).contains(&after_ms));
            slots[usize::try_from(after_ms / 600_000).unwrap()] += 1;
            let tomorrow = policy.nightly_start(device, next).since_ms(policy.nightly_opens(next));
            moved += u32::from((tomorrow - after_ms).abs() > 60_000);
        }
        assert!(slots.iter().all(|count| (60..150).contains(count)), "{slots:?}");
        assert!(moved > 2300, "{moved}");
        let none = Policy { nightly_window_minutes: 0, ..policy };
        assert!(none.nightly_start(DeviceId(Uuid::nil()), night) < none.nightly_closes(night));
    }

    #[test]
    fn what_costs_is_limited_and_what_does_not_is_not() {
        let policy = Policy::DEFAULT;
        assert_eq!(policy.allowance(NetworkKind::Metered), Allowance::Previews);
        assert_eq!(policy.allowance(NetworkKind::Roaming), Allowance::Records);
        assert_eq!(policy.allowance(NetworkKind::Dock), Allowance::All);
        assert_eq!(policy.allowance(NetworkKind::Unknown), Allowance::All);
    }
}
