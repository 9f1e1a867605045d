//! Credentials and device certificates: what HQ's issuing key vouches for.
//!
//! An officer's credential binds name, agency and certificate number (执法证件号) to the officer's
//! own key; a device certificate binds a handheld to its key. A credential is encoded by position
//! and not by name, because it travels inside a code that phones scan.

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::cose::{self, Context, CoseError, PublicKey, Signer};
use crate::id::{DeviceId, OfficerId};
use crate::time::Timestamp;

/// Largest credential or certificate, in bytes.
const CREDENTIAL_BYTES_MAX: usize = 4096;

/// Whether a certificate may be acted on (`domain` §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateStatus {
    /// In force.
    Active,
    /// 暂扣
    Suspended,
    /// 注销
    Cancelled,
    /// Reported lost.
    Lost,
}

/// Who a person is in the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfficerKind {
    /// 执法人员, holds a certificate.
    Officer,
    /// 执法辅助人员: may assist, never counts as one of two officers.
    Auxiliary,
}

/// What HQ vouches for about one officer; the payload of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Positions", try_from = "Positions")]
pub struct Credential {
    /// The officer.
    pub officer: OfficerId,
    /// Name as on the card; any Unicode, 1 to 60 characters.
    pub name: String,
    /// Officer or auxiliary.
    pub kind: OfficerKind,
    /// Certificate number (执法证件号), opaque.
    pub certificate_number: String,
    /// Id of the home authority in the rulebook.
    pub authority: String,
    /// Full name of the authority, as shown to the party.
    pub authority_name: String,
    /// The card's validity.
    pub valid_from: Timestamp,
    /// The card's validity, inclusive.
    pub valid_to: Timestamp,
    /// Status when issued.
    pub status: CertificateStatus,
    /// When HQ looked the status up and issued this.
    pub issued_at: Timestamp,
    /// The officer's own key, unlocked by the officer's PIN on the device.
    pub key: PublicKey,
}

/// A credential as an array; the page that checks codes reads the same positions.
#[derive(Serialize, Deserialize)]
struct Positions(
    OfficerId,
    String,
    u8,
    String,
    String,
    String,
    Timestamp,
    Timestamp,
    u8,
    Timestamp,
    PublicKey,
);

impl From<Credential> for Positions {
    fn from(it: Credential) -> Self {
        let kind = match it.kind {
            OfficerKind::Officer => 0,
            OfficerKind::Auxiliary => 1,
        };
        let status = match it.status {
            CertificateStatus::Active => 0,
            CertificateStatus::Suspended => 1,
            CertificateStatus::Cancelled => 2,
            CertificateStatus::Lost => 3,
        };
        Self(
            it.officer,
            it.name,
            kind,
            it.certificate_number,
            it.authority,
            it.authority_name,
            it.valid_from,
            it.valid_to,
            status,
            it.issued_at,
            it.key,
        )
    }
}

impl TryFrom<Positions> for Credential {
    type Error = &'static str;

    fn try_from(it: Positions) -> Result<Self, Self::Error> {
        Ok(Self {
            officer: it.0,
            name: it.1,
            kind: match it.2 {
                0 => OfficerKind::Officer,
                1 => OfficerKind::Auxiliary,
                _ => return Err("kind of officer"),
            },
            certificate_number: it.3,
            authority: it.4,
            authority_name: it.5,
            valid_from: it.6,
            valid_to: it.7,
            status: match it.8 {
                0 => CertificateStatus::Active,
                1 => CertificateStatus::Suspended,
                2 => CertificateStatus::Cancelled,
                3 => CertificateStatus::Lost,
                _ => return Err("status of certificate"),
            },
            issued_at: it.9,
            key: it.10,
        })
    }
}

/// What HQ vouches for about one handheld.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCertificate {
    /// The device.
    pub device: DeviceId,
    /// Its name for people.
    pub name: String,
    /// Id of the authority that owns it.
    pub authority: String,
    /// The device's key, which signs every record.
    pub key: PublicKey,
    /// When HQ enrolled it.
    pub issued_at: Timestamp,
}

/// Returns `credential` signed by `issuer`.
///
/// # Errors
/// [`CoseError`] if it cannot be encoded.
pub fn issue_credential(
    credential: &Credential,
    issuer: &dyn Signer,
) -> Result<Vec<u8>, CoseError> {
    cose::sign(Context::Credential, &canonical::to_bytes(credential)?, issuer)
}

/// Returns the credential in `bytes` if `issuer` signed it.
///
/// # Errors
/// The first failing step.
pub fn open_credential(bytes: &[u8], issuer: &PublicKey) -> Result<Credential, CoseError> {
    let payload = cose::verify(Context::Credential, bytes, issuer)?;
    let credential = canonical::from_bytes(&payload, CREDENTIAL_BYTES_MAX)?;
    // Decoding takes an array of numbers for a byte string; the one accepted form is ours.
    if canonical::to_bytes(&credential)? == payload {
        Ok(credential)
    } else {
        Err(CoseError::Malformed("credential"))
    }
}

/// Returns `certificate` signed by `issuer`.
///
/// # Errors
/// [`CoseError`] if it cannot be encoded.
pub fn issue_device_certificate(
    certificate: &DeviceCertificate,
    issuer: &dyn Signer,
) -> Result<Vec<u8>, CoseError> {
    cose::sign(Context::DeviceCertificate, &canonical::to_bytes(certificate)?, issuer)
}

/// Returns the certificate in `bytes` if `issuer` signed it.
///
/// # Errors
/// The first failing step.
pub fn open_device_certificate(
    bytes: &[u8],
    issuer: &PublicKey,
) -> Result<DeviceCertificate, CoseError> {
    let payload = cose::verify(Context::DeviceCertificate, bytes, issuer)?;
    Ok(canonical::from_bytes(&payload, CREDENTIAL_BYTES_MAX)?)
}
