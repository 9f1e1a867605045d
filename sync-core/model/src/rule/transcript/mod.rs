//! Transcripts (笔录): may this one be locked?
//!
//! Rules D-01 to D-08, D-11 and R-31. Locking is the last moment at which a defect can be cured at
//! the scene; afterwards only a supplementary transcript helps.

mod people;
mod signatures;
mod times;

use serde::{Deserialize, Serialize};

use super::Finding;
use crate::hash::Hash;
use crate::id::OfficerId;
use crate::rulebook::policy::Policies;
use crate::time::Timestamp;

/// Which transcript it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TranscriptKind {
    /// 现场检查笔录
    Scene,
    /// 询问笔录
    Interview,
}

/// The reply to the recusal question (回避, R-31).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecusalReply {
    /// 不申请回避
    NotRequested,
    /// 申请回避; the investigation goes on meanwhile, the decision waits.
    Requested {
        /// Against whom and why.
        reason: String,
    },
}

/// How the text was given back before anybody signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBack {
    /// When it was finished.
    pub at: Timestamp,
    /// 宣读 rather than 核对.
    pub read_aloud: bool,
}

/// One signature on one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageSignature {
    /// When.
    pub at: Timestamp,
    /// What the page's bytes hashed to when it was signed.
    pub page_hash: Hash,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageFacts {
    /// From 1.
    pub number: u32,
    /// What its bytes hash to now.
    pub page_hash: Hash,
    /// The party's or present person's signature or thumbprint.
    pub party_signature: Option<PageSignature>,
}

/// One officer's signature at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerSignature {
    /// Who.
    pub officer_id: OfficerId,
    /// When.
    pub at: Timestamp,
}

/// How the other side ends the transcript.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyOutcome {
    /// Signs every page.
    Signs,
    /// 拒签 (D-08).
    Refuses(SignatureRefusal),
    /// Nobody of the other side is there; scene transcripts only.
    Absent {
        /// Why.
        reason: String,
        /// Name of the attesting witness (见证人).
        witness: Option<String>,
    },
}

/// 拒签, with what makes the transcript stand nevertheless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureRefusal {
    /// When.
    pub at: Timestamp,
    /// The reason given, or `未说明理由`.
    pub reason: String,
    /// Name of the attesting witness.
    pub witness: Option<String>,
    /// Whether a continuous recording covers read-back and refusal.
    pub recorded: bool,
}

/// A stretch of time another transcript covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherTranscript {
    /// Document number or title, for the message.
    pub title: String,
    /// From.
    pub started_at: Timestamp,
    /// To.
    pub ended_at: Timestamp,
    /// Officers of it.
    pub officer_ids: Vec<OfficerId>,
    /// Key of its interviewee.
    pub interviewee: Option<String>,
    /// Scene or interview.
    pub kind: TranscriptKind,
    /// Whether it belongs to the same visit: its scene record and an interview may overlap.
    pub same_visit: bool,
}

/// Everything known of the transcript about to be locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptFacts {
    /// Scene or interview.
    pub kind: TranscriptKind,
    /// Start.
    pub started_at: Option<Timestamp>,
    /// End.
    pub ended_at: Option<Timestamp>,
    /// 询问人 (interviews) or 检查人.
    pub asker: Option<OfficerId>,
    /// 记录人
    pub recorder: Option<OfficerId>,
    /// Officers taking part, asker and recorder included.
    pub officer_ids: Vec<OfficerId>,
    /// When credentials were displayed.
    pub displayed_at: Option<Timestamp>,
    /// When rights and duties were told.
    pub rights_told_at: Option<Timestamp>,
    /// The reply to the recusal question.
    pub recusal: Option<RecusalReply>,
    /// Read-back.
    pub read_back: Option<ReadBack>,
    /// Whether the person wrote the closing words himself (D-05).
    pub closing_words: bool,
    /// Pages in order.
    pub pages: Vec<PageFacts>,
    /// Officers' signatures at the end.
    pub officer_signatures: Vec<OfficerSignature>,
    /// How the other side ends it.
    pub outcome: PartyOutcome,
    /// Key of the interviewee.
    pub interviewee: Option<String>,
    /// Whether the interviewee is under 18 (D-11).
    pub is_minor: bool,
    /// Guardian or other adult called in, or the note why nobody came.
    pub guardian_note: Option<String>,
    /// Drunk, confused or otherwise in doubt: no interview.
    pub capacity_doubt: bool,
    /// Other transcripts of these officers or this person that day.
    pub others: Vec<OtherTranscript>,
}

