//! What the officers intend, read from what is typed: tier, penalty, what the party said.
//!
//! Amounts are typed in yuan and become fen here, once.

use sync_model::money::Fen;
use sync_model::rule::discretion::{TierChoice, applicable};
use sync_model::rule::on_spot::{ExemptionReview, scope as scope_of};
use sync_model::rulebook::Rulebook;
use sync_model::rulebook::discretion::PartyScope;
use sync_model::time::Timestamp;

use super::typed::Typed;
use super::{HearInput, NoticeInput, PartyDetails};
use crate::error::{AppError, Input};
use crate::inspection::reason_of;

/// What is to be imposed, in the order of the page.
pub const PENALTIES: [&str; 3] = ["警告", "罚款", "警告并罚款"];

/// Place of 罚款 in [`PENALTIES`].
pub const FINE: usize = 1;

/// What may become of a statement, in the order of the page.
pub const OUTCOMES: [&str; 3] = ["采纳", "部分采纳", "不采纳"];

impl Typed {
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

#[cfg(test)]
mod tests {
    use super::*;
    use sync_core::store::InspectionRow;
    use sync_model::hash::Hash;
    use sync_model::id::{AssignmentId, InspectionId};
    use sync_model::record::inspection::InspectionBegun;
    use sync_model::rule::on_spot::PartyKind;
    use sync_model::wire::assignment::Party;
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
                    assignment: AssignmentId(Uuid::nil()),
                    shift: Hash::of(b"shift"),
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
