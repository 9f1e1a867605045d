//! Enrolment: a device exchanges a one-time code for a certificate, an officer an activation code
//! for a credential.

use serde::{Deserialize, Serialize};

use crate::cose::PublicKey;
use crate::id::OfficerId;
use crate::time::Timestamp;

/// A device asks to be enrolled. The request is signed by the key it brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrollRequest {
    /// One-time code from HQ.
    pub code: String,
    /// The device's new key.
    pub device_key: PublicKey,
}

/// The keys a device trusts from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// Name of HQ's log.
    pub log_origin: String,
    /// Signs checkpoints.
    pub log_key: PublicKey,
    /// Signs credentials and device certificates.
    pub issuer_key: PublicKey,
    /// Signs feed items.
    pub feed_key: PublicKey,
    /// The only authority whose TLS certificate the device takes from HQ, PEM; absent where HQ has
    /// a certificate that everybody's systems know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ca: Option<String>,
}

/// An officer who may use the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedOfficer {
    /// The officer.
    pub officer: OfficerId,
    /// Name.
    pub name: String,
    /// Certificate number.
    pub certificate_number: String,
}

/// HQ's answer to [`EnrollRequest`]; the same again if the same key asks again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrollReply {
    /// The signed device certificate.
    #[serde(with = "serde_bytes")]
    pub device_certificate: Vec<u8>,
    /// Keys to trust.
    pub trust: Trust,
    /// Who may use the device.
    pub officers: Vec<ExpectedOfficer>,
    /// HQ's clock.
    pub hq_at: Timestamp,
}

/// An officer's new key is brought to HQ with the activation code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivateRequest {
    /// The officer.
    pub officer: OfficerId,
    /// One-time code that HQ gave to this officer.
    pub code: String,
    /// The officer's new key, made on the device.
    pub officer_key: PublicKey,
}

/// HQ's answer to [`ActivateRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivateReply {
    /// The signed credential.
    #[serde(with = "serde_bytes")]
    pub credential: Vec<u8>,
}
