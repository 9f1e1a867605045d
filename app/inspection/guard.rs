//! What must hold before any act of a visit: it is open, and credentials were displayed.

use sync_core::store::{InspectionRow, Reader};
use sync_model::id::{InspectionId, OfficerId};
use sync_model::record::Act;
use sync_model::rule::Finding;
use sync_model::rule::inspection::{ActFacts, DisplayFacts, check_first_act};
use sync_model::time::Timestamp;

use crate::error::{AppError, Step};
use crate::services::rulebook;

/// Returns the open visit.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Order`] once the officers have left.
pub fn open_visit(
    reader: &Reader<'_>,
    inspection: InspectionId,
) -> Result<InspectionRow, AppError> {
    let row = reader.inspection(inspection)?.ok_or(AppError::NotFound("inspection"))?;
    if row.concluded_at.is_some() { Err(AppError::Order(Step::Concluded)) } else { Ok(row) }
}

/// Returns the time by which an act of the visit is judged: never before an act on record.
///
/// A clock that falls back does not undo what came before it: order on record decides, and the
/// doubt about the time is stated in a record of its own.
///
/// # Errors
/// [`AppError::Store`].
pub fn order_time(
    reader: &Reader<'_>,
    inspection: InspectionId,
    now: Timestamp,
) -> Result<Timestamp, AppError> {
    let latest = reader.acted_at(inspection)?.into_iter().max();
    Ok(latest.map_or(now, |latest| latest.max(now)))
}

/// Returns the open visit if credentials were displayed in it by these officers; what is only
/// advice comes back beside it.
///
/// # Errors
/// [`AppError::Blocked`] if not.
// 《行政处罚法》第五十五条: 执法人员在调查或者进行检查时，应当主动出示执法证件.
pub fn require_display(
    reader: &Reader<'_>,
    inspection: InspectionId,
    officers: &[OfficerId],
    now: Timestamp,
) -> Result<(InspectionRow, Vec<Finding>), AppError> {
    let row = open_visit(reader, inspection)?;
    let persons = vec![row.begun.party.name.clone()];
    let mut displays = Vec::new();
    for shown in reader.records_of_kind(inspection, "credential_displayed")? {
        let record = shown.record()?;
        if let Act::CredentialDisplayed(body) = record.envelope.act() {
            displays.push(DisplayFacts {
                at: record.envelope.recorded.wall_at,
                officer_ids: body.credentials.iter().map(|one| one.officer).collect(),
                card_shown: body.physical_card_shown,
                persons: persons.clone(),
            });
        }
    }
    let now = order_time(reader, inspection, now)?;
    let facts = ActFacts {
        officer_ids: officers.to_vec(),
        persons,
        displays,
        earlier_acts_at: reader.acted_at(inspection)?,
    };
    let findings = check_first_act(&facts, &rulebook(reader)?.policies, now);
    if sync_model::rule::blocks(&findings) {
        return Err(AppError::Blocked(findings));
    }
    Ok((row, findings))
}
