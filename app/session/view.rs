//! Officers as the enrolment and unlock pages show them.

use sync_model::id::OfficerId;

use crate::error::AppError;
use crate::services::Services;

/// One officer of this device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficerView {
    /// The officer.
    pub officer: OfficerId,
    /// Name.
    pub name: String,
    /// Full name of the authority; empty before activation.
    pub agency: String,
    /// Certificate number.
    pub number: String,
    /// Whether he has a key and a credential here.
    pub activated: bool,
    /// Whether his key is open now.
    pub unlocked: bool,
    /// Wrong PINs in a row.
    pub failures: u32,
}

/// Returns the officers of this device.
///
/// # Errors
/// [`AppError::Store`].
pub fn officers(services: &Services) -> Result<Vec<OfficerView>, AppError> {
    let unlocked = services.session().officer_ids();
    services.store.read(|reader| {
        let Some(enrollment) = reader.enrollment()? else { return Ok(vec![]) };
        let issuer = enrollment.trust.issuer_key;
        let rows = reader.officers()?.into_iter();
        rows.map(|row| {
            let credential = row.open_credential(&issuer)?;
            Ok(OfficerView {
                officer: row.officer,
                agency: credential.as_ref().map_or_else(String::new, |c| c.authority_name.clone()),
                activated: credential.is_some() && row.sealed_key.is_some(),
                unlocked: unlocked.contains(&row.officer),
                name: row.name,
                number: row.certificate_number,
                failures: row.failures,
            })
        })
        .collect()
    })
}

/// Says whether the device is enrolled and somebody can unlock it.
#[must_use]
pub fn is_ready(services: &Services) -> bool {
    officers(services).is_ok_and(|all| all.iter().any(|one| one.activated))
}
