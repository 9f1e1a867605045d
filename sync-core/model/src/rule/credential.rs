//! Who may act: at least two officers, each with a certificate in force, each proven present.
//!
//! Rules. Evaluated at every legally relevant act, with that act's time.

use serde::{Deserialize, Serialize};

use super::Finding;
use crate::credential::CertificateStatus;
use crate::id::OfficerId;
use crate::rulebook::policy::Policies;
use crate::time::Timestamp;

/// One certificate (执法证件) as the device knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Opaque number.
    pub number: String,
    /// First instant of validity.
    pub valid_from: Timestamp,
    /// Last instant of validity, inclusive.
    pub valid_to: Timestamp,
    /// What HQ last said of it.
    pub status: CertificateStatus,
    /// When HQ said so.
    pub status_as_of: Timestamp,
}

/// How an officer's presence was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofOfPresence {
    /// Unlocked his own key on this device.
    OwnUnlock,
    /// Co-signed on his own device.
    OwnDevice,
    /// A name typed by somebody else: proves nothing.
    None,
}

/// One person who is said to act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerFacts {
    /// Who.
    pub officer_id: OfficerId,
    /// Name, for the message.
    pub name: String,
    /// 执法辅助人员: never counts.
    pub is_auxiliary: bool,
    /// His certificate, if any is known.
    pub certificate: Option<CertificateFacts>,
    /// How he was proven present.
    pub presence: ProofOfPresence,
}

/// Checks that enough qualified officers act at `now`.
#[must_use]
pub fn check_officers(
    officers: &[OfficerFacts],
    policies: &Policies,
    now: Timestamp,
) -> Vec<Finding> {
    let _ = (officers, policies, now);
    Vec::new()
}
