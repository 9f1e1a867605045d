//! The case bundle (案卷导出): one visit as a folder of plain files that proves itself.
//!
//! ```text
//! manifest.cose            every other file by name, length and SHA-256; signed by the device
//! trust.cbor               HQ's public keys, for comparison with the published ones
//! device.cose              the device certificate
//! credentials/NAME.cose    the officers' credentials
//! rulebook.cbor            the rulebook in force
//! records/000012.cose      the visit's records as signed, and the shift's
//! receipts/000012.cbor     HQ's receipt: checkpoint, index, inclusion proof
//! blobs/HEX                every file that the records cite
//! README.txt               how to check it, in Chinese
//! ```
//!
//! [`verify`] needs nothing but these bytes. Which HQ they come from is decided by comparing the
//! printed fingerprint of the issuing key with the one the authority publishes.

mod export;
mod verify;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use sync_model::hash::Hash;
use sync_model::id::{DeviceId, InspectionId};
use sync_model::time::Timestamp;

pub use export::export;
pub use verify::{BundleError, Verified, verify};

/// Version of the bundle's layout.
const BUNDLE_VERSION: u16 = 1;
const MANIFEST: &str = "manifest.cose";
const TRUST: &str = "trust.cbor";
const DEVICE: &str = "device.cose";
const RULEBOOK: &str = "rulebook.cbor";
const README: &str = "README.txt";
/// Largest manifest, in bytes.
const MANIFEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileEntry {
    /// Path within the bundle.
    path: String,
    /// What it is, so that a damaged file can be named.
    label: String,
    sha256: Hash,
    bytes: u64,
}

/// What the device signs over the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    version: u16,
    device: DeviceId,
    inspection: InspectionId,
    exported_at: Timestamp,
    files: Vec<FileEntry>,
}

/// A record's receipt as filed in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FiledReceipt {
    checkpoint: String,
    log_index: u64,
    proof: Vec<Hash>,
    received_at: Timestamp,
}
