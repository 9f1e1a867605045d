//! HQ's transparency log: the RFC 6962 tree, its proofs, and the signed checkpoint.

pub mod note;
pub mod proof;
pub mod tile;
pub mod tree;
pub mod witness;

use crate::hash::Hash;
use crate::id::DeviceId;

/// Returns the log entry of a record: `0x01 ‖ record hash ‖ device tag ‖ seq`.
///
/// Anybody with the entries can see that each device's seq runs without a gap, and nothing else.
#[must_use]
pub fn entry(record: &Hash, device: DeviceId, seq: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(49);
    bytes.push(0x01);
    bytes.extend_from_slice(&record.0);
    bytes.extend_from_slice(&device_tag(device));
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes
}

/// Returns the leaf hash of a record's entry.
#[must_use]
pub fn leaf(record: &Hash, device: DeviceId, seq: u64) -> Hash {
    tree::leaf_hash(&entry(record, device, seq))
}

/// Returns the public pseudonym of a device in the log.
fn device_tag(device: DeviceId) -> [u8; 8] {
    let mut tag = [0; 8];
    let digest = Hash::of_parts(&[b"xunzheng/device-tag", device.as_bytes()]);
    tag.copy_from_slice(digest.0.split_at(8).0);
    tag
}
