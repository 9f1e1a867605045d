//! On-the-spot penalty (当场处罚, 简易程序): may it be decided, may it be issued?
//!
//! Rules P1 to P11 of `domain` §1.2, R-16, R-20 to. Anything not clearly
//! lawful on the spot goes to the ordinary procedure; the officer never loses his evidence by it.

mod act;
mod collection;
mod exemption;
pub mod issue;
mod party;
mod penalty;
mod power;
mod steps;
#[cfg(test)]
pub(crate) mod tests;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Finding;
use super::credential::{OfficerFacts, check_officers};
use super::discretion::TierChoice;
use crate::id::OfficerId;
use crate::money::Fen;
use crate::rulebook::Rulebook;
use crate::rulebook::discretion::{PartyScope, PenaltyKind};
use crate::rulebook::policy::{Policies, SoleProprietorClass};
use crate::time::Timestamp;

/// 公民二百元以下; no policy goes beyond it.
const CITIZEN_MAX: Fen = Fen(20_000);
/// 法人或者其他组织三千元以下.
const ORGANIZATION_MAX: Fen = Fen(300_000);

/// What the party is; decides the cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyKind {
    /// 公民
    Citizen,
    /// 法人
    LegalPerson,
    /// 其他组织
    OtherOrganization,
    /// 个体工商户
    SoleProprietor,
}

/// The party as far as a penalty depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyFacts {
    /// What it is.
    pub kind: PartyKind,
    /// Whether identity is established: no decision to 无名氏.
    pub identified: bool,
    /// A citizen's date of birth.
    pub born_on: Option<NaiveDate>,
    /// Doubt whether he could recognise or control the act.
    pub capacity_doubt: bool,
    /// Whether the party, or someone who may receive for it, is at the scene.
    pub present: bool,
}

/// Whether this act has been fined before (P9, R-09).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlierFine {
    /// HQ and the device say no.
    NoneAtHq,
    /// Only this device could be asked.
    NoneOnDevice,
    /// Yes, by this document.
    Found {
        /// Its number.
        document_number: String,
    },
}

/// What the exemption lists say (P10, R-13, R-14).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExemptionReview {
    /// No ground applies.
    NoGround,
    /// 《行政处罚法》第三十三条: 不予处罚.
    ShallNot {
        /// Which ground.
        ground: String,
    },
    /// 可以不予处罚: the officer chose to penalize, for this reason.
    MayNot {
        /// Why he penalizes nevertheless; empty = not chosen yet.
        reason_to_penalize: String,
    },
    /// Offline: whether it is a first violation is not known.
    FirstViolationUnknown,
}

/// What the party said after the notice (S4, R-32).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefenseReply {
    /// 明确放弃陈述、申辩.
    Waived,
    /// Stated something.
    Stated {
        /// In his words.
        content: String,
        /// What the officers made of it; empty = not reviewed yet.
        review: String,
    },
}

/// Why money is taken at the scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectionGround {
    /// 第六十八条第一项: 一百元以下.
    SmallAmount,
    /// 第六十八条第二项: 不当场收缴事后难以执行.
    HardLater,
    /// 第六十九条: 边远、水上、交通不便, on the party's request.
    RemoteOnRequest {
        /// Whether the request is on record.
        request_on_record: bool,
    },
}

/// Money taken at the scene.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionFacts {
    /// Why.
    pub ground: CollectionGround,
    /// Number of the finance department's receipt; empty = none.
    pub receipt_number: String,
}

