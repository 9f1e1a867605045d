//! The facts that the on-the-spot rules are asked about, gathered from what is on record.

use chrono::NaiveDate;
use sync_core::store::{CaseRow, CaseState, Reader};
use sync_model::id::CaseId;
use sync_model::identifier::citizen_id;
use sync_model::money::Fen;
use sync_model::record::evidence::EvidencePhase;
use sync_model::rule::Finding;
use sync_model::rule::credential::OfficerFacts;
use sync_model::rule::discretion::TierChoice;
use sync_model::rule::on_spot::{
    DefenseReply, EarlierFine, ExemptionReview, FactEvidence, OnSpotFacts, PartyFacts, check,
};
use sync_model::rulebook::Rulebook;
use sync_model::rulebook::discretion::PenaltyKind;
use sync_model::time::Timestamp;

use super::notice::NoticeInput;
use crate::error::AppError;
use crate::inspection::order_time;
use crate::services::{Services, rulebook};

/// What only the officers can say about the party and the act.
#[derive(Clone, Debug)]
pub struct PartyDetails {
    /// Whether the party, or someone who may receive for it, is at the scene.
    pub present: bool,
    /// Whether identity is established.
    pub identified: bool,
    /// Doubt whether he could recognise or control the act.
    pub capacity_doubt: bool,
    /// 涉嫌犯罪.
    pub suspected_crime: bool,
    /// What the exemption lists say.
    pub exemption: ExemptionReview,
    /// Benchmark and tier.
    pub tier: Option<TierChoice>,
    /// What is ordered to be corrected.
    pub correction_order: String,
}

/// Returns the facts as they stand.
pub(super) fn gather(
    reader: &Reader<'_>,
    row: &CaseRow,
    officers: Vec<OfficerFacts>,
    details: &PartyDetails,
    now: Timestamp,
) -> Result<OnSpotFacts, AppError> {
    let filed = &row.filed;
    let visit = reader.inspection(filed.inspection)?.ok_or(AppError::NotFound("inspection"))?;
    let (warning, fine_fen) =
        row.notice.as_ref().map_or((false, 0), |notice| (notice.warning, notice.fine_fen));
    let (other_fines, earlier_fine) = earlier(reader, row)?;
    // The steps are on record in this order; a clock that fell back in between changes nothing.
    let displayed_at = visit.displayed_at.map(|at| at.max(visit.begun_at));
    let notice_at = row.noticed_at.map(|at| displayed_at.map_or(at, |before| at.max(before)));
    Ok(OnSpotFacts {
        authority_id: filed.authority.clone(),
        matter_code: filed.matter.clone(),
        region_code: visit.begun.premises.region_code.clone(),
        act_ended_at: Some(filed.acted_at),
        party: PartyFacts {
            kind: filed.party.kind,
            identified: details.identified,
            born_on: born_on(filed.party.identity_number.as_deref(), now),
            capacity_doubt: details.capacity_doubt,
            present: details.present,
        },
        suspected_crime: details.suspected_crime,
        officers,
        fact_evidence: vec![FactEvidence {
            fact: filed.violation.clone(),
            evidence: citable(reader, row)?,
        }],
        kinds: kinds(warning, fine_fen),
        fine: Fen(fine_fen),
        other_fines_this_visit: other_fines,
        tier: details.tier.clone(),
        exemption: details.exemption.clone(),
        earlier_fine,
        open_case: false,
        recusal_pending: recusal_pending(reader, row)?,
        arrived_at: Some(visit.begun_at),
        departed_at: visit.concluded_at,
        displayed_at,
        notice_at,
        defense: defense(row, notice_at),
        correction_order: details.correction_order.trim().to_owned(),
        collection: None,
    })
}

fn kinds(warning: bool, fine_fen: i64) -> Vec<PenaltyKind> {
    let mut kinds = Vec::new();
    if warning {
        kinds.push(PenaltyKind::Warning);
    }
    if fine_fen > 0 {
        kinds.push(PenaltyKind::Fine);
    }
    kinds
}

fn born_on(identity_number: Option<&str>, now: Timestamp) -> Option<NaiveDate> {
    let parsed = citizen_id::parse(identity_number?, now.legal_date()).ok()?;
    Some(parsed.born_on)
}

