//! Showing credentials, as an act that comes before every other act of a visit.

use serde_bytes::ByteBuf;
use sync_core::{StoreError, random};
use sync_model::canonical;
use sync_model::cose::{self, Context, CoseError};
use sync_model::credential_code::{CredentialCode, OFFICERS_MAX};
use sync_model::hash::Hash;
use sync_model::id::InspectionId;
use sync_model::record::Record;
use sync_model::record::credential::{
    CredentialDisplayed, DisplayMoment, DisplayedCredential, PartyReaction,
};
use sync_model::rule::credential::check_officers;
use sync_model::time::Timestamp;

use crate::error::{AppError, Input};
use crate::inspection::require_open;
use crate::services::{Services, rulebook};

/// Shortest time on the screen that counts as shown (`domain` R-92).
const SHOWN_MS_MIN: u64 = 3_000;

/// How the display went.
#[derive(Clone, Debug)]
pub struct DisplayInput {
    /// How long it stood on the screen.
    pub shown_ms: u64,
    /// Whether the physical cards were shown too.
    pub physical_card_shown: bool,
    /// What the party did.
    pub reaction: PartyReaction,
}

/// Records that both officers showed their credentials.
///
/// # Errors
/// [`AppError::Blocked`] if fewer than two qualified officers are here; [`AppError::Input`] if it
/// stood too short a time to be read.
// 《行政处罚法》第四十二条、第五十五条.
pub fn display(
    services: &Services,
    inspection: InspectionId,
    input: &DisplayInput,
) -> Result<Record, AppError> {
    if input.shown_ms < SHOWN_MS_MIN {
        return Err(AppError::Input(Input::ShownTooShort));
    }
    let scope = services.scope(Some(inspection), None);
    let officers = services.session().officer_facts();
    let now = services.clock.now().wall_at;
    let credentials = sign_moments(services, inspection, now, "")?;
    services.store.act(&scope, |reader, moment| {
        require_open(reader, inspection)?;
        let findings = check_officers(&officers, &rulebook(reader)?.policies, moment.wall_at);
        if sync_model::rule::blocks(&findings) {
            return Err(AppError::Blocked(findings));
        }
        Ok(CredentialDisplayed {
            inspection,
            credentials,
            shown_ms: input.shown_ms,
            physical_card_shown: input.physical_card_shown,
            reaction: input.reaction,
        }
        .into())
    })
}

fn sign_moments(
    services: &Services,
    inspection: InspectionId,
    at: Timestamp,
    challenge: &str,
) -> Result<Vec<DisplayedCredential>, CoseError> {
    let session = services.session();
    session
        .unlocked()
        .iter()
        .map(|one| {
            let credential = Hash::of(&one.credential_bytes);
            let moment = DisplayMoment {
                inspection,
                at,
                credential,
                nonce: random::bytes(),
                challenge: challenge.to_owned(),
            };
            let payload = canonical::to_bytes(&moment)?;
            Ok(DisplayedCredential {
                officer: one.credential.officer,
                certificate_number: one.credential.certificate_number.clone(),
                credential,
                moment: cose::sign(Context::Moment, &payload, &one.key)?,
            })
        })
        .collect()
}

/// Returns the address that the code of this instant opens on a phone: HQ's page, and behind `#` what
/// it checks. The page here asks again every few seconds.
/// `challenge` are digits that the party said aloud, empty if none: the officers' keys sign them.
///
/// # Errors
/// [`AppError::NoShift`] if nobody is unlocked.
pub fn live_code(
    services: &Services,
    inspection: InspectionId,
    challenge: &str,
) -> Result<String, AppError> {
    let now = services.clock.now().wall_at;
    let moments = sign_moments(services, inspection, now, challenge)?;
    if moments.is_empty() {
        return Err(AppError::NoShift);
    }
    let code = {
        let session = services.session();
        CredentialCode {
            credentials: session
                .unlocked()
                .iter()
                .take(OFFICERS_MAX)
                .map(|one| ByteBuf::from(one.credential_bytes.clone()))
                .collect(),
            moments: moments
                .into_iter()
                .take(OFFICERS_MAX)
                .map(|one| ByteBuf::from(one.moment))
                .collect(),
        }
    };
    let enrollment = services.store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?;
    code.to_url(&enrollment.hq).map_err(|_| AppError::NotFound("room in a code"))
}
