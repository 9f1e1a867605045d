//! Acts of an inspection (行政检查), from accepting the assignment to leaving the premises.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::id::{AssignmentId, EvidenceId, InspectionId};
use crate::rule::Finding;
use crate::time::Timestamp;
use crate::wire::assignment::{Participation, Party, Premises};

/// The officers took the assignment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentAccepted {
    /// The assignment.
    pub assignment: AssignmentId,
    /// Its revision as seen.
    pub revision: u32,
}

/// A warning that the officer went past, with the typed reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The finding.
    pub finding: Finding,
    /// Why it went on.
    pub reason: String,
}

/// The officers arrived and the visit began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectionBegun {
    /// The visit.
    pub inspection: InspectionId,
    /// The assignment it carries out.
    pub assignment: AssignmentId,
    /// Hash of the record with which the officers' shift began.
    pub shift: Hash,
    /// Where.
    pub premises: Premises,
    /// Whom.
    pub party: Party,
    /// Which authorities check which matters (综合查一次).
    pub participations: Vec<Participation>,
    /// Why on site and not remotely (`domain` R-72).
    pub on_site_reason: String,
    /// Warnings that were gone past.
    pub overrides: Vec<Override>,
}

/// One text that was told or shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldText {
    /// Its key in the rulebook.
    pub key: String,
    /// Hash of the words.
    pub text: Hash,
}

/// Rights, duties and the recusal question were told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeGiven {
    /// The visit.
    pub inspection: InspectionId,
    /// What was told.
    pub told: Vec<ToldText>,
    /// Whether the party asked that an officer withdraw (回避).
    pub recusal_requested: bool,
    /// What the party answered.
    pub reply: String,
}

/// How one entry was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryResult {
    /// 合格.
    Pass,
    /// 不合格.
    Fail,
    /// 未检查, with a reason.
    NotChecked,
}

/// The answer to one checklist entry (检查项).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryAnswer {
    /// The entry.
    pub entry: String,
    /// The matters it serves.
    pub matters: Vec<String>,
    /// How it was found.
    pub result: EntryResult,
    /// Objective finding or the reason for not checking.
    pub note: String,
    /// Evidence that shows it.
    pub evidence: Vec<EvidenceId>,
}

/// Entries were answered; a later answer to the same entry supersedes the earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecklistAnswered {
    /// The visit.
    pub inspection: InspectionId,
    /// The answers.
    pub answers: Vec<EntryAnswer>,
}

/// The result for one matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatterResult {
    /// The matter.
    pub matter: String,
    /// A result class of the rulebook.
    pub result_class: String,
    /// In words.
    pub note: String,
}

/// The officers left the premises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectionConcluded {
    /// The visit.
    pub inspection: InspectionId,
    /// Per matter.
    pub results: Vec<MatterResult>,
    /// When they left.
    pub departed_at: Timestamp,
    /// Warnings that were gone past.
    pub overrides: Vec<Override>,
}