/// Everything known when the officers want to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnSpotFacts {
    /// In whose name.
    pub authority_id: String,
    /// The matter.
    pub matter_code: String,
    /// Region code of the place of the violation.
    pub region_code: String,
    /// When the act was done, or ended if it went on.
    pub act_ended_at: Option<Timestamp>,
    /// Whom.
    pub party: PartyFacts,
    /// 涉嫌犯罪
    pub suspected_crime: bool,
    /// Who acts.
    pub officers: Vec<OfficerFacts>,
    /// Each fact of the violation with how much evidence is tied to it.
    pub fact_evidence: Vec<FactEvidence>,
    /// What is to be imposed.
    pub kinds: Vec<PenaltyKind>,
    /// The fine; zero for a mere warning.
    pub fine: Fen,
    /// Other fines on the spot for this party at this visit.
    pub other_fines_this_visit: Fen,
    /// The chosen tier; `None` = no benchmark for the matter.
    pub tier: Option<TierChoice>,
    /// Exemption lists.
    pub exemption: ExemptionReview,
    /// Earlier fine for the same act.
    pub earlier_fine: EarlierFine,
    /// An ordinary case is open for the same act.
    pub open_case: bool,
    /// Recusal was requested and not yet decided.
    pub recusal_pending: bool,
    /// Arrival of this visit.
    pub arrived_at: Option<Timestamp>,
    /// Departure; `None` while at the scene.
    pub departed_at: Option<Timestamp>,
    /// Credentials displayed.
    pub displayed_at: Option<Timestamp>,
    /// Facts, reasons, basis, intended penalty and rights told.
    pub notice_at: Option<Timestamp>,
    /// Statement or waiver, and when.
    pub defense: Option<(Timestamp, DefenseReply)>,
    /// Text of the correction order, or reference of the notice.
    pub correction_order: String,
    /// Money at the scene.
    pub collection: Option<CollectionFacts>,
}

/// One fact of the violation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactEvidence {
    /// The fact in words.
    pub fact: String,
    /// Evidence tied to it.
    pub evidence: u32,
}

/// How the party took the decision (S6, S7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandOver {
    /// Signed the receipt.
    Signed,
    /// 拒绝签收, noted on the decision.
    RefusedNoted {
        /// Whether leaving it was photographed or witnessed.
        recorded: bool,
    },
    /// Not handed over yet.
    NotYet,
}

/// Everything known when the signed decision is to be issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueFacts {
    /// In whose name.
    pub authority_id: String,
    /// The leased number.
    pub document_number: String,
    /// The contents Art. 52 wants, by the names of [`issue::CONTENTS`], to find an empty one.
    pub contents: Vec<(String, String)>,
    /// Remedies text as printed.
    pub remedies_text: String,
    /// Officers who signed.
    pub signed_by: Vec<OfficerId>,
    /// How the party took it.
    pub hand_over: HandOver,
}

/// Checks whether the penalty may be decided on the spot at `now`.
///
/// The findings come in the order of P1 to P11, then the steps S1 to S8.
#[must_use]
pub fn check(facts: &OnSpotFacts, rulebook: &Rulebook, now: Timestamp) -> Vec<Finding> {
    let mut findings = check_officers(&facts.officers, &rulebook.policies, now);
    findings.extend(power::check(facts, rulebook, now));
    findings.extend(act::check(facts, now));
    findings.extend(party::check(facts, rulebook, now));
    findings.extend(penalty::check(facts, rulebook, now));
    findings.extend(exemption::check(facts, rulebook));
    findings.extend(steps::check(facts, now));
    findings.extend(collection::check(facts, rulebook));
    findings
}

/// Returns the most that may be fined on the spot, as the rulebook classes the party.
#[must_use]
pub fn cap(party: PartyKind, policies: &Policies) -> Fen {
    // 《行政处罚法》第五十一条: 对公民处以二百元以下、对法人或者其他组织处以三千元以下罚款.
    match scope(party, policies) {
        PartyScope::Organization => policies.on_spot_organization_max_fen.min(ORGANIZATION_MAX),
        PartyScope::Individual | PartyScope::Any => {
            policies.on_spot_citizen_max_fen.min(CITIZEN_MAX)
        }
    }
}

/// Returns which tiers bind the party.
#[must_use]
pub fn scope(party: PartyKind, policies: &Policies) -> PartyScope {
    match (party, policies.sole_proprietor_class) {
        (PartyKind::Citizen, _) | (PartyKind::SoleProprietor, SoleProprietorClass::Citizen) => {
            PartyScope::Individual
        }
        _ => PartyScope::Organization,
    }
}

/// Checks whether the rendered and signed decision may be issued.
#[must_use]
pub fn check_issue(facts: &IssueFacts, rulebook: &Rulebook) -> Vec<Finding> {
    issue::check(facts, rulebook)
}
