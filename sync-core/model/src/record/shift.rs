//! Acts of a shift (值班): who is on the device, and what it made.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::id::{OfficerId, ShiftId};
use crate::time::Timestamp;

/// How an officer proved to be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresenceProof {
    /// Own PIN on this device.
    OwnUnlock,
    /// Own device, by exchange of codes.
    OwnDevice,
}

/// One officer on the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The officer.
    pub officer: OfficerId,
    /// Name as in the credential.
    pub name: String,
    /// Certificate number (执法证件号).
    pub certificate_number: String,
    /// How presence was proved.
    pub proof: PresenceProof,
    /// When.
    pub proved_at: Timestamp,
    /// The officer's own signature over shift id and time ([`crate::cose::Context::OfficerAct`]).
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// What an officer signs to prove presence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceStatement {
    /// The shift.
    pub shift: ShiftId,
    /// The officer.
    pub officer: OfficerId,
    /// When.
    pub proved_at: Timestamp,
}

/// Officers begin a shift on this device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftBegun {
    /// The shift.
    pub shift: ShiftId,
    /// Authority in whose name they act.
    pub authority: String,
    /// Who is here; two or more officers before any inspection.
    pub officers: Vec<Presence>,
}

/// Officers leave the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftEnded {
    /// The shift.
    pub shift: ShiftId,
    /// Records without a receipt at this moment.
    pub unsent: u64,
    /// What the next officers should know.
    pub note: String,
}

/// The device's statement of all it made, so that a missing record shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayClosed {
    /// Last record before this one.
    pub last_seq: u64,
    /// Its hash.
    pub head: Hash,
    /// Files cited so far.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
}

/// A statement about a clock that was wrong; stored times are never rewritten (`domain` §8.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockStated {
    /// What the wall clock showed before.
    pub before_at: Timestamp,
    /// What it showed after.
    pub after_at: Timestamp,
    /// In the officers' words, or the device's own finding.
    pub statement: String,
}
