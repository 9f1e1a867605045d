//! What the partner's device did in the same case or to the same party at the same visit: read, shown
//! and asked by the rules, never mixed into the own record.

use sync_core::store::{CaseRow, Reader};
use sync_model::fold::CaseState;
use sync_model::id::CaseId;
use sync_model::record::Act;
use sync_model::rule::Finding;

use crate::error::AppError;
use crate::services::Services;

// 《行政处罚法》第二十九条: 对同一个违法行为不得给予两次以上罚款.
const ARTICLE_29: &str = "《行政处罚法》第二十九条";
/// Basis of what is only to be known.
const PARTNER: &str = "搭档终端记录";

/// Returns the number of a fine that the partner decided for the same act.
pub(super) fn earlier_fine(reader: &Reader<'_>, row: &CaseRow) -> Result<Option<String>, AppError> {
    let (filed, mut same_act) = (&row.filed, vec![row.filed.case]);
    let records = reader.partner_records_of_visit(filed.inspection)?;
    let acts = records
        .iter()
        .map(|record| Ok(record.record()?.envelope.act()))
        .collect::<Result<Vec<Act>, AppError>>()?;
    for act in &acts {
        if let Act::CaseFiled(theirs) = act
            && theirs.party.name == filed.party.name
            && theirs.matter == filed.matter
            && theirs.place == filed.place
            && theirs.acted_at.legal_date() == filed.acted_at.legal_date()
        {
            same_act.push(theirs.case);
        }
    }
    Ok(acts.into_iter().find_map(|act| match act {
        Act::DecisionIssued(decision)
            if decision.fine_fen > 0 && same_act.contains(&decision.case) =>
        {
            Some(decision.document_number)
        }
        _ => None,
    }))
}

/// Returns what the officer should know of the partner's part in the case.
///
/// # Errors
/// [`AppError::Store`].
pub fn findings(services: &Services, case: CaseId) -> Result<Vec<Finding>, AppError> {
    let (state, own) = services.store.read(|r| {
        let own = r.enrollment()?.map(|found| found.certificate.device);
        Ok::<_, AppError>((r.case_state(case)?, own))
    })?;
    Ok(of_state(&state, |device| Some(device) == own))
}

fn of_state(state: &CaseState, is_own: impl Fn(sync_model::id::DeviceId) -> bool) -> Vec<Finding> {
    let mut found = Vec::new();
    for decision in state.decisions.iter().filter(|one| !is_own(one.source.device)) {
        let (at, number) = (decision.stated_at.clock(), &decision.body.document_number);
        let message =
            format!("搭档终端已于{at}就本案作出处罚决定（{number}），两份决定均保留，由总部核查");
        found.push(Finding::record("R-09", ARTICLE_29, message));
    }
    for version in state.violation.differing().filter(|one| !is_own(one.source.device)) {
        let message = format!("搭档终端将违法事实写为“{}”", version.value);
        found.push(Finding::record("R-06", PARTNER, message));
    }
    for defense in state.defenses.iter().filter(|one| !is_own(one.source.device)) {
        let at = defense.stated_at.clock();
        let message = format!("搭档终端于{at}记录了当事人的陈述申辩，请一并复核");
        found.push(Finding::record("R-32", PARTNER, message));
    }
    found
}
