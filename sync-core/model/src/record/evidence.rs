//! Acts of evidence capture (取证). Originals are write-once; everything else points to them.

use serde::{Deserialize, Serialize};

use crate::id::{EvidenceId, InspectionId};
use crate::record::BlobRef;

/// The eight kinds of evidence.
// 《行政处罚法》第四十六条: 证据包括下列八种.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// 书证.
    DocumentaryEvidence,
    /// 物证.
    PhysicalEvidence,
    /// 视听资料.
    AudiovisualMaterial,
    /// 电子数据.
    ElectronicData,
    /// 证人证言.
    WitnessTestimony,
    /// 当事人的陈述.
    PartyStatement,
    /// 鉴定意见.
    ExpertOpinion,
    /// 勘验笔录、现场笔录.
    SceneTranscript,
}

/// Where the file came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceOrigin {
    /// The device's own camera.
    Captured,
    /// A file by somebody else; never mixed with own captures (`domain` R-122).
    Imported,
}

/// Whether it may be cited for the visit (`domain` ).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidencePhase {
    /// Before credentials were shown: a lead, not evidence of the inspection.
    PreVisit,
    /// Within the visit.
    Visit,
    /// After the decision: cannot support it.
    PostDecision,
}

/// A position in fixed point; the datum is said, never assumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Degrees north, in 1e-7.
    pub latitude_e7: i64,
    /// Degrees east, in 1e-7.
    pub longitude_e7: i64,
    /// Radius of the fix, if the receiver told.
    pub accuracy_mm: Option<u64>,
    /// `EPSG:4490` with the source that gave it, for example `exif` or `gnss_wgs84`.
    pub datum: String,
    /// Where the position came from.
    pub source: String,
}

/// A photograph or file became evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceCaptured {
    /// The evidence.
    pub evidence: EvidenceId,
    /// The visit.
    pub inspection: Option<InspectionId>,
    /// Number within the visit, from 1.
    pub ordinal: u32,
    /// Which of the eight kinds.
    pub kind: EvidenceKind,
    /// Own camera or somebody else's file.
    pub origin: EvidenceOrigin,
    /// Before, within, or after.
    pub phase: EvidencePhase,
    /// What it shows, in the officer's words.
    pub description: String,
    /// The camera or the name of the imported file.
    pub source: String,
    /// The untouched file.
    pub original: BlobRef,
    /// Small preview, if one could be made.
    pub thumbnail: Option<BlobRef>,
    /// Copy with visible time and place, if one could be made.
    pub watermarked: Option<BlobRef>,
    /// Pixels as stored.
    pub width: u32,
    /// Pixels as stored.
    pub height: u32,
    /// Time in the file as written by the camera, never reinterpreted.
    pub exif_taken: Option<String>,
    /// Maker and model in the file.
    pub exif_camera: Option<String>,
    /// Position in the file or of the device.
    pub position: Option<Position>,
    /// What was wrong with the file, for example "truncated".
    pub problems: Vec<String>,
}

/// A mistaken capture; the file stays (`domain` R-126).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceExcluded {
    /// The evidence.
    pub evidence: EvidenceId,
    /// Why.
    pub reason: String,
}

/// Signs of a violation outside the officers' remit, to be handed on.
// 《浙江省综合行政执法条例》第十八条: 线索可以随时采集并移送.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadRecorded {
    /// Where.
    pub place: String,
    /// What was seen.
    pub description: String,
    /// Who should look at it.
    pub hand_to: String,
    /// Evidence.
    pub evidence: Vec<EvidenceId>,
}
