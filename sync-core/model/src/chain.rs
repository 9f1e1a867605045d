//! A device's chain: each record names the hash of the one before.
//!
//! The first record names the hash of the device certificate, so a chain belongs to one enrolment.

use thiserror::Error;

use crate::hash::Hash;
use crate::record::Envelope;

/// Where a chain breaks.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ChainError {
    /// The sequence number is not the next one.
    #[error("record has seq {found}, expected {expected}")]
    Seq {
        /// The next number.
        expected: u64,
        /// The number in the record.
        found: u64,
    },
    /// The record names another predecessor.
    #[error("record {seq} does not follow the record before it")]
    Previous {
        /// The record that does not fit.
        seq: u64,
    },
}

/// The end of a chain so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Sequence number of the last record; 0 before the first.
    pub seq: u64,
    /// Hash of the last record, or of the device certificate before the first.
    pub hash: Hash,
}

impl Head {
    /// Returns the head before the first record of the device with this certificate.
    #[must_use]
    pub fn genesis(device_certificate: &[u8]) -> Self {
        Self { seq: 0, hash: Hash::of(device_certificate) }
    }

    /// Returns the head after `envelope`, whose signed bytes hash to `hash`.
    ///
    /// # Errors
    /// [`ChainError`] if it does not follow this head.
    pub fn follow(self, envelope: &Envelope, hash: Hash) -> Result<Self, ChainError> {
        let expected = self.seq.saturating_add(1);
        if envelope.seq != expected {
            return Err(ChainError::Seq { expected, found: envelope.seq });
        }
        if envelope.previous != self.hash {
            return Err(ChainError::Previous { seq: envelope.seq });
        }
        Ok(Self { seq: envelope.seq, hash })
    }
}
