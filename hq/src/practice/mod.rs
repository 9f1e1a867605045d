//! The practice profile (演练): a sample authority, two officers, a device code and a day's work.
//!
//! Every name says that it is practice. Matters are taken from the rulebook that is given, so the
//! profile follows it; only the last assignment cites a code that no rulebook has, because devices
//! meet such codes in the field.

mod assignments;

use serde::Deserialize as _;
use sync_model::credential::OfficerKind;
use sync_model::id::OfficerId;
use sync_model::rulebook::Rulebook;
use sync_model::rulebook::authority::Authority;

use crate::admin::{ActivationCode, EnrollmentCodes, NewOfficer};
use crate::enroll::Prepared;
use crate::error::{AdminError, HqError};
use crate::hq::Hq;

/// Document numbers per authority.
const NUMBERS: u64 = 100;
/// 文种 of an on-the-spot penalty decision.
const ON_SPOT_WORD: &str = "当罚";
/// Years a sample certificate is valid.
const VALID_MS: i64 = 3 * 365 * 24 * 3600 * 1000;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// What a person needs to try the handheld.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PracticeCodes {
    /// Id of the authority the two officers belong to.
    pub authority: String,
    /// Its full name.
    pub authority_name: String,
    /// One-time code for the device.
    pub enrollment_code: String,
    /// One-time codes for the two officers.
    pub officers: Vec<ActivationCode>,
}

/// Fills `hq` for practice: imports the rulebook and prepares one device with its officers.
///
/// It can be called again for a second device; rulebook and officers are then the same.
///
/// # Errors
/// [`AdminError::Unreadable`] if the rulebook is not one; [`AdminError::NoSuchAuthority`] if it
/// gives no authority anything to inspect.
pub fn seed(hq: &Hq, rulebook_json: &str) -> Result<PracticeCodes, HqError> {
    let rulebook = read_rulebook("practice rulebook", rulebook_json)?;
    hq.import_rulebook(&rulebook)?;
    let home = rulebook
        .authorities
        .first()
        .ok_or_else(|| AdminError::NoSuchAuthority("any".to_owned()))?;
    let officers = [("演练甲", "YL330106001"), ("演练乙", "YL330106002")]
        .into_iter()
        .map(|(name, number)| hq.add_officer(&sample_officer(hq, home, name, number)))
        .collect::<Result<Vec<OfficerId>, _>>()?;
    let prepared = prepare(hq, &rulebook, home, &officers)?;
    let codes = hq.issue_enrollment_with(&home.id, "演练终端", &officers, &prepared)?;
    let EnrollmentCodes { enrollment, activations, .. } = codes;
    Ok(PracticeCodes {
        authority: home.id.clone(),
        authority_name: home.name.clone(),
        enrollment_code: enrollment,
        officers: activations,
    })
}

/// Returns the rulebook in JSON source; `what` names the source in the error.
///
/// # Errors
/// [`AdminError::Unreadable`].
pub fn read_rulebook(what: &str, json: &str) -> Result<Rulebook, HqError> {
    let mut source = serde_json::Deserializer::from_str(json);
    Rulebook::deserialize(&mut source).and_then(|rulebook| source.end().map(|()| rulebook)).map_err(
        |error| AdminError::Unreadable { what: what.to_owned(), why: error.to_string() }.into(),
    )
}

fn sample_officer(hq: &Hq, home: &Authority, name: &str, number: &str) -> NewOfficer {
    NewOfficer {
        name: name.to_owned(),
        kind: OfficerKind::Officer,
        certificate_number: number.to_owned(),
        authority: home.id.clone(),
        authority_name: home.name.clone(),
        valid_from: hq.now().plus_ms(-DAY_MS),
        valid_to: hq.now().plus_ms(VALID_MS),
    }
}

fn prepare(
    hq: &Hq,
    rulebook: &Rulebook,
    home: &Authority,
    officers: &[OfficerId],
) -> Result<Vec<Prepared>, HqError> {
    use chrono::Datelike as _;
    let now = hq.now();
    let assignments = assignments::make(rulebook, home, officers, now)?;
    let year = now.legal_date().year();
    let leases = rulebook.authorities.iter().map(|authority| Prepared::Lease {
        authority: authority.id.clone(),
        word: format!("{}{ON_SPOT_WORD}", authority.document_word),
        year,
        count: NUMBERS,
    });
    Ok(assignments
        .into_iter()
        .map(|assignment| Prepared::Assignment(Box::new(assignment)))
        .chain(leases)
        .collect())
}
