//! Telling facts, reasons, basis, intended penalty and rights, before anything is decided.

use sync_core::store::{CaseRow, CaseState};
use sync_model::hash::Hash;
use sync_model::id::CaseId;
use sync_model::money::Fen;
use sync_model::record::Record;
use sync_model::record::case::PriorNoticeGiven;
use sync_model::rule::discretion::TierChoice;
use sync_model::rulebook::Rulebook;
use sync_model::rulebook::lookup::text;
use sync_model::rulebook::matter::LegalBasis;

use crate::error::{AppError, Input, Step};
use crate::services::Services;

/// What is intended.
#[derive(Clone, Debug)]
pub struct NoticeInput {
    /// Benchmark and tier; `None` where the matter has no benchmark.
    pub tier: Option<TierChoice>,
    /// Whether a warning is intended.
    pub warning: bool,
    /// The fine, in fen; 0 for a warning alone.
    pub fine_fen: i64,
}

/// Records that the prior notice was given; given anew, the statement is heard anew.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Order`] once it is decided, [`AppError::Input`].
// 《行政处罚法》第四十四条.
pub fn give_prior_notice(
    services: &Services,
    case: CaseId,
    input: &NoticeInput,
) -> Result<Record, AppError> {
    if input.fine_fen < 0 || (input.fine_fen == 0 && !input.warning) {
        return Err(AppError::Input(Input::Amount));
    }
    let row = services.store.read(|r| r.case(case))?.ok_or(AppError::NotFound("case"))?;
    let told = prior_notice_text(&services.rulebook()?, &row, input);
    services.store.act(&services.scope(Some(row.filed.inspection), Some(case)), |reader, _| {
        let now = reader.case(case)?.ok_or(AppError::NotFound("case"))?;
        if now.state == CaseState::Decided {
            return Err(AppError::Order(Step::Locked));
        }
        // 《行政处罚法》第四十五条第二款: 不得因当事人陈述、申辩而给予更重的处罚.
        let heavier = now.notice.as_ref().is_some_and(|before| {
            now.heard_at.is_some()
                && (input.fine_fen > before.fine_fen || (input.warning && !before.warning))
        });
        if heavier {
            return Err(AppError::Input(Input::Amount));
        }
        Ok(PriorNoticeGiven {
            case,
            benchmark: input.tier.as_ref().map(|tier| tier.benchmark_id.clone()),
            tier: input.tier.as_ref().map(|tier| tier.tier_order),
            warning: input.warning,
            fine_fen: input.fine_fen,
            told: Hash::of(told.as_bytes()),
        }
        .into())
    })
}

/// Returns the words to tell.
#[must_use]
pub fn prior_notice_text(rulebook: &Rulebook, row: &CaseRow, input: &NoticeInput) -> String {
    let matter = rulebook.matter(&row.filed.matter);
    let norm = |found: Option<&LegalBasis>| found.map_or_else(|| "/".to_owned(), LegalBasis::cite);
    let violated = norm(matter.and_then(|matter| matter.violated_norm.as_ref()));
    let basis = norm(matter.and_then(|matter| matter.penalty_norm.as_ref()));
    let penalty = penalty_text(input.warning, input.fine_fen);
    let values = [
        ("facts", row.filed.violation.as_str()),
        ("violated_norm", violated.as_str()),
        ("penalty_norm", basis.as_str()),
        ("penalty", penalty.as_str()),
    ];
    rulebook.text(text::PRIOR_NOTICE, &values).unwrap_or_default()
}

/// Returns `警告，并处罚款人民币200.00元（贰佰元整）`.
pub(super) fn penalty_text(warning: bool, fine_fen: i64) -> String {
    let fine = Fen(fine_fen);
    let fine = format!("罚款人民币{fine}元（{}）", fine.capitals());
    match (warning, fine_fen) {
        (true, 0) => "警告".to_owned(),
        (true, _) => format!("警告，并处{fine}"),
        (false, _) => fine,
    }
}
