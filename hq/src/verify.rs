//! Checks HQ's store against itself, from the bytes up: every signature, chain, tree node, file.
//!
//! Reads one snapshot and holds a few hundred records at a time and the head of every device, so it
//! can run beside a server; it is a command, and no request makes it. It names
//! the first thing that is wrong. What it cannot see is a tail that was cut off together with its
//! nodes: for that, devices and witnesses keep checkpoints.

use std::collections::HashMap;

use sync_model::chain::Head;
use sync_model::cose::Signer as _;
use sync_model::credential::open_device_certificate;
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::log;
use sync_model::log::tree::{self, Nodes};
use sync_model::record::Record;
use thiserror::Error;

use crate::blob;
use crate::error::HqError;
use crate::hq::{Hq, Inner};
use crate::store::{Device, LogNodes, StoreError, Tx, VerifyRow};

/// Records read at once.
const RECORDS_AT_ONCE: u64 = 500;
/// Names of files read at once.
const BLOBS_AT_ONCE: u64 = 1000;

/// What was checked and found whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// Records.
    pub records: u64,
    /// Devices whose chains they form.
    pub devices: u64,
    /// Whole files.
    pub blobs: u64,
    /// Root over all records.
    pub root: Hash,
}

/// The first thing that is wrong.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// A record.
    #[error("record at log index {log_index} (device {device}, seq {seq}): {what}")]
    Record {
        /// Place in the log.
        log_index: u64,
        /// Its device.
        device: DeviceId,
        /// Place in the device's chain.
        seq: u64,
        /// What is wrong.
        what: String,
    },
    /// The certificate of a device.
    #[error("certificate of device {0} does not verify")]
    Certificate(DeviceId),
    /// A stored node of the tree.
    #[error("log node level {level} index {index}: {what}")]
    Node {
        /// Level above the leaves.
        level: u32,
        /// Place in the level.
        index: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The tree has other nodes than its records make.
    #[error("log has {found} nodes, its records make {expected}")]
    NodeCount {
        /// In the store.
        found: u64,
        /// From the records.
        expected: u64,
    },
    /// A file.
    #[error("file {sha256}: {what}")]
    Blob {
        /// Its name.
        sha256: Hash,
        /// What is wrong.
        what: String,
    },
    /// It could not be checked.
    #[error(transparent)]
    Hq(#[from] HqError),
}

impl From<StoreError> for VerifyError {
    fn from(error: StoreError) -> Self {
        Self::Hq(error.into())
    }
}

struct Verifier<'v, 'c> {
    tx: &'v Tx<'c>,
    devices: HashMap<DeviceId, (Device, Head)>,
    seen: HashMap<DeviceId, u64>,
    size: u64,
    nodes: u64,
}

impl Hq {
    /// Checks everything.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify_log(&self) -> Result<VerifyReport, VerifyError> {
        self.0.store.read(|tx| self.0.verify(tx))
    }
}

impl Inner {
    fn verify(&self, tx: &Tx<'_>) -> Result<VerifyReport, VerifyError> {
        let issuer = self.keys.issuer.public();
        let mut devices = HashMap::new();
        for device in tx.devices()? {
            let certificate = open_device_certificate(&device.certificate, &issuer).ok();
            if !certificate.is_some_and(|c| c.device == device.device && c.key == device.key) {
                return Err(VerifyError::Certificate(device.device));
            }
            let head = Head::genesis(&device.certificate);
            devices.insert(device.device, (device, head));
        }
        let mut verifier = Verifier { tx, devices, seen: HashMap::new(), size: 0, nodes: 0 };
        loop {
            let page = tx.records_from(verifier.size, RECORDS_AT_ONCE)?;
            if page.is_empty() {
                break;
            }
            page.iter().try_for_each(|row| verifier.record(row))?;
        }
        let found = tx.log_node_count()?;
        if found != verifier.nodes {
            return Err(VerifyError::NodeCount { found, expected: verifier.nodes });
        }
        let (mut blobs, mut last) = (0_u64, None);
        loop {
            let page = tx.complete_blobs(last.as_ref(), BLOBS_AT_ONCE)?;
            let Some((end, _)) = page.last() else { break };
            last = Some(*end);
            for (sha256, length) in &page {
                self.verify_blob(sha256, *length)?;
                blobs = blobs.saturating_add(1);
            }
        }
        Ok(VerifyReport {
            records: verifier.size,
            devices: u64::try_from(verifier.seen.len()).unwrap_or(u64::MAX),
            blobs,
            root: LogNodes::open(tx)?.root()?,
        })
    }

    fn verify_blob(&self, sha256: &Hash, length: u64) -> Result<(), VerifyError> {
        let what = match self.objects.hash(&blob::whole(sha256)) {
            Ok(Some((found, _))) if found != *sha256 => format!("content hashes to {found}"),
            Ok(Some((_, found))) if found != length => {
                format!("has {found} bytes, noted {length}")
            }
            Ok(Some(_)) => return Ok(()),
            Ok(None) => "missing".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(VerifyError::Blob { sha256: *sha256, what })
    }
}

impl Verifier<'_, '_> {
    fn record(&mut self, row: &VerifyRow) -> Result<(), VerifyError> {
        self.content(row).map_err(|what| VerifyError::Record {
            log_index: row.log_index,
            device: row.device,
            seq: row.seq,
            what,
        })?;
        let leaf = log::leaf(&row.hash, row.device, row.seq);
        for (level, index, hash) in tree::append(self, self.size, leaf)? {
            let what = match self.tx.log_node(level, index)? {
                Some(stored) if stored == hash => None,
                Some(_) => Some("stored hash is not the one its leaves make"),
                None => Some("missing"),
            };
            if let Some(what) = what {
                return Err(VerifyError::Node { level, index, what });
            }
            self.nodes = self.nodes.saturating_add(1);
        }
        self.size = self.size.saturating_add(1);
        Ok(())
    }

    /// Says what is wrong with the row itself or its place in its chain.
    fn content(&mut self, row: &VerifyRow) -> Result<(), String> {
        if row.log_index != self.size {
            return Err(format!("log index {} is missing", self.size));
        }
        if Hash::of(&row.bytes) != row.hash {
            return Err("bytes do not match their hash".to_owned());
        }
        let (device, head) =
            self.devices.get_mut(&row.device).ok_or_else(|| "device is not enrolled".to_owned())?;
        if device.revoked_size.is_some_and(|size| row.log_index >= size) {
            return Err("it was taken after its device was revoked".to_owned());
        }
        let record = Record::open(&row.bytes, &device.key).map_err(|error| error.to_string())?;
        let envelope = &record.envelope;
        // Not every database keeps a NUL in a text.
        let kind = |kind: &str| kind.replace('\0', "\u{2400}");
        if (envelope.device, envelope.seq) != (row.device, row.seq)
            || kind(&envelope.act.kind) != kind(&row.kind)
        {
            return Err("columns do not match the signed bytes".to_owned());
        }
        *head = head.follow(envelope, record.hash).map_err(|error| error.to_string())?;
        *self.seen.entry(row.device).or_default() += 1;
        Ok(())
    }
}

impl Nodes for Verifier<'_, '_> {
    type Error = VerifyError;

    /// Returns a stored node. It was compared with what its leaves make when they were read.
    fn node(&self, level: u32, index: u64) -> Result<Hash, VerifyError> {
        self.tx.log_node(level, index)?.ok_or(VerifyError::Node { level, index, what: "missing" })
    }
}
