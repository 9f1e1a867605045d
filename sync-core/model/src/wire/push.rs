//! The log plane: records go up, receipts come back.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::hash::Hash;
use crate::time::Timestamp;

/// Contiguous records of one device's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRequest {
    /// Signed records in order of seq.
    pub records: Vec<ByteBuf>,
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
