//! Leads (线索): what officers see outside a visit's remit, noted at once and handed to HQ.

use sync_model::id::InspectionId;
use sync_model::record::Record;
use sync_model::record::evidence::LeadRecorded;

use crate::error::{AppError, Input};
use crate::services::Services;

/// Records a lead; during a visit its premises are named.
///
/// # Errors
/// [`AppError::Input`] without a word of what was seen.
// 《浙江省综合行政执法条例》第十八条: leads may be noted at any time, no visit is needed.
pub fn record_lead(
    services: &Services,
    during: Option<InspectionId>,
    description: &str,
) -> Result<Record, AppError> {
    let description = description.trim();
    if description.is_empty() {
        return Err(AppError::Input(Input::Empty("线索内容")));
    }
    services.store.act(&services.scope(None, None), |reader, _| {
        let visit = during.map(|id| reader.inspection(id)).transpose()?.flatten();
        let place = visit.map_or_else(String::new, |row| row.begun.premises.address);
        Ok(LeadRecorded {
            place,
            description: description.to_owned(),
            hand_to: String::new(),
            evidence: vec![],
        }
        .into())
    })
}
