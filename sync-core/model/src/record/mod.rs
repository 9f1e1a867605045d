//! Records: what the field produces, immutable once signed.
//!
//! An [`Envelope`] says who, when and after what; its [`Act`] says what happened. The signed bytes
//! are stored and sent as they are and never encoded again. An act of an unknown kind is kept as
//! it is: an older reader carries what a newer writer made.

pub mod case;
pub mod credential;
pub mod document;
pub mod evidence;
pub mod inspection;
pub mod shift;
pub mod signature;
pub mod transcript;

use ciborium::Value;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::canonical::{self, CanonicalError};
use crate::cose::{self, Context, CoseError, PublicKey, Signer, Unverified, Verifier};
use crate::hash::Hash;
use crate::id::{CaseId, DeviceId, InspectionId, OfficerId, RecordId};
use crate::time::Moment;

/// Version of the envelope's shape.
pub const ENVELOPE_VERSION: u16 = 1;

/// Why a record cannot be made or read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RecordError {
    /// Signature or outer form.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// Payload form.
    #[error("record payload: {0}")]
    Canonical(#[from] CanonicalError),
    /// An envelope version this program does not know.
    #[error("record envelope version {0} is not known")]
    Version(u16),
}

/// The newest state of HQ's log that the device had verified: proves "not before".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// Leaves.
    pub size: u64,
    /// Root.
    pub root: Hash,
}

/// What a blob is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlobRole {
    /// The untouched original of a piece of evidence.
    Original,
    /// A small preview of the original.
    Thumbnail,
    /// A copy with visible time, place and officers.
    Watermarked,
    /// The structured content of a document, canonical CBOR.
    Content,
    /// The text of a document as it was read and signed.
    Text,
}

/// A file that a record cites by hash; durable before the record is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRef {
    /// SHA-256 of the whole file.
    pub sha256: Hash,
    /// Length in bytes.
    pub bytes: u64,
    /// Media type.
    pub media: String,
    /// What it is for.
    pub role: BlobRole,
}

/// An act as stored: its kind and its body, whatever this program knows of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RawAct {
    /// Name of the kind, `snake_case`.
    pub kind: String,
    /// The body.
    pub body: Value,
}

macro_rules! acts {
    ($($(#[$doc:meta])* $kind:ident($path:path) = $name:literal;)*) => {
        /// Everything that can happen in the field, in glossary words.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Act {
            $($(#[$doc])* $kind($path),)*
            /// An act of a kind that this program does not know, kept as it is.
            Unknown(RawAct),
        }

        impl Act {
            /// Returns the name of the kind.
            #[must_use]
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$kind(_) => $name,)*
                    Self::Unknown(raw) => &raw.kind,
                }
            }

            fn raw(&self) -> Result<RawAct, CanonicalError> {
                let body = match self {
                    $(Self::$kind(body) => Value::serialized(body),)*
                    Self::Unknown(raw) => Ok(raw.body.clone()),
                }
                .map_err(|e| CanonicalError::Shape(e.to_string()))?;
                // Sorted as it will be read back, so that a made record equals the opened one.
                Ok(RawAct { kind: self.kind().to_owned(), body: canonical::sorted(body)? })
            }

            fn from_raw(raw: RawAct) -> Self {
                match raw.kind.as_str() {
                    // A body of a later shape is as unknown as a later kind.
                    $($name => raw.body.deserialized().map(Self::$kind).unwrap_or(Self::Unknown(raw)),)*
                    _ => Self::Unknown(raw),
                }
            }
        }

        $(impl From<$path> for Act {
            fn from(body: $path) -> Self {
                Self::$kind(body)
            }
        })*
    };
}

acts! {
    /// 值班开始.
    ShiftBegun(shift::ShiftBegun) = "shift_begun";
    /// 交接班 or 下班.
    ShiftEnded(shift::ShiftEnded) = "shift_ended";
    /// What the device made today, so that HQ can prove it holds all of it.
    DayClosed(shift::DayClosed) = "day_closed";
    /// A statement about a wrong clock (情况说明).
    ClockStated(shift::ClockStated) = "clock_stated";
    /// 接收任务.
    AssignmentAccepted(inspection::AssignmentAccepted) = "assignment_accepted";
    /// 检查开始.
    InspectionBegun(inspection::InspectionBegun) = "inspection_begun";
    /// 亮证.
    CredentialDisplayed(credential::CredentialDisplayed) = "credential_displayed";
    /// 告知.
    NoticeGiven(inspection::NoticeGiven) = "notice_given";
    /// Answers on the checklist (检查表单).
    ChecklistAnswered(inspection::ChecklistAnswered) = "checklist_answered";
    /// 检查结束.
    InspectionConcluded(inspection::InspectionConcluded) = "inspection_concluded";
    /// 取证.
    EvidenceCaptured(evidence::EvidenceCaptured) = "evidence_captured";
    /// A mistaken capture, kept but not cited.
    EvidenceExcluded(evidence::EvidenceExcluded) = "evidence_excluded";
    /// 线索, always allowed.
    LeadRecorded(evidence::LeadRecorded) = "lead_recorded";
    /// A transcript's pages were made and are about to be read.
    TranscriptPrepared(transcript::TranscriptPrepared) = "transcript_prepared";
    /// 核对 or 宣读.
    TranscriptReadBack(transcript::TranscriptReadBack) = "transcript_read_back";
    /// One page signed by hand (逐页签名).
    PageSigned(signature::PageSigned) = "page_signed";
    /// 拒签.
    SignatureRefused(signature::SignatureRefused) = "signature_refused";
    /// Signed by everybody it needs; never changes again.
    TranscriptLocked(transcript::TranscriptLocked) = "transcript_locked";
    /// A summary case was opened on the spot.
    CaseFiled(case::CaseFiled) = "case_filed";
    /// 告知事实、理由、依据、拟处罚内容和权利.
    PriorNoticeGiven(case::PriorNoticeGiven) = "prior_notice_given";
    /// 陈述、申辩.
    DefenseHeard(case::DefenseHeard) = "defense_heard";
    /// A document number was taken from a lease.
    NumberReserved(document::NumberReserved) = "number_reserved";
    /// A taken number will not be used.
    NumberVoided(document::NumberVoided) = "number_voided";
    /// 当场处罚决定.
    DecisionIssued(case::DecisionIssued) = "decision_issued";
    /// 送达.
    DocumentDelivered(document::DocumentDelivered) = "document_delivered";
}

