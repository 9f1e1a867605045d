//! What a device may send over which network, and how long it keeps what HQ holds; set by HQ, may
//! change at noon (`design` C4).

use serde::{Deserialize, Serialize};

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
}
