//! Acts of showing credentials (亮证).

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::id::{InspectionId, OfficerId};
use crate::time::Timestamp;

/// What the party did with the credential (`domain` R-92).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyReaction {
    /// 已看.
    Seen,
    /// 已扫码.
    Scanned,
    /// 要求再看.
    AskedAgain,
    /// 拒绝看.
    RefusedToLook,
}

/// One officer's credential as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisplayedCredential {
    /// The officer.
    pub officer: OfficerId,
    /// Certificate number.
    pub certificate_number: String,
    /// Hash of the signed credential that stood behind the code.
    pub credential: Hash,
    /// The officer-signed moment inside the code.
    #[serde(with = "serde_bytes")]
    pub moment: Vec<u8>,
}

/// What an officer's key signs for one moment of a display; an array, as it travels in a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Positions", from = "Positions")]
pub struct DisplayMoment {
    /// The visit.
    pub inspection: InspectionId,
    /// When.
    pub at: Timestamp,
    /// Hash of the credential, so that a moment cannot be moved to another.
    pub credential: Hash,
    /// Never twice the same.
    pub nonce: [u8; 8],
    /// Digits the party said aloud, so that the code is seen to be made now; empty if none.
    pub challenge: String,
}

#[derive(Serialize, Deserialize)]
struct Positions(InspectionId, Timestamp, Hash, #[serde(with = "serde_bytes")] [u8; 8], String);

impl From<DisplayMoment> for Positions {
    fn from(it: DisplayMoment) -> Self {
        Self(it.inspection, it.at, it.credential, it.nonce, it.challenge)
    }
}

impl From<Positions> for DisplayMoment {
    fn from(it: Positions) -> Self {
        Self { inspection: it.0, at: it.1, credential: it.2, nonce: it.3, challenge: it.4 }
    }
}

/// Both officers showed their credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialDisplayed {
    /// The visit.
    pub inspection: InspectionId,
    /// What was shown.
    pub credentials: Vec<DisplayedCredential>,
    /// How long it stood on the screen.
    pub shown_ms: u64,
    /// Whether the physical cards were shown too.
    pub physical_card_shown: bool,
    /// What the party did.
    pub reaction: PartyReaction,
}