/// Who, when, after what; and what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// [`ENVELOPE_VERSION`].
    pub version: u16,
    /// Name of the record.
    pub record: RecordId,
    /// The device whose chain this is.
    pub device: DeviceId,
    /// Place in the chain, from 1.
    pub seq: u64,
    /// Hash of the record before.
    pub previous: Hash,
    /// When, by the device's clocks.
    pub recorded: Moment,
    /// Newest verified state of HQ's log.
    pub hq_seen: Option<LogHead>,
    /// Hash of the rulebook in force on the device.
    pub rulebook: Option<Hash>,
    /// The visit it belongs to.
    pub inspection: Option<InspectionId>,
    /// Hash of the record before this one of the same visit, so that one visit's records can be
    /// handed over as a chain of their own, without the records of others in between.
    pub visit_previous: Option<Hash>,
    /// The case it belongs to.
    pub case: Option<CaseId>,
    /// The unlocked officers.
    pub officers: Vec<OfficerId>,
    /// Files it cites.
    pub blobs: Vec<BlobRef>,
    /// Hides the content from who knows only the hash.
    #[serde(with = "serde_bytes")]
    pub salt: [u8; 16],
    /// What happened.
    pub act: RawAct,
}

impl Envelope {
    /// Returns the act in the vocabulary of this program.
    #[must_use]
    pub fn act(&self) -> Act {
        Act::from_raw(self.act.clone())
    }
}

/// Returns the stored form of `act`.
///
/// # Errors
/// [`CanonicalError`] if it has no canonical form.
pub fn raw_act(act: &Act) -> Result<RawAct, CanonicalError> {
    act.raw()
}

/// A record: its signed bytes, their hash, and what they say.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The `COSE_Sign1` bytes, as made by the device.
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`.
    pub hash: Hash,
    /// The payload.
    pub envelope: Envelope,
}

impl Record {
    /// Returns the record of `envelope`, signed by the device key.
    ///
    /// # Errors
    /// [`RecordError`] if it has no canonical form or is too large.
    pub fn seal(envelope: Envelope, device_key: &dyn Signer) -> Result<Self, RecordError> {
        let payload = canonical::to_bytes(&envelope)?;
        canonical::check(&payload, canonical::RECORD_BYTES_MAX)?;
        let bytes = cose::sign(Context::Record, &payload, device_key)?;
        Ok(Self { hash: Hash::of(&bytes), bytes, envelope })
    }

    /// Returns the record in `bytes` after checking the signature of `device_key`.
    ///
    /// # Errors
    /// The first failing step.
    pub fn open(bytes: &[u8], device_key: &PublicKey) -> Result<Self, RecordError> {
        let payload = cose::verify(Context::Record, bytes, device_key)?;
        Self::decode(bytes, &payload)
    }

    /// As [`Record::open`], by a key made ready for many records.
    ///
    /// # Errors
    /// The first failing step.
    pub fn open_with(bytes: &[u8], device_key: &Verifier) -> Result<Self, RecordError> {
        let payload = Unverified::parse(bytes)?.verify_with(Context::Record, device_key)?;
        Self::decode(bytes, &payload)
    }

    /// Returns the record in `bytes` without checking the signature: for bytes that this program
    /// stored after checking them and whose hash still matches.
    ///
    /// # Errors
    /// [`RecordError`] if the bytes are not a record.
    pub fn read(bytes: &[u8]) -> Result<Self, RecordError> {
        let object = Unverified::parse(bytes)?;
        Self::decode(bytes, object.payload())
    }

    fn decode(bytes: &[u8], payload: &[u8]) -> Result<Self, RecordError> {
        let envelope: Envelope = canonical::from_bytes(payload, canonical::RECORD_BYTES_MAX)?;
        if envelope.version != ENVELOPE_VERSION {
            return Err(RecordError::Version(envelope.version));
        }
        Ok(Self { hash: Hash::of(bytes), bytes: bytes.to_vec(), envelope })
    }
}

#[cfg(test)]
mod tests;
