//! Handwritten signatures on pages, and their refusal.
//!
//! Raw strokes are kept as the panel gave them, bound to the hash of the page they were made on
//! (`domain` §8.2): they can neither be moved to another page nor smoothed afterwards.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::id::{DocumentId, EvidenceId};

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignerRole {
    /// 当事人 or 被询问人.
    Party,
    /// 在场人.
    PersonPresent,
    /// 执法人员一.
    FirstOfficer,
    /// 执法人员二.
    SecondOfficer,
    /// 见证人.
    AttestingWitness,
    /// 翻译人员.
    Interpreter,
    /// 监护人.
    Guardian,
}

/// One point of a stroke: x and y in tenths of a pixel of the pad, milliseconds since the first
/// point, pressure 0 to 255 or −1 where the panel does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point(pub i32, pub i32, pub u32, pub i16);

/// The strokes of one signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ink {
    /// The page it was made on.
    pub page: Hash,
    /// Never twice the same.
    #[serde(with = "serde_bytes")]
    pub nonce: [u8; 16],
    /// Width of the pad in tenths of a pixel.
    pub pad_width: i32,
    /// Height of the pad in tenths of a pixel.
    pub pad_height: i32,
    /// What made the strokes: `finger`, `pen`, `mouse`.
    pub tool: String,
    /// From pen down to pen up.
    pub strokes: Vec<Vec<Point>>,
}

impl Ink {
    /// Fewest points that count as a signature and not as a slip of the finger.
    pub const POINTS_MIN: usize = 6;

    /// Returns the number of points over all strokes.
    #[must_use]
    pub fn point_count(&self) -> usize {
        self.strokes.iter().map(Vec::len).sum()
    }
}

/// One page was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageSigned {
    /// The document.
    pub document: DocumentId,
    /// Its revision.
    pub revision: u32,
    /// Page number, from 1.
    pub page: u32,
    /// Hash of the page as read.
    pub page_hash: Hash,
    /// In which role.
    pub role: SignerRole,
    /// Name of the signer.
    pub name: String,
    /// The strokes.
    pub ink: Ink,
}

/// Somebody who saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Name.
    pub name: String,
    /// Identity document or unit.
    pub identity: String,
    /// The witness's own signature.
    pub ink: Option<Ink>,
}

/// Somebody refused to sign; an act of its own, not an absence (`domain` D-08).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureRefused {
    /// The document.
    pub document: DocumentId,
    /// Its revision.
    pub revision: u32,
    /// In which role.
    pub role: SignerRole,
    /// Who refused.
    pub name: String,
    /// The stated reason or 未说明理由.
    pub reason: String,
    /// Who saw it.
    pub witness: Option<Witness>,
    /// A recording that covers reading and refusal.
    pub recording: Option<EvidenceId>,
}

/// What an officer's key signs over a finished document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerStatement {
    /// The document.
    pub document: DocumentId,
    /// Its revision.
    pub revision: u32,
    /// Hash of its structured content.
    pub content: Hash,
    /// Hashes of its pages in order.
    pub pages: Vec<Hash>,
}

/// An officer's key signed the document ([`OfficerStatement`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerSignature {
    /// The officer.
    pub officer: crate::id::OfficerId,
    /// The `COSE_Sign1` bytes.
    #[serde(with = "serde_bytes")]
    pub statement: Vec<u8>,
}
