//! What is typed for an on-the-spot decision of a visit, kept as a draft until it is on record.
//!
//! Fields that were never typed show what the visit says.

use std::collections::BTreeMap;

use sync_core::store::{CaseRow, CaseState, EvidenceRow, InspectionRow};
use sync_model::id::{CaseId, EvidenceId, InspectionId};
use sync_model::rule::on_spot::PartyKind;
use sync_model::time::Timestamp;
use sync_model::wire::assignment::Party;

use super::FileInput;
use crate::error::{AppError, Input};
use crate::services::Services;

/// The kinds of party, in the order of the page.
pub const PARTY_KINDS: [(PartyKind, &str); 4] = [
    (PartyKind::Citizen, "公民"),
    (PartyKind::SoleProprietor, "个体工商户"),
    (PartyKind::LegalPerson, "法人"),
    (PartyKind::OtherOrganization, "其他组织"),
];

/// A decision being made.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The visit.
    pub visit: InspectionRow,
    /// The case, once opened.
    pub case: Option<CaseRow>,
    /// Evidence of the visit that may be cited.
    pub evidence: Vec<EvidenceRow>,
    /// Field by field.
    pub fields: BTreeMap<String, String>,
}

fn scope(inspection: InspectionId) -> String {
    format!("decision:{inspection}")
}

/// Returns the decision of a visit that is being made: the case that is not decided yet, or a new
/// one.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Store`].
pub fn load(services: &Services, inspection: InspectionId) -> Result<Typed, AppError> {
    services.store.read(|reader| {
        let visit = reader.inspection(inspection)?.ok_or(AppError::NotFound("inspection"))?;
        let cases = reader.cases_of(inspection)?;
        let evidence = reader.evidence_of(inspection)?;
        let rows = reader.draft(&scope(inspection))?;
        Ok(Typed {
            visit,
            case: cases.into_iter().find(|case| case.state != CaseState::Decided),
            evidence: evidence.into_iter().filter(|row| row.excluded.is_empty()).collect(),
            fields: rows.into_iter().map(|row| (row.field, row.value)).collect(),
        })
    })
}

/// Saves one field at once.
///
/// # Errors
/// [`AppError::Store`].
pub fn save(
    services: &Services,
    inspection: InspectionId,
    field: &str,
    value: &str,
) -> Result<(), AppError> {
    services.store.save_draft(&scope(inspection), field, value)?;
    Ok(())
}

/// Forgets all of it, once decided.
///
/// # Errors
/// [`AppError::Store`].
pub fn forget(services: &Services, inspection: InspectionId) -> Result<(), AppError> {
    Ok(services.store.forget_draft(&scope(inspection))?)
}

impl Typed {
    /// Returns a field as typed; empty if it never was.
    #[must_use]
    pub fn text(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", |value| value.trim())
    }

    /// Returns a choice by its place.
    #[must_use]
    pub fn choice(&self, field: &str) -> Option<usize> {
        self.text(field).parse().ok()
    }

    /// Returns a switch; `otherwise` until it is moved.
    #[must_use]
    pub fn on(&self, field: &str, otherwise: bool) -> bool {
        self.fields.get(field).map_or(otherwise, |value| value == "1")
    }

    /// Returns the case's id.
    ///
    /// # Errors
    /// [`AppError::NotFound`] before it is opened.
    pub fn case_id(&self) -> Result<CaseId, AppError> {
        Ok(self.case.as_ref().ok_or(AppError::NotFound("case"))?.filed.case)
    }

    /// Returns the party: as filed, else as typed over what the visit says.
    #[must_use]
    pub fn party(&self) -> Party {
        if let Some(case) = &self.case {
            return case.filed.party.clone();
        }
        let known = self.visit.begun.party.clone();
        let typed = |field: &str, otherwise: Option<String>| match self.fields.get(field) {
            Some(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            None => otherwise,
        };
        let kind = self.choice("party-kind").and_then(|place| PARTY_KINDS.get(place));
        Party {
            kind: kind.map_or(known.kind, |(kind, _)| *kind),
            name: typed("name", Some(known.name)).unwrap_or_default(),
            credit_code: typed("credit-code", known.credit_code),
            identity_number: typed("identity", known.identity_number),
            person_in_charge: typed("person", known.person_in_charge),
            phone: typed("phone", known.phone),
            address: typed("address", Some(known.address)).unwrap_or_default(),
        }
    }

    /// Returns the matter's code: as filed, else as chosen.
    #[must_use]
    pub fn matter(&self) -> &str {
        self.case.as_ref().map_or_else(|| self.text("matter"), |case| case.filed.matter.as_str())
    }

    /// Returns the authority in whose name it is decided.
    #[must_use]
    pub fn authority(&self) -> &str {
        let filed = self.case.as_ref().map(|case| case.filed.authority.as_str());
        filed.unwrap_or_else(|| self.text("authority"))
    }

    /// Says whether a piece of evidence is picked.
    #[must_use]
    pub fn picks(&self, evidence: EvidenceId) -> bool {
        match &self.case {
            Some(case) => case.filed.evidence.contains(&evidence),
            None => self.on(&format!("pick/{evidence}"), false),
        }
    }

    /// Returns what the case is opened with.
    ///
    /// # Errors
    /// [`AppError::Input`] if no matter is chosen or no evidence is picked.
    pub fn file_input(&self, now: Timestamp) -> Result<FileInput, AppError> {
        let empty = |what| AppError::Input(Input::Empty(what));
        if self.matter().is_empty() {
            return Err(empty("违法行为（事项）"));
        }
        let picked = self.evidence.iter().map(|row| row.captured.evidence);
        let evidence: Vec<EvidenceId> = picked.filter(|id| self.picks(*id)).collect();
        if evidence.is_empty() {
            return Err(empty("证据"));
        }
        Ok(FileInput {
            matter: self.matter().to_owned(),
            authority: self.authority().to_owned(),
            party: self.party(),
            violation: self.text("facts").to_owned(),
            acted_at: now,
            place: self.visit.begun.premises.address.clone(),
            evidence,
        })
    }
}