/// What a locked transcript is worth as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// Refused or unattended without witness and without recording.
    Weak,
    /// Refused or unattended, but witnessed or recorded.
    Supported,
    /// Signed by the other side.
    Signed,
}

/// Returns what the transcript is worth, as shown on it and at HQ.
#[must_use]
pub fn strength(outcome: &PartyOutcome) -> Strength {
    let named =
        |witness: &Option<String>| witness.as_deref().is_some_and(|name| !name.trim().is_empty());
    match outcome {
        PartyOutcome::Signs => Strength::Signed,
        PartyOutcome::Refuses(refusal) if refusal.recorded || named(&refusal.witness) => {
            Strength::Supported
        }
        PartyOutcome::Absent { witness, .. } if named(witness) => Strength::Supported,
        PartyOutcome::Refuses(_) | PartyOutcome::Absent { .. } => Strength::Weak,
    }
}

/// Checks whether the transcript may be locked.
#[must_use]
pub fn check_lock(facts: &TranscriptFacts, policies: &Policies, now: Timestamp) -> Vec<Finding> {
    let mut findings = people::check(facts);
    findings.extend(times::check(facts, policies, now));
    findings.extend(signatures::check(facts));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::credential::tests::officer;
    use crate::rulebook::sample::at;

    /// An interview with nothing wrong, 09:00 to 09:20, two pages.
    pub(super) fn facts() -> TranscriptFacts {
        let [first, second] = [1, 2].map(|number| officer(number, "某").officer_id);
        let page = |number: u32| {
            let page_hash = Hash::of(&number.to_be_bytes());
            let party_signature = Some(PageSignature { at: at(9, 18), page_hash });
            PageFacts { number, page_hash, party_signature }
        };
        TranscriptFacts {
            kind: TranscriptKind::Interview,
            started_at: Some(at(9, 0)),
            ended_at: Some(at(9, 20)),
            asker: Some(first),
            recorder: Some(second),
            officer_ids: vec![first, second],
            displayed_at: Some(at(8, 55)),
            rights_told_at: Some(at(9, 1)),
            recusal: Some(RecusalReply::NotRequested),
            read_back: Some(ReadBack { at: at(9, 15), read_aloud: false }),
            closing_words: true,
            pages: vec![page(1), page(2)],
            officer_signatures: vec![
                OfficerSignature { officer_id: first, at: at(9, 19) },
                OfficerSignature { officer_id: second, at: at(9, 19) },
            ],
            outcome: PartyOutcome::Signs,
            interviewee: Some("330106".into()),
            is_minor: false,
            guardian_note: None,
            capacity_doubt: false,
            others: Vec::new(),
        }
    }

    pub(super) type Change = fn(&mut TranscriptFacts);

    /// Returns the findings after one change to an interview in order.
    pub(super) fn changed(change: Change) -> Vec<Finding> {
        let mut facts = facts();
        change(&mut facts);
        check_lock(&facts, &Policies::default(), at(9, 21))
    }

    #[test]
    fn a_transcript_in_order_locks_without_findings() {
        assert_eq!(changed(|_| {}), []);
        let scene = changed(|facts| {
            facts.kind = TranscriptKind::Scene;
            facts.asker = None;
        });
        assert_eq!(scene, []);
    }
}
