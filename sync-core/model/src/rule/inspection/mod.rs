//! Inspection: may it begin, may the first act follow, may it be concluded.
//!
//! Rules and the checklist's completeness.

mod begin;
mod conclude;
mod display;
mod matter;

use serde::{Deserialize, Serialize};

use super::Finding;
use super::credential::OfficerFacts;
use super::frequency::{Trigger, VisitCount};
use crate::id::OfficerId;
use crate::rulebook::Rulebook;
use crate::rulebook::policy::Policies;
use crate::time::Timestamp;

/// Whether the head of the authority has approved the visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Approved before the visit.
    Approved {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// Emergency: the approval is made up within the policy's hours.
    MakeUp {
        /// Why it could not wait.
        reason: String,
    },
    /// None.
    Missing,
}

/// Where the visit's code (行政行为码) comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitCode {
    /// Signed by HQ and downloaded with the assignment.
    IssuedByHq,
    /// Made by the device offline; HQ lists such visits.
    MadeByDevice,
    /// None.
    Missing,
}

/// What is known before the officers step in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeginFacts {
    /// In whose name.
    pub authority_id: String,
    /// Region code of the premises, six to twelve digits.
    pub region_code: String,
    /// Matters to be inspected.
    pub matter_codes: Vec<String>,
    /// What brings them.
    pub trigger: Trigger,
    /// The head's approval.
    pub approval: Approval,
    /// The visit's code.
    pub code: VisitCode,
    /// Whether the premises are an enterprise's, so that the cap applies.
    pub is_enterprise: bool,
    /// Snapshot of the count; `None` = not known.
    pub visit_count: Option<VisitCount>,
    /// Why this cannot be verified off-site.
    pub on_site_reason: String,
    /// Id of the joint or assistance arrangement (联合执法、异地协助), if any.
    pub cooperation: Option<String>,
    /// Everyone who is said to act.
    pub officers: Vec<OfficerFacts>,
}

/// One display of credentials (亮证).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisplayFacts {
    /// When.
    pub at: Timestamp,
    /// Whose credentials were shown.
    pub officer_ids: Vec<OfficerId>,
    /// Whether the physical cards were shown too.
    pub card_shown: bool,
    /// Who of the other side was there, by any stable key.
    pub persons: Vec<String>,
}

/// What is known before an interview, inspection or notice act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActFacts {
    /// Officers who act.
    pub officer_ids: Vec<OfficerId>,
    /// Who of the other side is there now, by the same keys.
    pub persons: Vec<String>,
    /// Displays of this visit.
    pub displays: Vec<DisplayFacts>,
    /// Times of the visit's earlier acts, in any order, to find a pause.
    pub earlier_acts_at: Vec<Timestamp>,
}

/// The answer to one checklist entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing found.
    Conforms,
    /// A problem, in objective words.
    Problem {
        /// What was seen.
        description: String,
    },
    /// Not looked at.
    NotChecked {
        /// Why.
        reason: String,
    },
}

/// One entry as it stands at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryFacts {
    /// The entry.
    pub entry_id: String,
    /// Its text, for the message.
    pub text: String,
    /// Whether it needs a photograph.
    pub photo_required: bool,
    /// `None` = unanswered.
    pub answer: Option<Answer>,
    /// Photographs tied to it.
    pub photos: u32,
}

/// What is known when the officers want to leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConcludeFacts {
    /// Every entry of the (merged) checklist.
    pub entries: Vec<EntryFacts>,
    /// Chosen result class of the rulebook.
    pub result_class: Option<String>,
    /// Whether the scene transcript is locked.
    pub transcript_locked: bool,
}

/// Checks whether the visit may begin. Includes the officers, the matters and the frequency.
#[must_use]
pub fn check_begin(facts: &BeginFacts, rulebook: &Rulebook, now: Timestamp) -> Vec<Finding> {
    begin::check(facts, rulebook, now)
}

/// Checks one matter: known, published, in force, an inspection the authority may make here.
#[must_use]
pub fn check_matter(
    code: &str,
    facts: &BeginFacts,
    rulebook: &Rulebook,
    now: Timestamp,
) -> Vec<Finding> {
    matter::check(code, facts, rulebook, now)
}

/// Splits the matters into those that may be inspected and the findings about the others, so that
/// one bad line in an assignment does not stop the rest of the visit.
#[must_use]
pub fn permitted_matters(
    facts: &BeginFacts,
    rulebook: &Rulebook,
    now: Timestamp,
) -> (Vec<String>, Vec<Finding>) {
    let mut permitted = Vec::new();
    let mut findings = Vec::new();
    for code in &facts.matter_codes {
        let about = matter::check(code, facts, rulebook, now);
        if !super::blocks(&about) {
            permitted.push(code.clone());
        }
        findings.extend(about);
    }
    (permitted, findings)
}

/// Checks that credentials were displayed before the first and every later act.
#[must_use]
pub fn check_first_act(facts: &ActFacts, policies: &Policies, now: Timestamp) -> Vec<Finding> {
    display::check(facts, policies, now)
}

/// Checks that every entry is answered or excused, with its photographs.
#[must_use]
pub fn check_conclude(facts: &ConcludeFacts, rulebook: &Rulebook) -> Vec<Finding> {
    conclude::check(facts, rulebook)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::credential::tests::pair;
    use crate::rulebook::sample::{FOOD_INSPECTION, REGISTRATION_INSPECTION, TOWN, at};

    /// A visit with nothing wrong.
    pub(super) fn begin_facts() -> BeginFacts {
        BeginFacts {
            authority_id: "xh-scjg".into(),
            region_code: TOWN.into(),
            matter_codes: vec![FOOD_INSPECTION.into(), REGISTRATION_INSPECTION.into()],
            trigger: Trigger::Planned,
            approval: Approval::Approved { by: "局长".into(), at: at(8, 0) },
            code: VisitCode::IssuedByHq,
            is_enterprise: true,
            visit_count: Some(VisitCount { count: 1, as_of: at(7, 0) }),
            on_site_reason: "需要查看现场卫生状况".into(),
            cooperation: None,
            officers: pair(),
        }
    }
}
