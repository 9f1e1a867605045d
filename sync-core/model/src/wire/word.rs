//! What HQ signs about a receipt: everything in it that a device acts on and no proof shows.
//!
//! Checkpoint and proofs verify by themselves; clock, rules, archive and the end of the chain do
//! not. On the archive's word a device lets originals go, so it must not hang on the line alone: a
//! gateway that ends TLS could say anything. The word names device and request, so that no word
//! given to another, or on another day, passes for an answer.

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::cose::{self, Context, CoseError, PublicKey, Signer};
use crate::hash::Hash;
use crate::id::DeviceId;
use crate::time::Timestamp;
use crate::wire::audit::ChainHead;
use crate::wire::policy::Policy;
use crate::wire::push::Receipt;

/// Largest word.
const WORD_BYTES_MAX: usize = 4096;

/// HQ's word beside the proofs of a [`Receipt`] ([`Context::Receipt`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptWord {
    /// Who asked.
    pub device: DeviceId,
    /// Hash of the signed request statement, which holds a nonce: no two requests share it.
    pub request: Hash,
    /// HQ's clock.
    pub received_at: Timestamp,
    /// As [`Receipt::archived_seq`].
    pub archived_seq: u64,
    /// As [`Receipt::policy`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// As [`Receipt::chain_head`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_head: Option<ChainHead>,
}

impl ReceiptWord {
    /// Returns HQ's word on `receipt`, signed by its log key.
    ///
    /// # Errors
    /// [`CoseError`] if it cannot be encoded.
    pub fn sign(
        receipt: &Receipt,
        device: DeviceId,
        request: Hash,
        log_key: &dyn Signer,
    ) -> Result<Vec<u8>, CoseError> {
        let word = Self {
            device,
            request,
            received_at: receipt.received_at,
            archived_seq: receipt.archived_seq,
            policy: receipt.policy,
            chain_head: receipt.chain_head,
        };
        cose::sign(Context::Receipt, &canonical::to_bytes(&word)?, log_key)
    }

    /// Returns the word in `bytes` if HQ's log key gave it on this request of this device.
    ///
    /// # Errors
    /// The first failing step; [`CoseError::Malformed`] for a word on another request.
    pub fn open(
        bytes: &[u8],
        device: DeviceId,
        request: Hash,
        log_key: &PublicKey,
    ) -> Result<Self, CoseError> {
        let payload = cose::verify(Context::Receipt, bytes, log_key)?;
        let word: Self = canonical::from_bytes(&payload, WORD_BYTES_MAX)?;
        if (word.device, word.request) == (device, request) {
            Ok(word)
        } else {
            Err(CoseError::Malformed("word on another request"))
        }
    }

    /// Puts into `receipt` what is vouched for: the word's where there is one, and nothing where
    /// an HQ of an earlier age gave none.
    pub fn settle(word: Option<&Self>, receipt: &mut Receipt) {
        receipt.archived_seq = word.map_or(0, |word| word.archived_seq);
        receipt.policy = word.and_then(|word| word.policy);
        receipt.chain_head = word.and_then(|word| word.chain_head);
        if let Some(word) = word {
            receipt.received_at = word.received_at;
        }
    }
}
