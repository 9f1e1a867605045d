//! What an administrator does: officers, codes, rulebooks, assignments, number leases.
//!
//! Commands call these beside a running server: each is one transaction of the same store.

use sync_model::canonical;
use sync_model::credential::{CertificateStatus, OfficerKind};
use sync_model::hash::Hash;
use sync_model::id::{DeviceId, OfficerId};
use sync_model::rulebook::Rulebook;
use sync_model::time::Timestamp;
use sync_model::wire::assignment::Assignment;
use sync_model::wire::feed::{CommandMessage, FeedBody, NumberLease};

use crate::code;
use crate::enroll::{Lease, Prepared};
use crate::error::{AdminError, HqError};
use crate::hq::{Hq, Inner};
use crate::keys::random;
use crate::store::{Enrollment, Officer, Tx};

/// How long one-time codes can be used.
const CODE_LIFETIME_MS: i64 = 3 * 24 * 3600 * 1000;
/// Most numbers of one lease.
const LEASE_MAX: u64 = 10_000;

/// An officer to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOfficer {
    /// Name as on the card.
    pub name: String,
    /// Officer or auxiliary.
    pub kind: OfficerKind,
    /// Certificate number (执法证件号).
    pub certificate_number: String,
    /// Id of the home authority.
    pub authority: String,
    /// Its full name.
    pub authority_name: String,
    /// The card's validity.
    pub valid_from: Timestamp,
    /// The card's validity, inclusive.
    pub valid_to: Timestamp,
}

/// The one-time codes of an enrollment; shown once, never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrollmentCodes {
    /// For the device.
    pub enrollment: String,
    /// For each officer.
    pub activations: Vec<ActivationCode>,
    /// Until when they can be used.
    pub expires_at: Timestamp,
}

/// The one-time code of one officer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivationCode {
    /// The officer.
    pub officer: OfficerId,
    /// Name.
    pub name: String,
    /// Certificate number.
    pub certificate_number: String,
    /// The code.
    pub code: String,
}

impl Hq {
    /// Adds an officer; returns the one that is there already if nothing differs.
    ///
    /// # Errors
    /// [`AdminError::CertificateTaken`].
    pub fn add_officer(&self, officer: &NewOfficer) -> Result<OfficerId, HqError> {
        let new = officer.clone();
        let id = OfficerId::new(self.now().0, &random()?);
        self.0.store.write(move |tx| Inner::add_officer_in(tx, &new, id))
    }

    /// Makes one-time codes for a device and the officers who may use it.
    ///
    /// # Errors
    /// [`AdminError::NoSuchOfficer`].
    pub fn issue_enrollment(
        &self,
        authority: &str,
        device_name: &str,
        officers: &[OfficerId],
    ) -> Result<EnrollmentCodes, HqError> {
        self.issue_enrollment_with(authority, device_name, officers, &[])
    }

    /// As [`Hq::issue_enrollment`]; the device gets `prepared` in its first pull.
    ///
    /// # Errors
    /// As [`Hq::issue_enrollment`].
    pub fn issue_enrollment_with(
        &self,
        authority: &str,
        device_name: &str,
        officers: &[OfficerId],
        prepared: &[Prepared],
    ) -> Result<EnrollmentCodes, HqError> {
        let expires_at = self.now().plus_ms(CODE_LIFETIME_MS);
        let enrollment = Enrollment {
            authority: authority.to_owned(),
            device_name: device_name.to_owned(),
            expires_at,
            used_by: None,
        };
        let prepared: Vec<Vec<u8>> =
            prepared.iter().map(canonical::to_bytes).collect::<Result<_, _>>()?;
        let device_code = code::new()?;
        let hash = code::hash("device", &device_code);
        let mut wanted = Vec::with_capacity(officers.len());
        for officer in officers {
            wanted.push((*officer, code::new()?));
        }
        let activations = self.0.store.write(move |tx| {
            tx.insert_enrollment(&hash, &enrollment)?;
            let mut activations = Vec::with_capacity(wanted.len());
            for (officer, code) in wanted {
                let known = tx
                    .officer(officer)?
                    .ok_or_else(|| AdminError::NoSuchOfficer(officer.to_string()))?;
                let code_hash = code::hash("officer", &code);
                tx.insert_activation(&code_hash, &hash, officer, expires_at)?;
                activations.push(ActivationCode {
                    officer,
                    name: known.name,
                    certificate_number: known.certificate_number,
                    code,
                });
            }
            for item in &prepared {
                tx.prepare_item(&hash, item)?;
            }
            Ok::<_, HqError>(activations)
        })?;
        Ok(EnrollmentCodes { enrollment: device_code, activations, expires_at })
    }

