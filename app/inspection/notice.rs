//! Telling rights and duties, and asking about recusal (回避).

use sync_model::hash::Hash;
use sync_model::id::InspectionId;
use sync_model::record::Record;
use sync_model::record::inspection::{NoticeGiven, ToldText};
use sync_model::rulebook::lookup::text;

use super::guard::require_display;
use crate::error::AppError;
use crate::services::{Services, rulebook};

/// What is told at every visit, in this order.
pub const TOLD: [&str; 4] =
    [text::RIGHTS_AND_DUTIES, text::RECUSAL_QUESTION, text::DISCIPLINE, text::RECORDING_NOTICE];

/// What the party answered.
#[derive(Clone, Debug, Default)]
pub struct NoticeInput {
    /// Whether the party asked that an officer withdraw.
    pub recusal_requested: bool,
    /// In the party's words.
    pub reply: String,
}

/// Records that rights and duties were told and what the party answered.
///
/// # Errors
/// [`AppError::Blocked`] before credentials were displayed.
// 《行政处罚法》第四十三条: 当事人认为执法人员与案件有直接利害关系的，有权申请回避.
pub fn give_notice(
    services: &Services,
    inspection: InspectionId,
    input: &NoticeInput,
) -> Result<Record, AppError> {
    let scope = services.scope(Some(inspection), None);
    services.store.act(&scope, |reader, moment| {
        require_display(reader, inspection, &scope.officers, moment.wall_at)?;
        let rulebook = rulebook(reader)?;
        let told = TOLD
            .iter()
            .filter_map(|key| {
                let words = rulebook.text_blocks.get(*key)?;
                Some(ToldText { key: (*key).to_owned(), text: Hash::of(words.as_bytes()) })
            })
            .collect();
        let reply = input.reply.trim().to_owned();
        let recusal_requested = input.recusal_requested;
        Ok(NoticeGiven { inspection, told, recusal_requested, reply }.into())
    })
}
