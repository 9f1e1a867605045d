//! What is typed for an on-the-spot decision of a visit, kept as a draft until it is on record.
//!
//! Fields that were never typed show what the visit says. Amounts are typed in yuan and become fen
//! here, once.

use std::collections::BTreeMap;

use sync_core::store::{CaseRow, CaseState, EvidenceRow, InspectionRow};
use sync_model::id::{CaseId, EvidenceId, InspectionId};
use sync_model::money::Fen;
use sync_model::rule::discretion::{TierChoice, applicable};
use sync_model::rule::on_spot::{ExemptionReview, PartyKind, scope as scope_of};
use sync_model::rulebook::Rulebook;
use sync_model::rulebook::discretion::PartyScope;
use sync_model::time::Timestamp;
use sync_model::wire::assignment::Party;

use super::{FileInput, HearInput, NoticeInput, PartyDetails};
use crate::error::{AppError, Input};
use crate::inspection::reason_of;
use crate::services::Services;

/// The kinds of party, in the order of the page.
pub const PARTY_KINDS: [(PartyKind, &str); 4] = [
    (PartyKind::Citizen, "公民"),
    (PartyKind::SoleProprietor, "个体工商户"),
    (PartyKind::LegalPerson, "法人"),
    (PartyKind::OtherOrganization, "其他组织"),
];

/// What is to be imposed, in the order of the page.
pub const PENALTIES: [&str; 3] = ["警告", "罚款", "警告并罚款"];

/// Place of 罚款 in [`PENALTIES`].
pub const FINE: usize = 1;

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

    /// Returns which tiers bind the party.
    #[must_use]
    pub fn party_scope(&self, rules: &Rulebook) -> PartyScope {
        scope_of(self.party().kind, &rules.policies)
    }

    /// Returns the chosen tier with the edition that applies to it.
    #[must_use]
    pub fn tier(&self, rules: &Rulebook, now: Timestamp) -> Option<TierChoice> {
        let order: u32 = self.text("tier").parse().ok()?;
        let acted_at = self.case.as_ref().map_or(now, |case| case.filed.acted_at);
        let (acted_on, decided_on) = (acted_at.legal_date(), now.legal_date());
        let scope = self.party_scope(rules);
        let benchmark = applicable(rules, self.matter(), acted_on, decided_on, order, scope)?;
        let tier = sync_model::rule::discretion::tier(benchmark, order, scope)?;
        Some(TierChoice {
            benchmark_id: benchmark.id.clone(),
            version: benchmark.version,
            tier_order: order,
            circumstances: tier.conditions.clone(),
        })
    }

    /// Returns the place of the penalty in [`PENALTIES`].
    #[must_use]
    pub fn penalty(&self) -> usize {
        match self.case.as_ref().and_then(|case| case.notice.as_ref()) {
            Some(told) if self.text("penalty").is_empty() => match (told.warning, told.fine_fen) {
                (true, 0) => 0,
                (true, _) => 2,
                (false, _) => FINE,
            },
            _ => self.choice("penalty").filter(|place| *place < PENALTIES.len()).unwrap_or(0),
        }
    }

    /// Returns the typed fine; zero for a warning alone.
    ///
    /// # Errors
    /// [`AppError::Input`] if the amount is no amount.
    pub fn fine(&self) -> Result<Fen, AppError> {
        if self.penalty() == 0 {
            return Ok(Fen::ZERO);
        }
        let fine = Fen::parse(self.text("amount")).filter(|fine| *fine > Fen::ZERO);
        fine.ok_or(AppError::Input(Input::Amount))
    }

    /// Returns what is to be told to the party.
    ///
    /// # Errors
    /// [`AppError::Input`] if the amount is no amount.
    pub fn intended(&self, rules: &Rulebook, now: Timestamp) -> Result<NoticeInput, AppError> {
        Ok(NoticeInput {
            tier: self.tier(rules, now),
            warning: self.penalty() != FINE,
            fine_fen: self.fine()?.0,
        })
    }

    /// Returns what the party said.
    #[must_use]
    pub fn heard(&self) -> HearInput {
        if self.choice("defense") != Some(1) {
            return HearInput { waived: true, ..HearInput::default() };
        }
        let outcome = self.choice("outcome");
        let word = outcome.and_then(|place| OUTCOMES.get(place)).copied().unwrap_or_default();
        let reason = self.text("outcome-reason");
        let reply = match (word, reason) {
            ("", _) | (_, "") => String::new(),
            (word, reason) => format!("{word}。{reason}"),
        };
        HearInput {
            content: self.text("defense-text").to_owned(),
            waived: false,
            adopted: outcome.is_some_and(|place| place < 2),
            reply,
        }
    }

    /// Returns what only the officers can say.
    #[must_use]
    pub fn details(&self, rules: &Rulebook, now: Timestamp) -> PartyDetails {
        let ground = self.text("ground").to_owned();
        PartyDetails {
            present: self.on("present", false),
            identified: self.on("identified", false),
            capacity_doubt: self.on("doubt", false),
            suspected_crime: self.on("crime", false),
            exemption: match self.choice("exemption") {
                Some(1) => ExemptionReview::ShallNot { ground },
                Some(2) => ExemptionReview::MayNot { reason_to_penalize: ground },
                Some(3) => ExemptionReview::FirstViolationUnknown,
                _ => ExemptionReview::NoGround,
            },
            tier: self.tier(rules, now),
            correction_order: self.text("correction").to_owned(),
        }
    }

    /// Returns the reasons typed under warnings.
    #[must_use]
    pub fn override_reason(&self) -> String {
        reason_of(&self.fields)
    }
}

