//! What HQ signs about records that it keeps apart (另行保全), because the device that sent them had
//! lost its authority to send before.
//!
//! Evidence is never turned away: it is kept beside the log, where it proves nothing by itself, and
//! the device has HQ's word for it.

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::cose::{self, Context, CoseError, PublicKey, Signer};
use crate::hash::Hash;
use crate::id::DeviceId;
use crate::time::Timestamp;

/// Largest statement: 500 hashes and what stands around them.
const KEPT_BYTES_MAX: usize = 64 * 1024;

/// HQ keeps these records of a revoked device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptApart {
    /// Whose records.
    pub device: DeviceId,
    /// Their hashes, in the order in which they were sent.
    pub records: Vec<Hash>,
    /// Leaves of the log when the device was revoked; its records below are untouched by that.
    pub revoked_size: u64,
    /// HQ's clock.
    pub kept_at: Timestamp,
}

impl KeptApart {
    /// Returns the statement signed by HQ's log key.
    ///
    /// # Errors
    /// [`CoseError`] if it cannot be encoded.
    pub fn sign(&self, log_key: &dyn Signer) -> Result<Vec<u8>, CoseError> {
        cose::sign(Context::Custody, &canonical::to_bytes(self)?, log_key)
    }

    /// Returns the statement in `bytes` if HQ's log key signed it.
    ///
    /// # Errors
    /// The first failing step.
    pub fn open(bytes: &[u8], log_key: &PublicKey) -> Result<Self, CoseError> {
        let payload = cose::verify(Context::Custody, bytes, log_key)?;
        Ok(canonical::from_bytes(&payload, KEPT_BYTES_MAX)?)
    }
}
