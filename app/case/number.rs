//! Document numbers: taken from a leased block before the document is made, kept if voided.

use chrono::Datelike;
use sync_core::random;
use sync_model::id::{CaseId, DocumentId};
use sync_model::record::Record;
use sync_model::record::document::{NumberReserved, NumberVoided};

use crate::error::{AppError, Input};
use crate::services::Services;

/// Returns the number of a case's decision, taken from the lease at the first call.
///
/// # Errors
/// [`AppError::NoNumbers`] when the block is used up or of another year.
// 《行政处罚法》第五十二条: 预定格式、编有号码的行政处罚决定书.
pub fn reserve_number(services: &Services, case: CaseId) -> Result<(DocumentId, String), AppError> {
    let row = services.store.read(|r| r.case(case))?.ok_or(AppError::NotFound("case"))?;
    if let Some(document) = row.document
        && let Some(number) = services.store.read(|r| r.reserved_number(document))?
    {
        return Ok((document, number.printed));
    }
    let document = DocumentId::new(services.clock.now().wall_at.0, &random::bytes());
    let authority = row.filed.authority.clone();
    let mut printed = String::new();
    let scope = services.scope(Some(row.filed.inspection), Some(case));
    services.store.act(&scope, |reader, moment| {
        // The number's year is the year of the document's date (`domain` §3.3).
        let year = moment.wall_at.legal_date().year();
        let lease = reader.open_lease(&authority, year)?;
        let lease = lease.ok_or(AppError::NoNumbers { authority: authority.clone(), year })?;
        printed = format!("{}字〔{}〕第{:04}号", lease.word, lease.year, lease.next);
        Ok::<_, AppError>(
            NumberReserved {
                lease: lease.lease,
                number: lease.next,
                document_number: printed.clone(),
                document,
                case,
            }
            .into(),
        )
    })?;
    Ok((document, printed))
}

/// Gives a reserved number up; it stays on record with the reason.
///
/// # Errors
/// [`AppError::NotFound`] if the case has none, [`AppError::Input`] without a reason.
pub fn void_number(services: &Services, case: CaseId, reason: &str) -> Result<Record, AppError> {
    if reason.trim().is_empty() {
        return Err(AppError::Input(Input::Empty("作废理由")));
    }
    let row = services.store.read(|r| r.case(case))?.ok_or(AppError::NotFound("case"))?;
    let document = row.document.ok_or(AppError::NotFound("document number"))?;
    let scope = services.scope(Some(row.filed.inspection), Some(case));
    services.store.act(&scope, |reader, _| {
        let reserved = reader.reserved_number(document)?;
        let reserved = reserved.ok_or(AppError::NotFound("document number"))?;
        Ok(NumberVoided {
            lease: reserved.lease,
            number: reserved.ordinal,
            document_number: reserved.printed,
            reason: reason.trim().to_owned(),
        }
        .into())
    })
}
