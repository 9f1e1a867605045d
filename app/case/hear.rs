//! Hearing the party's statement, or recording the clear waiver.

use sync_core::store::CaseState;
use sync_model::id::CaseId;
use sync_model::record::Record;
use sync_model::record::case::DefenseHeard;

use crate::error::{AppError, Input, Step};
use crate::services::Services;

/// What the party said.
#[derive(Clone, Debug, Default)]
pub struct HearInput {
    /// In the party's words.
    pub content: String,
    /// The party clearly gave it up.
    pub waived: bool,
    /// Whether the officers adopt it.
    pub adopted: bool,
    /// What the officers answer.
    pub reply: String,
}

/// Records the statement or the waiver.
///
/// # Errors
/// [`AppError::Order`] before the prior notice; [`AppError::Input`] if neither a word nor a waiver
/// is recorded, or a statement is left unanswered.
// 《行政处罚法》第四十五条: 当事人有权进行陈述和申辩，行政机关必须充分听取.
pub fn hear_defense(
    services: &Services,
    case: CaseId,
    input: &HearInput,
) -> Result<Record, AppError> {
    if !input.waived && input.content.trim().is_empty() {
        return Err(AppError::Input(Input::Empty("陈述申辩内容")));
    }
    if !input.waived && input.reply.trim().is_empty() {
        return Err(AppError::Input(Input::Empty("复核意见")));
    }
    let row = services.store.read(|r| r.case(case))?.ok_or(AppError::NotFound("case"))?;
    services.store.act(&services.scope(Some(row.filed.inspection), Some(case)), |reader, _| {
        let now = reader.case(case)?.ok_or(AppError::NotFound("case"))?;
        match now.state {
            CaseState::Filed => Err(AppError::Order(Step::PriorNotice)),
            CaseState::Decided => Err(AppError::Order(Step::Locked)),
            CaseState::Noticed | CaseState::Heard => Ok(DefenseHeard {
                case,
                content: input.content.trim().to_owned(),
                waived: input.waived,
                adopted: input.adopted,
                reply: input.reply.trim().to_owned(),
            }
            .into()),
        }
    })
}
