//! Assignments (检查任务): what HQ sends officers to do.

use serde::{Deserialize, Serialize};

use crate::id::{AssignmentId, OfficerId};
use crate::rule::on_spot::PartyKind;
use crate::time::Timestamp;

/// The person or enterprise that is inspected (当事人).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// What it is in law.
    pub kind: PartyKind,
    /// Name; any Unicode, 1 to 60 characters.
    pub name: String,
    /// 统一社会信用代码, if it has one.
    pub credit_code: Option<String>,
    /// 公民身份号码 or another document, for a citizen.
    pub identity_number: Option<String>,
    /// Person in charge or legal representative.
    pub person_in_charge: Option<String>,
    /// Phone; never required.
    pub phone: Option<String>,
    /// Address.
    pub address: String,
}

/// Where the inspection is (场所).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Premises {
    /// Name on the door.
    pub name: String,
    /// Address.
    pub address: String,
    /// Nine-digit town code or six-digit county code.
    pub region_code: String,
}

/// One authority's part in a visit (综合查一次).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participation {
    /// The authority.
    pub authority: String,
    /// Codes of its matters.
    pub matters: Vec<String>,
}

/// Why HQ sends officers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignmentSource {
    /// 综合查一次.
    JointInspection,
    /// 双随机.
    RandomDraw,
    /// 投诉交办.
    Complaint,
    /// 日常检查.
    Routine,
}

/// Approval of the inspection by the head.
// 《国务院办公厅关于严格规范涉企行政检查的意见》: 实施检查前须经审批.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Number of the approval form.
    pub number: String,
    /// Who approved.
    pub approver: String,
    /// When.
    pub approved_at: Timestamp,
}

/// How often the same authority was there this year, as HQ knew it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitCount {
    /// Visits that count against the cap.
    pub count: u32,
    /// When HQ counted.
    pub as_of: Timestamp,
}

/// What to do, where, at whom, by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The assignment.
    pub assignment: AssignmentId,
    /// Rises with each change by HQ.
    pub revision: u32,
    /// Title in the list.
    pub title: String,
    /// Why.
    pub source: AssignmentSource,
    /// Where.
    pub premises: Premises,
    /// Whom.
    pub party: Party,
    /// Who checks what.
    pub participations: Vec<Participation>,
    /// Approval; without it only the emergency path is open.
    pub approval: Option<Approval>,
    /// 行政行为码 for this visit.
    pub visit_code: Option<String>,
    /// Visits so far.
    pub visits: Option<VisitCount>,
    /// Who goes.
    pub officers: Vec<OfficerId>,
    /// From when.
    pub not_before: Timestamp,
    /// Until when.
    pub due: Timestamp,
    /// What the officers should know.
    pub note: String,
}
