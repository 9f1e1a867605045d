//! Records of a partner: told by HQ, copied from device to device, brought to HQ on his behalf.
//!
//! Nothing signed is ever merged: a copy is the bytes that the other device signed, and its
//! signature alone decides whose they are.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::hash::Hash;
use crate::id::{DeviceId, InspectionId};
use crate::wire::audit::ChainHead;

/// Most records that one message of a partner copy carries.
pub const COPY_RECORDS_MAX: usize = 200;
/// Most bytes of records in one feed item or message of a partner copy; one record may be larger.
pub const COPY_BYTES_MAX: usize = 256 * 1024;
/// Largest file that a partner copy takes along: texts and thumbnails, never originals.
pub const COPY_FILE_BYTES_MAX: u64 = 256 * 1024;
/// Largest message of a partner copy, with its frame.
pub const COPY_MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// A signed record and where it stands in HQ's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedRecord {
    /// Index in HQ's log.
    pub log_index: u64,
    /// The signed record.
    pub bytes: ByteBuf,
}

/// Records of one other device that share a visit or case with the receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerRecords {
    /// The other device's signed certificate.
    pub certificate: ByteBuf,
    /// Its records, in order of seq, with gaps.
    pub records: Vec<PlacedRecord>,
}

/// A device brings records of another device's chain to HQ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyRequest {
    /// Whose records they are; the signature of this device decides.
    pub device: DeviceId,
    /// Signed records in order of seq.
    pub records: Vec<ByteBuf>,
}

/// One message of a partner copy between two devices, over the encrypted link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyMessage {
    /// The first of each side.
    Hello(Hello),
    /// What the sender holds of the receiver's chain already.
    Have(Have),
    /// Records of the sender's own chain, in order.
    Records(Vec<ByteBuf>),
    /// A small file that the sender's records cite.
    File(ByteBuf),
    /// The sender has nothing more.
    Done(ChainHead),
    /// The sender will not go on, and why.
    Refused(Refusal),
}

/// Who speaks, for which visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The sender's certificate from HQ; its key is the key of the link.
    pub certificate: ByteBuf,
    /// The digits that the listener's screen shows; empty from the listener.
    pub code: String,
    /// The visit; the connecting device may leave it to the listener's screen.
    pub inspection: Option<InspectionId>,
}

/// What is held of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Have {
    /// End of the contiguous part from which to go on.
    pub head: Option<ChainHead>,
    /// Files not held although held records cite them.
    pub wanted: Vec<Hash>,
}

/// Why a partner copy was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The digits are not the ones on the screen.
    WrongCode,
    /// The certificate is not by the same HQ, or not of the key of the link.
    UnknownDevice,
    /// The other device is of another authority: its other visits are not ours to carry.
    OtherAuthority,
    /// The two devices work on different visits.
    OtherVisit,
    /// A message broke the protocol or a limit.
    Malformed,
    /// A record is not signed by the other device.
    BadRecord,
    /// The receiver could not keep it.
    NotKept,
}
