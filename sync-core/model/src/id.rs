//! Ids: UUIDs in newtypes, so that one aggregate's id cannot stand in for another's.
//!
//! Made by the caller (version 7, from the clock it is given); 16 raw bytes in CBOR and SQL.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Returns a new id ordered by `now_ms` (UUID version 7) with the given random bits.
            #[must_use]
            pub fn new(now_ms: i64, random: &[u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(now_ms.max(0).unsigned_abs(), random).into_uuid())
            }

            /// Returns the 16 raw bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Returns the id from 16 raw bytes, or `None` for any other length.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Uuid::from_slice(bytes).ok().map(Self)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    )*};
}

ids! {
    /// One enrolled handheld (执法终端).
    DeviceId;
    /// One record in a device's chain.
    RecordId;
    /// One officer (执法人员), whatever certificates he holds.
    OfficerId;
    /// One assignment (检查任务) from HQ.
    AssignmentId;
    /// One inspection (行政检查): one visit at one premises.
    InspectionId;
    /// One piece of evidence (证据).
    EvidenceId;
    /// One transcript (笔录).
    TranscriptId;
    /// One case (案件).
    CaseId;
    /// One document (文书).
    DocumentId;
    /// One leased block of document numbers (文号).
    LeaseId;
    /// One shift (值班).
    ShiftId;
    /// One run of the operating system; monotonic times compare only within it.
    BootId;
}
