//! The log plane: records go up, receipts come back.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::hash::Hash;
use crate::time::Timestamp;
use crate::wire::audit::ChainHead;
use crate::wire::policy::Policy;

/// Contiguous records of one device's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRequest {
    /// Signed records in order of seq.
    pub records: Vec<ByteBuf>,
    /// Size of the newest log head that the device verified; HQ proves that its log grew from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_size: Option<u64>,
}

/// Records that stand side by side in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptRun {
    /// First seq of the run.
    pub first_seq: u64,
    /// How many.
    pub count: u64,
    /// Log index of the first.
    pub log_index: u64,
    /// Range proof against the receipt's checkpoint.
    pub proof: Vec<Hash>,
}

/// HQ's answer: it holds these records durably, and here is the proof (回执).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Signed note over the log's size and root.
    pub checkpoint: String,
    /// Which records, where.
    pub runs: Vec<ReceiptRun>,
    /// HQ's clock.
    pub received_at: Timestamp,
    /// Newest feed index for this device.
    pub feed_head: u64,
    /// Cited files that HQ does not hold yet.
    pub wanted: Vec<Hash>,
    /// Proof that the log of [`PushRequest::seen_size`] is a prefix of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consistency: Option<Vec<Hash>>,
    /// R3: records of this device up to this seq and all their files are archived twice, under a
    /// witnessed checkpoint. 0 for none, and from an HQ that does not archive.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub archived_seq: u64,
    /// HQ's present rules; absent from an HQ that sets none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// End of the device's chain at HQ: a device that finds another end than its own was copied or
    /// restored, or HQ was. Absent from an old HQ, and before the first record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_head: Option<ChainHead>,
    /// HQ's signed word on clock, archive, rules and chain ([`crate::wire::word::ReceiptWord`]);
    /// absent from an old HQ, whose unsigned ones count for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<ByteBuf>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// What the device needs to know before sending files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedRequest {
    /// Files by hash.
    pub blobs: Vec<Hash>,
}

/// Where HQ stands with one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobState {
    /// The file.
    pub sha256: Hash,
    /// Bytes that HQ holds durably.
    pub offset: u64,
    /// Whole and verified.
    pub complete: bool,
}

/// Answer to [`NeedRequest`], in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedReply {
    /// Per file.
    pub blobs: Vec<BlobState>,
}