fn defense(row: &CaseRow, notice_at: Option<Timestamp>) -> Option<(Timestamp, DefenseReply)> {
    let heard = row.defense.as_ref()?;
    let reply = if heard.waived {
        DefenseReply::Waived
    } else {
        DefenseReply::Stated { content: heard.content.clone(), review: heard.reply.clone() }
    };
    let heard_at = row.heard_at?;
    Some((notice_at.map_or(heard_at, |before| heard_at.max(before)), reply))
}

/// Counts the evidence that may be cited for the decision.
fn citable(reader: &Reader<'_>, row: &CaseRow) -> Result<u32, AppError> {
    let mut count = 0_u32;
    for evidence in &row.filed.evidence {
        let found = reader.evidence(*evidence)?.ok_or(AppError::NotFound("evidence"))?;
        let fit = found.excluded.is_empty() && found.captured.phase == EvidencePhase::Visit;
        count = count.saturating_add(u32::from(fit));
    }
    Ok(count)
}

/// Looks up what this device knows of other fines for the party.
// 《行政处罚法》第二十九条: 对同一个违法行为不得给予两次以上罚款. HQ looks again over all devices.
fn earlier(reader: &Reader<'_>, row: &CaseRow) -> Result<(Fen, EarlierFine), AppError> {
    let mut sum = Fen(0);
    let mut earlier = match super::partner::earlier_fine(reader, row)? {
        Some(document_number) => EarlierFine::Found { document_number },
        None => EarlierFine::NoneOnDevice,
    };
    for other in reader.cases()? {
        let fined = other.notice.as_ref().map_or(0, |notice| notice.fine_fen);
        let decided = other.state == CaseState::Decided;
        if other.filed.case == row.filed.case || !decided || !same_party(&other, row) {
            continue;
        }
        if other.filed.inspection == row.filed.inspection {
            sum = sum.plus(Fen(fined)).unwrap_or(Fen(i64::MAX));
        }
        let same_act = other.filed.matter == row.filed.matter
            && other.filed.place == row.filed.place
            && other.filed.acted_at.legal_date() == row.filed.acted_at.legal_date();
        if same_act && fined > 0 {
            let document = other.document.and_then(|id| reader.document(id).transpose());
            let number = document.transpose()?.map(|found| found.number);
            earlier = EarlierFine::Found { document_number: number.unwrap_or_default() };
        }
    }
    Ok((sum, earlier))
}

fn same_party(a: &CaseRow, b: &CaseRow) -> bool {
    let (a, b) = (&a.filed.party, &b.filed.party);
    let same = |x: &Option<String>, y: &Option<String>| x.is_some() && x == y;
    same(&a.credit_code, &b.credit_code)
        || same(&a.identity_number, &b.identity_number)
        || a.name == b.name
}

fn recusal_pending(reader: &Reader<'_>, row: &CaseRow) -> Result<bool, AppError> {
    use sync_model::record::Act;
    let told = reader.records_of_kind(row.filed.inspection, "notice_given")?;
    let Some(last) = told.last() else { return Ok(false) };
    Ok(matches!(last.record()?.envelope.act(), Act::NoticeGiven(body) if body.recusal_requested))
}

/// Returns what the rules would say now, without deciding: for the page. `intended` stands for the
/// notice while none is given.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::NoRulebook`].
pub fn preview(
    services: &Services,
    case: CaseId,
    details: &PartyDetails,
    intended: Option<&NoticeInput>,
) -> Result<Vec<Finding>, AppError> {
    let officers = services.session().officer_facts();
    let now = services.clock.now().wall_at;
    services.store.read(|reader| {
        let row = reader.case(case)?.ok_or(AppError::NotFound("case"))?;
        let rulebook: Rulebook = rulebook(reader)?;
        let now = order_time(reader, row.filed.inspection, now)?;
        let mut facts = gather(reader, &row, officers, details, now)?;
        if let (None, Some(intended)) = (&row.notice, intended) {
            facts.kinds = kinds(intended.warning, intended.fine_fen);
            facts.fine = Fen(intended.fine_fen);
        }
        Ok(check(&facts, &rulebook, now))
    })
}
