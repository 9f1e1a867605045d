//! Reasons typed before a visit begins, kept as drafts until it does.
//!
//! R-72 asks why it must be on site; what is typed under it is that reason and no override.

use std::collections::BTreeMap;

use sync_core::store::Reader;
use sync_model::id::AssignmentId;
use sync_model::rule::{Finding, Weight};

use crate::error::AppError;
use crate::inspection::{BeginInput, reason_of};
use crate::services::Services;

/// The rule that asks for the reason to come on site.
const ON_SITE: &str = "R-72";

fn scope(assignment: AssignmentId) -> String {
    format!("begin:{assignment}")
}

fn field(code: &str) -> String {
    if code == ON_SITE { "on_site".to_owned() } else { format!("reason/{code}") }
}

fn typed(
    reader: &Reader<'_>,
    assignment: AssignmentId,
) -> Result<BTreeMap<String, String>, AppError> {
    let rows = reader.draft(&scope(assignment))?;
    Ok(rows.into_iter().map(|row| (row.field, row.value)).collect())
}

/// Saves the reason typed under a finding.
///
/// # Errors
/// [`AppError::Store`].
pub fn save_reason(
    services: &Services,
    assignment: AssignmentId,
    code: &str,
    reason: &str,
) -> Result<(), AppError> {
    services.store.save_draft(&scope(assignment), &field(code), reason)?;
    Ok(())
}

/// Returns the reason typed under a finding; empty if none.
///
/// # Errors
/// [`AppError::Store`].
pub fn typed_reason(
    reader: &Reader<'_>,
    assignment: AssignmentId,
    code: &str,
) -> Result<String, AppError> {
    Ok(typed(reader, assignment)?.remove(&field(code)).unwrap_or_default())
}

/// Returns what was typed, as beginning takes it.
///
/// # Errors
/// [`AppError::Store`].
pub fn begin_input(services: &Services, assignment: AssignmentId) -> Result<BeginInput, AppError> {
    let typed = services.store.read(|reader| typed(reader, assignment))?;
    let on_site_reason = typed.get("on_site").cloned().unwrap_or_default();
    Ok(BeginInput { on_site_reason, override_reason: reason_of(&typed) })
}

/// Says whether a warning still lacks its reason: one reason never covers another warning.
///
/// # Errors
/// [`AppError::Store`].
pub fn missing_reasons(
    services: &Services,
    assignment: AssignmentId,
    findings: &[Finding],
) -> Result<bool, AppError> {
    let typed = services.store.read(|reader| typed(reader, assignment))?;
    let empty = |code: &str| typed.get(&field(code)).is_none_or(|text| text.trim().is_empty());
    let asked = findings.iter().filter(|finding| finding.weight == Weight::Warn);
    Ok(asked.into_iter().any(|finding| empty(&finding.code)))
}

/// Forgets what was typed, once the visit has begun and the record holds it.
///
/// # Errors
/// [`AppError::Store`].
pub fn forget_reasons(services: &Services, assignment: AssignmentId) -> Result<(), AppError> {
    Ok(services.store.forget_draft(&scope(assignment))?)
}
