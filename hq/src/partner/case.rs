//! A case as HQ keeps it: which records tell it, and what they fold to.

use std::collections::BTreeSet;

use sync_model::canonical;
use sync_model::fold::{CaseState, Placed, case_of, fold};
use sync_model::id::CaseId;
use sync_model::record::{Act, Record};
use sync_model::time::Timestamp;

use crate::error::HqError;
use crate::hq::Hq;
use crate::store::{StoreError, Tx};

/// Kinds whose act names its case.
const NAME_A_CASE: &[&str] =
    &["case_filed", "prior_notice_given", "defense_heard", "number_reserved", "decision_issued"];
/// Kinds that name a part of a case: its evidence or a document.
const ABOUT_PARTS: &[&str] = &["evidence_excluded", "document_delivered"];
/// Largest folded case.
const STATE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Notes which cases the record tells; `touched` gets them.
pub(super) fn note(
    tx: &Tx<'_>,
    record: &Record,
    log_index: u64,
    touched: &mut BTreeSet<CaseId>,
) -> Result<(), StoreError> {
    let mut note = |case: CaseId| -> Result<(), StoreError> {
        touched.insert(case);
        tx.tell_case(case, log_index)
    };
    let kind = record.envelope.act.kind.as_str();
    // Decoded only where the act may name a case: most records of a province do not.
    let case = if NAME_A_CASE.contains(&kind) { case_of(record) } else { record.envelope.case };
    if let Some(case) = case {
        note(case)?;
    }
    let Some(inspection) = record.envelope.inspection else { return Ok(()) };
    if !ABOUT_PARTS.contains(&kind) && kind != "case_filed" {
        return Ok(());
    }
    match record.envelope.act() {
        // They name evidence or a document, and so each case of the visit that lists it.
        Act::EvidenceExcluded(_) | Act::DocumentDelivered(_) => {
            for case in tx.cases_of_visit(inspection)? {
                note(case)?;
            }
        }
        // And the other way round: the case may come after what happened to its evidence.
        Act::CaseFiled(body) => {
            for (_, index, bytes) in tx.records_of_visit(inspection)? {
                if ABOUT_PARTS.contains(&read(&bytes)?.envelope.act.kind.as_str()) {
                    tx.tell_case(body.case, index)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn read(bytes: &[u8]) -> Result<Record, StoreError> {
    Record::read(bytes).map_err(|_| StoreError::Damaged("record"))
}

/// Folds the case anew and keeps the result.
pub(super) fn refold(tx: &Tx<'_>, case: CaseId, now: Timestamp) -> Result<(), HqError> {
    let state = folded(tx, case)?;
    if let Some(review) = state.reviews.first() {
        tracing::warn!(%case, ?review, "a case has to be looked at");
    }
    let reviews = u64::try_from(state.reviews.len()).unwrap_or(u64::MAX);
    tx.put_case_state(case, &state.bytes()?, reviews, now)?;
    Ok(())
}

fn folded(tx: &Tx<'_>, case: CaseId) -> Result<CaseState, StoreError> {
    let mut records = Vec::new();
    for (log_index, bytes) in tx.records_of_case(case)? {
        records.push(Placed { record: read(&bytes)?, log_index: Some(log_index) });
    }
    Ok(fold(case, records))
}

impl Hq {
    /// Returns the case as HQ keeps it, or `None` if no record tells it.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn case_state(&self, case: CaseId) -> Result<Option<CaseState>, HqError> {
        let bytes = self.0.store.read::<_, HqError>(|tx| Ok(tx.case_state(case)?))?;
        bytes.map(|bytes| Ok(canonical::from_bytes(&bytes, STATE_BYTES_MAX)?)).transpose()
    }

    /// Returns the cases in which somebody has to look at something, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn cases_in_review(&self) -> Result<Vec<CaseId>, HqError> {
        self.0.store.read(|tx| Ok(tx.cases_in_review(1_000)?))
    }
}
