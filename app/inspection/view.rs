//! What the pages of a visit show: the words to tell, the matters to conclude, typed reasons.

use std::collections::BTreeMap;

use sync_core::store::{InspectionRow, Reader};
use sync_model::id::InspectionId;
use sync_model::record::inspection::{EntryResult, MatterResult};
use sync_model::rulebook::lookup::text;

use super::walk;
use super::{ConcludeInput, TOLD};
use crate::error::AppError;
use crate::services::{Services, rulebook};

/// Titles over the texts of [`TOLD`], in the same order.
const TITLES: [&str; 4] = ["你的权利和义务", "回避", "检查纪律", "录音录像"];

/// What is told, title by title, and the question about recusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoticeView {
    /// Title and words.
    pub sections: Vec<(String, String)>,
    /// The question in full.
    pub recusal_question: String,
}

/// Returns what is told at this visit; opens with who the officers are and why they came.
///
/// # Errors
/// [`AppError::NoRulebook`].
pub fn notice_view(services: &Services, visit: &InspectionRow) -> Result<NoticeView, AppError> {
    let rulebook = services.rulebook()?;
    let (names, numbers, authority) = {
        let session = services.session();
        let list = |pick: fn(&crate::session::Unlocked) -> &str| {
            session.unlocked().iter().map(pick).collect::<Vec<_>>().join("、")
        };
        let first = session.unlocked().first();
        (
            list(|one| one.credential.name.as_str()),
            list(|one| one.credential.certificate_number.as_str()),
            first.map_or_else(String::new, |one| one.credential.authority_name.clone()),
        )
    };
    let matters: Vec<&str> = visit
        .begun
        .participations
        .iter()
        .flat_map(|part| &part.matters)
        .filter_map(|code| rulebook.matter(code))
        .map(|matter| matter.name.as_str())
        .collect();
    let values = [
        ("authority", authority.as_str()),
        ("officers", names.as_str()),
        ("certificate_numbers", numbers.as_str()),
        ("subject", visit.begun.party.name.as_str()),
        ("act", "行政检查"),
    ];
    let mut sections = Vec::new();
    if let Some(words) = rulebook.text(text::OPENING, &values) {
        let subject = format!("{words}\n检查事项：{}。", matters.join("；"));
        sections.push(("我们是谁，检查什么".to_owned(), subject));
    }
    for (title, key) in TITLES.iter().zip(TOLD) {
        if let Some(words) = rulebook.text_blocks.get(key) {
            sections.push(((*title).to_owned(), words.clone()));
        }
    }
    let recusal_question =
        rulebook.text_blocks.get(text::RECUSAL_QUESTION).cloned().unwrap_or_default();
    Ok(NoticeView { sections, recusal_question })
}

/// One matter of a visit, on the page that concludes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatterView {
    /// Code of the matter.
    pub code: String,
    /// As published.
    pub name: String,
    /// Whose it is.
    pub department: String,
    /// What was found, in numbers.
    pub summary: String,
    /// Whether something was found.
    pub has_problem: bool,
    /// Whether every entry is answered.
    pub answered: bool,
    /// The result class chosen, not recorded yet.
    pub result_class: Option<String>,
}

fn scope(inspection: InspectionId) -> String {
    format!("conclude:{inspection}")
}

/// Returns the typed fields of concluding.
fn typed(
    reader: &Reader<'_>,
    inspection: InspectionId,
) -> Result<BTreeMap<String, String>, AppError> {
    let rows = reader.draft(&scope(inspection))?;
    Ok(rows.into_iter().map(|row| (row.field, row.value)).collect())
}

/// Saves one typed field of concluding: `class/<matter>`, `reason/<code>`, `remark`.
///
/// # Errors
/// [`AppError::Store`].
pub fn save_conclude_field(
    services: &Services,
    inspection: InspectionId,
    field: &str,
    value: &str,
) -> Result<(), AppError> {
    services.store.save_draft(&scope(inspection), field, value)?;
    Ok(())
}

/// Returns a typed field of concluding; empty if none.
///
/// # Errors
/// [`AppError::Store`].
pub fn conclude_field(
    reader: &Reader<'_>,
    inspection: InspectionId,
    field: &str,
) -> Result<String, AppError> {
    Ok(typed(reader, inspection)?.remove(field).unwrap_or_default())
}

/// Returns the matters of a visit with what was found.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::NoRulebook`].
pub fn matters(reader: &Reader<'_>, inspection: InspectionId) -> Result<Vec<MatterView>, AppError> {
    let rulebook = rulebook(reader)?;
    let visit = reader.inspection(inspection)?.ok_or(AppError::NotFound("inspection"))?;
    let groups = walk::walk(reader, inspection)?;
    let typed = typed(reader, inspection)?;
    let codes = visit.begun.participations.iter().flat_map(|part| &part.matters);
    Ok(codes
        .map(|code| {
            let entries: Vec<_> = groups
                .iter()
                .flat_map(|group| &group.entries)
                .filter(|entry| entry.matters.contains(code))
                .collect();
            let count = |wanted: Option<EntryResult>| {
                let recorded = |entry: &&&walk::EntryView| {
                    entry.recorded.as_ref().map(|answer| answer.result) == wanted
                };
                entries.iter().filter(recorded).count()
            };
            let (pass, fail) = (count(Some(EntryResult::Pass)), count(Some(EntryResult::Fail)));
            let (skipped, open) = (count(Some(EntryResult::NotChecked)), count(None));
            let summary = format!(
                "{} 项：合格 {pass}，不合格 {fail}，未检查 {skipped}，未填 {open}",
                entries.len()
            );
            let known = rulebook.matter(code);
            MatterView {
                code: code.clone(),
                name: known.map_or_else(|| code.clone(), |matter| matter.name.clone()),
                department: known.map_or_else(String::new, |matter| matter.department.clone()),
                summary,
                has_problem: fail > 0,
                answered: open == 0,
                result_class: typed.get(&format!("class/{code}")).cloned(),
            }
        })
        .collect())
}

/// Returns what is typed so far, as concluding takes it.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::NoRulebook`].
pub fn conclude_input(
    reader: &Reader<'_>,
    inspection: InspectionId,
) -> Result<ConcludeInput, AppError> {
    let typed = typed(reader, inspection)?;
    let remark = typed.get("remark").map_or("", |text| text.trim());
    let results = matters(reader, inspection)?
        .into_iter()
        .filter_map(|matter| {
            let result_class = matter.result_class?;
            Some(MatterResult { matter: matter.code, result_class, note: remark.to_owned() })
        })
        .collect();
    Ok(ConcludeInput { results, override_reason: reason_of(&typed) })
}

/// Returns the typed reasons (`reason/<code>`) as one text.
#[must_use]
pub fn reason_of(typed: &BTreeMap<String, String>) -> String {
    let reasons = typed.iter().filter(|(field, _)| field.starts_with("reason/"));
    let mut texts: Vec<&str> = reasons.map(|(_, text)| text.trim()).collect();
    texts.retain(|text| !text.is_empty());
    texts.dedup();
    texts.join("；")
}
