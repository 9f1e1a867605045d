//! Acts of a summary case (简易程序): filed, noticed, heard, decided on the spot.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::id::{CaseId, DocumentId, EvidenceId, InspectionId};
use crate::record::BlobRef;
use crate::record::inspection::Override;
use crate::record::signature::OfficerSignature;
use crate::rule::on_spot::OnSpotFacts;
use crate::time::Timestamp;
use crate::wire::assignment::Party;

/// A violation was found and is dealt with on the spot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFiled {
    /// The case.
    pub case: CaseId,
    /// The visit.
    pub inspection: InspectionId,
    /// The matter (案由).
    pub matter: String,
    /// The authority in whose name the decision will be.
    pub authority: String,
    /// Whom.
    pub party: Party,
    /// What was done, objectively.
    pub violation: String,
    /// When it was done.
    pub acted_at: Timestamp,
    /// Where it was done.
    pub place: String,
    /// Evidence for it.
    pub evidence: Vec<EvidenceId>,
}

/// Facts, reasons, basis, intended penalty and rights were told.
// 《行政处罚法》第四十四条: 作出处罚决定之前应当告知.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorNoticeGiven {
    /// The case.
    pub case: CaseId,
    /// The discretion tier that was chosen.
    pub benchmark: Option<String>,
    /// Order of the tier in the benchmark.
    pub tier: Option<u32>,
    /// Warning intended.
    pub warning: bool,
    /// Fine intended, in fen.
    pub fine_fen: i64,
    /// The words that were told.
    pub told: Hash,
}

/// The party's statement was heard, or the party waived it.
// 《行政处罚法》第四十五条: 必须充分听取当事人的意见; 不得因陈述、申辩而给予更重的处罚.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefenseHeard {
    /// The case.
    pub case: CaseId,
    /// The party's words; empty only if waived.
    pub content: String,
    /// The party clearly gave it up.
    pub waived: bool,
    /// Whether the officers adopted it.
    pub adopted: bool,
    /// What the officers answered.
    pub reply: String,
}

/// The decision was issued: numbered, signed by two officers, evidence manifest sealed.
// 《行政处罚法》第五十一条、第五十二条.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionIssued {
    /// The case.
    pub case: CaseId,
    /// The decision document.
    pub document: DocumentId,
    /// As printed (文号).
    pub document_number: String,
    /// Warning given.
    pub warning: bool,
    /// Fine, in fen; 0 for a warning alone.
    pub fine_fen: i64,
    /// Structured content.
    pub content: BlobRef,
    /// Text as printed.
    pub text: BlobRef,
    /// Hash of each page.
    pub pages: Vec<Hash>,
    /// Hashes of the originals it rests on; later evidence cannot support it.
    // 《最高人民法院关于行政诉讼证据若干问题的规定》第六十条.
    pub evidence_manifest: Vec<Hash>,
    /// What the rules were asked, so that HQ can ask them again.
    pub facts: Box<OnSpotFacts>,
    /// Warnings that were gone past.
    pub overrides: Vec<Override>,
    /// Each officer's key over content and pages.
    pub officer_signatures: Vec<OfficerSignature>,
}
