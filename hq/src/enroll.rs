//! Enrollment of devices by one-time codes, and what a new device gets at once.
//!
//! A reply can be lost: the same key with the same code gets the same answer again, also after the
//! code expired. Another key never does.

use serde::{Deserialize, Serialize};
use sync_model::canonical;
use sync_model::cose::PublicKey;
use sync_model::credential::{DeviceCertificate, issue_device_certificate};
use sync_model::hash::Hash;
use sync_model::id::{DeviceId, LeaseId};
use sync_model::time::Timestamp;
use sync_model::wire::assignment::Assignment;
use sync_model::wire::enroll::{EnrollReply, EnrollRequest, ExpectedOfficer};
use sync_model::wire::feed::{FeedBody, NumberLease};
use sync_model::wire::problem::ProblemCode;

use crate::code;
use crate::error::{HqError, refuse};
use crate::hq::{Hq, Inner};
use crate::keys::random;
use crate::store::{Device, NewLease, Tx};

/// Largest stored preparation.
const PREPARED_BYTES_MAX: usize = 256 * 1024;

/// What a device gets in its feed as soon as it is enrolled.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prepared {
    /// An assignment.
    Assignment(Box<Assignment>),
    /// A block of document numbers.
    Lease {
        /// In whose name.
        authority: String,
        /// Words before 字.
        word: String,
        /// Year of the documents.
        year: i32,
        /// How many.
        count: u64,
    },
}

pub(crate) fn bad_code() -> HqError {
    refuse(ProblemCode::BadCode, "code is unknown, used or expired")
}

pub(crate) fn usable(key: &PublicKey) -> Result<(), HqError> {
    key.verifying().map(|_| ()).map_err(|_| refuse(ProblemCode::Malformed, "key is not usable"))
}

impl Hq {
    /// Enrolls the device that brings `request`.
    ///
    /// # Errors
    /// [`ProblemCode::BadCode`], [`ProblemCode::Malformed`].
    pub fn enroll(&self, request: &EnrollRequest) -> Result<EnrollReply, HqError> {
        usable(&request.device_key)?;
        let (hq, now) = (self.0.clone(), self.now());
        let (code, key) = (code::hash("device", &request.code), request.device_key);
        self.0.store.write(move |tx| hq.enroll_in(tx, &code, key, now))
    }
}

impl Inner {
    fn enroll_in(
        &self,
        tx: &Tx<'_>,
        code: &Hash,
        key: PublicKey,
        now: Timestamp,
    ) -> Result<EnrollReply, HqError> {
        let enrollment = tx.enrollment(code)?.ok_or_else(bad_code)?;
        let known = tx.device_by_key(&key)?;
        let device = match (enrollment.used_by, known) {
            (Some(used_by), Some(device)) if device.device == used_by => device,
            (None, None) if now <= enrollment.expires_at => {
                let certificate = DeviceCertificate {
                    device: DeviceId::new(now.0, &random()?),
                    name: enrollment.device_name,
                    authority: enrollment.authority,
                    key,
                    issued_at: now,
                };
                self.add_device(tx, code, certificate)?
            }
            // Another key's code, or a key that another code enrolled.
            _ => return Err(bad_code()),
        };
        let officers = tx.enrollment_officers(code)?;
        Ok(EnrollReply {
            device_certificate: device.certificate,
            trust: self.keys.trust(),
            officers: officers
                .into_iter()
                .map(|officer| ExpectedOfficer {
                    officer: officer.officer,
                    name: officer.name,
                    certificate_number: officer.certificate_number,
                })
                .collect(),
            hq_at: now,
        })
    }

    fn add_device(
        &self,
        tx: &Tx<'_>,
        code: &Hash,
        certificate: DeviceCertificate,
    ) -> Result<Device, HqError> {
        let device = Device {
            certificate: issue_device_certificate(&certificate, &self.keys.issuer)?,
            device: certificate.device,
            name: certificate.name,
            authority: certificate.authority,
            key: certificate.key,
            enrolled_at: certificate.issued_at,
            revoked_at: None,
            revoked_size: None,
            certified_at: Some(certificate.issued_at),
        };
        tx.insert_device(&device)?;
        tx.use_enrollment(code, device.device)?;
        for bytes in tx.prepared_items(code)? {
            match canonical::from_bytes(&bytes, PREPARED_BYTES_MAX)? {
                Prepared::Assignment(assignment) => {
                    let body = FeedBody::Assignment(assignment);
                    self.issue(tx, Some(device.device), body, device.enrolled_at)?;
                }
                Prepared::Lease { authority, word, year, count } => {
                    let wanted = Lease { authority, word, year, count };
                    self.lease_in(tx, device.device, &wanted, device.enrolled_at)?;
                }
            }
        }
        tracing::info!(device = %device.device, "device enrolled");
        Ok(device)
    }

    /// Leases the next numbers to the device and tells it.
    pub(crate) fn lease_in(
        &self,
        tx: &Tx<'_>,
        device: DeviceId,
        wanted: &Lease,
        now: Timestamp,
    ) -> Result<NumberLease, HqError> {
        let lease = LeaseId::new(now.0, &random()?);
        let (first, last) = tx.insert_lease(
            &NewLease {
                lease,
                device,
                authority: &wanted.authority,
                word: &wanted.word,
                year: wanted.year,
                count: wanted.count,
            },
            now,
        )?;
        let issued = NumberLease {
            lease,
            device,
            authority: wanted.authority.clone(),
            word: wanted.word.clone(),
            year: wanted.year,
            first,
            last,
        };
        self.issue(tx, Some(device), FeedBody::NumberLease(issued.clone()), now)?;
        Ok(issued)
    }
}

/// A wish for document numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// In whose name.
    pub authority: String,
    /// Words before 字, for example `西综执当罚`.
    pub word: String,
    /// Year of the documents.
    pub year: i32,
    /// How many.
    pub count: u64,
}
