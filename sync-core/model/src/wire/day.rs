//! Close of day: what the device said it made, against what HQ holds.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::id::DeviceId;
use crate::time::Timestamp;
use crate::wire::audit::SeqRun;

/// Most runs and most files that one report lists; the counts say how many there are.
pub const DAY_LISTED_MAX: usize = 500;

/// The statement that a report checks: a [`crate::record::shift::DayClosed`] of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayStatement {
    /// Its own place in the chain.
    pub seq: u64,
    /// Its hash.
    pub record: Hash,
    /// When, by the device's clock.
    pub stated_at: Timestamp,
    /// Last record before it.
    pub last_seq: u64,
    /// Hash of that record.
    pub head: Hash,
    /// Files cited up to there.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// The device that brought it, if it did not come from the device itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brought_by: Option<DeviceId>,
}

/// A cited file that HQ does not hold whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingBlob {
    /// The file.
    pub sha256: Hash,
    /// Its length.
    pub bytes: u64,
    /// First record that cites it.
    pub seq: u64,
}

/// What HQ found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayReport {
    /// The device.
    pub device: DeviceId,
    /// The legal date.
    pub on: NaiveDate,
    /// The last statement of that date that HQ knows; without one only what HQ holds is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<DayStatement>,
    /// First record of that date at HQ, 0 for none.
    pub first_seq: u64,
    /// Last record of that date at HQ, 0 for none.
    pub last_seq: u64,
    /// Records of that date at HQ.
    pub records: u64,
    /// Records up to the statement that HQ lacks, at most [`DAY_LISTED_MAX`] runs.
    pub missing: Vec<SeqRun>,
    /// How many records are missing.
    pub missing_records: u64,
    /// Whether the stated head is the record that HQ holds there.
    pub head_matches: bool,
    /// Files cited up to the statement, or by all of the device's records.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// Cited files that HQ does not hold whole, at most [`DAY_LISTED_MAX`].
    pub missing_blobs: Vec<MissingBlob>,
    /// How many files are missing.
    pub missing_blob_count: u64,
    /// There is a statement and HQ holds all it speaks of.
    pub complete: bool,
}