/// What may become of a statement, in the order of the page.
pub const OUTCOMES: [&str; 3] = ["采纳", "部分采纳", "不采纳"];

#[cfg(test)]
mod tests {
    use super::*;
    use sync_model::record::inspection::InspectionBegun;
    use sync_model::wire::assignment::Premises;
    use uuid::Uuid;

    fn typed(fields: &[(&str, &str)]) -> Typed {
        let party = Party {
            kind: PartyKind::LegalPerson,
            name: "某某有限公司".to_owned(),
            credit_code: None,
            identity_number: None,
            person_in_charge: Some("张三".to_owned()),
            phone: None,
            address: "文三路1号".to_owned(),
        };
        Typed {
            visit: InspectionRow {
                begun: InspectionBegun {
                    inspection: InspectionId(Uuid::nil()),
                    assignment: sync_model::id::AssignmentId(Uuid::nil()),
                    shift: sync_model::hash::Hash::of(b"shift"),
                    premises: Premises {
                        name: "某店".to_owned(),
                        address: "文三路1号".to_owned(),
                        region_code: "330106".to_owned(),
                    },
                    party,
                    participations: vec![],
                    on_site_reason: String::new(),
                    overrides: vec![],
                },
                begun_at: Timestamp(0),
                displayed_at: None,
                noticed_at: None,
                concluded_at: None,
            },
            case: None,
            evidence: vec![],
            fields: fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        }
    }

    #[test]
    fn an_amount_is_typed_in_yuan_and_anything_else_is_refused() {
        assert_eq!(typed(&[("penalty", "1"), ("amount", "３００")]).fine().unwrap(), Fen(30_000));
        for amount in ["", "0", "-5", "1,00", "三百"] {
            assert!(typed(&[("penalty", "1"), ("amount", amount)]).fine().is_err(), "{amount}");
        }
        assert_eq!(typed(&[("amount", "300")]).fine().unwrap(), Fen::ZERO, "a warning has none");
    }

    #[test]
    fn a_cleared_field_is_empty_and_not_what_the_visit_says() {
        assert_eq!(typed(&[]).party().person_in_charge.as_deref(), Some("张三"));
        assert_eq!(typed(&[("person", " ")]).party().person_in_charge, None);
    }

    #[test]
    fn a_statement_without_a_reasoned_answer_stays_unanswered() {
        let said = [("defense", "1"), ("defense-text", "第一次"), ("outcome", "2")];
        assert_eq!(typed(&said).heard().reply, "");
        let answered = [&said[..], &[("outcome-reason", "事实清楚")]].concat();
        let heard = typed(&answered).heard();
        assert_eq!((heard.reply.as_str(), heard.adopted), ("不采纳。事实清楚", false));
        assert!(typed(&[]).heard().waived);
    }
}
