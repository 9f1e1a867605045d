//! What HQ holds, for people and for tests: counts, devices, single records and their results.

use sync_model::canonical;
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::rule::Finding;

use crate::error::HqError;
use crate::hq::Hq;
use crate::store::Table;

/// How much HQ holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Enrolled devices.
    pub devices: u64,
    /// Officers.
    pub officers: u64,
    /// Records in custody.
    pub records: u64,
    /// Records that contradict a chain.
    pub forks: u64,
    /// Pieces that nobody can attribute.
    pub quarantined: u64,
    /// Whole files.
    pub blobs: u64,
    /// Cited files that are not whole.
    pub blobs_wanted: u64,
    /// Feed items.
    pub feed_items: u64,
    /// Records that were judged.
    pub judged: u64,
}

impl Hq {
    /// Returns the enrolled devices: id, name and authority.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn devices(&self) -> Result<Vec<(DeviceId, String, String)>, HqError> {
        let devices = self.0.store.read::<_, HqError>(|tx| Ok(tx.devices()?))?;
        Ok(devices
            .into_iter()
            .map(|device| (device.device, device.name, device.authority))
            .collect())
    }

    /// Returns the bytes of a record in custody.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn record(&self, hash: &Hash) -> Result<Option<Vec<u8>>, HqError> {
        self.0.store.read(|tx| Ok(tx.record_bytes(hash)?))
    }

    /// Returns whether HQ accepts the record and what it found; `None` if nothing was to be said.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn acceptance(&self, record: &Hash) -> Result<Option<(bool, Vec<Finding>)>, HqError> {
        let stored = self.0.store.read::<_, HqError>(|tx| Ok(tx.acceptance(record)?))?;
        stored
            .map(|(accepted, bytes)| Ok((accepted, canonical::from_bytes(&bytes, bytes.len())?)))
            .transpose()
    }

    /// Returns how much HQ holds.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn counts(&self) -> Result<Counts, HqError> {
        self.0.store.read(|tx| {
            Ok(Counts {
                devices: tx.count(Table::Device)?,
                officers: tx.count(Table::Officer)?,
                records: tx.count(Table::Record)?,
                forks: tx.count(Table::Fork)?,
                quarantined: tx.count(Table::Quarantine)?,
                blobs: tx.count(Table::Blob)?,
                blobs_wanted: tx.count(Table::BlobWanted)?,
                feed_items: tx.count(Table::Feed)?,
                judged: tx.count(Table::Acceptance)?,
            })
        })
    }
}
