//! Acts of a transcript (笔录): prepared, read back, signed page by page, locked.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::id::{DocumentId, InspectionId, TranscriptId};
use crate::record::BlobRef;
use crate::record::signature::OfficerSignature;

/// Which transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TranscriptKind {
    /// 现场检查笔录.
    Scene,
    /// 询问笔录.
    Interview,
}

/// The pages were made; a later revision voids the signatures on changed pages (`domain` D-06).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptPrepared {
    /// The transcript.
    pub transcript: TranscriptId,
    /// The document that it is filed as.
    pub document: DocumentId,
    /// The visit.
    pub inspection: InspectionId,
    /// Scene or interview.
    pub kind: TranscriptKind,
    /// From 1.
    pub revision: u32,
    /// Title as printed.
    pub title: String,
    /// Structured content.
    pub content: BlobRef,
    /// Text as read.
    pub text: BlobRef,
    /// Hash of each page's text, in order.
    pub pages: Vec<Hash>,
}

/// How it was read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadBackWay {
    /// 交由阅读.
    Read,
    /// 向其宣读.
    ReadAloud,
}

/// How long one page was before the reader's eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageReading {
    /// Page number, from 1.
    pub page: u32,
    /// Milliseconds on the screen.
    pub dwell_ms: u64,
}

/// It was read by, or read aloud to, the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptReadBack {
    /// The transcript.
    pub transcript: TranscriptId,
    /// The revision that was read.
    pub revision: u32,
    /// Read or read aloud.
    pub way: ReadBackWay,
    /// Per page.
    pub readings: Vec<PageReading>,
    /// The person's closing words.
    pub closing_words: String,
}

/// Whether the transcript can stand alone (`domain` R-80).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// Signed by the party.
    Signed,
    /// Refused, with witness or recording.
    RefusedAttested,
    /// Refused with neither: weak.
    Weak,
}

/// Everybody signed or refused; it never changes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptLocked {
    /// The transcript.
    pub transcript: TranscriptId,
    /// The revision that stands.
    pub revision: u32,
    /// Hash of the structured content.
    pub content: Hash,
    /// Hash of each page.
    pub pages: Vec<Hash>,
    /// Whether it can stand alone.
    pub strength: Strength,
    /// Each officer's key over content and pages.
    pub officer_signatures: Vec<OfficerSignature>,
}