    /// Issues a rulebook to every device; returns its hash. The newest one again changes nothing.
    ///
    /// # Errors
    /// [`AdminError::RulebookNotNewer`], [`AdminError::RulebookProblems`].
    pub fn import_rulebook(&self, rulebook: &Rulebook) -> Result<Hash, HqError> {
        let problems = rulebook.problems();
        if let Some(first) = problems.first() {
            let (count, first) = (problems.len(), first.clone());
            return Err(AdminError::RulebookProblems { count, first }.into());
        }
        let bytes = canonical::to_bytes(rulebook)?;
        let hash = Hash::of(&bytes);
        let (hq, now, rulebook) = (self.0.clone(), self.now(), Box::new(rulebook.clone()));
        self.0.store.write(move |tx| {
            if let Some((held, newest)) = tx.newest_rulebook()? {
                if held == hash {
                    return Ok(hash);
                }
                if rulebook.version <= newest {
                    let offered = rulebook.version;
                    return Err(AdminError::RulebookNotNewer { offered, newest }.into());
                }
            }
            tx.insert_rulebook(&hash, rulebook.version, &bytes, now)?;
            hq.issue(tx, None, FeedBody::Rulebook(rulebook), now)?;
            Ok(hash)
        })
    }

    /// Returns the newest rulebook.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn newest_rulebook(&self) -> Result<Option<std::sync::Arc<Rulebook>>, HqError> {
        self.0.store.read(|tx| match tx.newest_rulebook()? {
            Some((hash, _)) => self.0.rulebook(tx, &hash),
            None => Ok(None),
        })
    }

    /// Sends an assignment, or a new revision of one, to the device.
    ///
    /// # Errors
    /// [`AdminError::NoSuchDevice`].
    pub fn assign(&self, device: DeviceId, assignment: Assignment) -> Result<u64, HqError> {
        self.tell(device, FeedBody::Assignment(Box::new(assignment)))
    }

    /// Sends a message to the device.
    ///
    /// # Errors
    /// [`AdminError::NoSuchDevice`].
    pub fn command(&self, device: DeviceId, message: CommandMessage) -> Result<u64, HqError> {
        self.tell(device, FeedBody::Command(message))
    }

    pub(crate) fn tell(&self, device: DeviceId, body: FeedBody) -> Result<u64, HqError> {
        let (hq, now) = (self.0.clone(), self.now());
        self.0.store.write(move |tx| {
            known(tx.device(device)?, device)?;
            hq.issue(tx, Some(device), body, now)
        })
    }

    /// Leases the next document numbers to the device.
    ///
    /// # Errors
    /// [`AdminError::NoSuchDevice`], [`AdminError::OutOfRange`].
    pub fn lease_numbers(&self, device: DeviceId, wanted: &Lease) -> Result<NumberLease, HqError> {
        if wanted.count == 0 || wanted.count > LEASE_MAX {
            return Err(AdminError::OutOfRange("a lease holds 1 to 10,000 numbers").into());
        }
        let (hq, now, wanted) = (self.0.clone(), self.now(), wanted.clone());
        self.0.store.write(move |tx| {
            known(tx.device(device)?, device)?;
            hq.lease_in(tx, device, &wanted, now)
        })
    }

    /// Withdraws the device's authority to send, as of the log's present size: what stands below is
    /// untouched, what comes later is kept apart.
    ///
    /// # Errors
    /// [`AdminError::NoSuchDevice`].
    pub fn revoke(&self, device: DeviceId) -> Result<(), HqError> {
        let now = self.now();
        self.0.store.write(move |tx| {
            let size = tx.log_size()?;
            let revoked = tx.revoke_device(device, size, now)?;
            known(revoked.then_some(()), device)
        })
    }
}

impl Inner {
    /// Adds an officer as `id`, or returns the one that is there already if nothing differs.
    pub(crate) fn add_officer_in(
        tx: &Tx<'_>,
        new: &NewOfficer,
        id: OfficerId,
    ) -> Result<OfficerId, HqError> {
        if let Some(known) = tx.officer_by_certificate(&new.certificate_number)? {
            let same = known.name == new.name && known.authority == new.authority;
            let taken = || AdminError::CertificateTaken(new.certificate_number.clone());
            return same.then_some(known.officer).ok_or_else(|| taken().into());
        }
        tx.insert_officer(&Officer {
            officer: id,
            name: new.name.clone(),
            kind: new.kind,
            certificate_number: new.certificate_number.clone(),
            authority: new.authority.clone(),
            authority_name: new.authority_name.clone(),
            valid_from: new.valid_from,
            valid_to: new.valid_to,
            status: CertificateStatus::Active,
        })?;
        Ok(id)
    }
}

fn known<T>(found: Option<T>, device: DeviceId) -> Result<T, HqError> {
    found.ok_or_else(|| AdminError::NoSuchDevice(device.to_string()).into())
}
