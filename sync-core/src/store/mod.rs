//! The local store: one SQLite file, one write path, blobs beside it.
//!
//! Promises: an act that [`Store::act`] returned survives any crash; projections, outbox and chain
//! never disagree, since they commit together; all of it is encrypted under the data key (`vault`).

mod act;
mod assignment;
mod case;
mod chain;
mod device;
mod document;
mod draft;
mod evidence;
mod feed;
mod inspection;
mod journal;
mod line;
mod migrate;
mod officer;
mod open;
mod outbox;
mod partner;
mod plain;
mod project;
mod retention;
mod shift;
mod slots;
mod sql;
mod status;
mod traffic;
mod transcript;
mod trusted_time;

#[cfg(test)]
pub(crate) mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sync_model::cose::SoftwareKey;

use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::disk::Disk;
use crate::error::StoreError;
use crate::vault::{DataKey, Vault};

use line::Line;

pub use act::Scope;
pub use assignment::{AssignmentRow, AssignmentState};
pub use case::{CaseRow, CaseState};
pub use chain::{ChainStop, StopKind};
pub use device::Enrollment;
pub use document::{DocumentRow, DocumentState, LeaseRow, ReservedNumber};
pub use draft::DraftRow;
pub use evidence::EvidenceRow;
pub use feed::FeedBatch;
pub use inspection::InspectionRow;
pub use journal::JournalRow;
pub use officer::OfficerRow;
pub use open::QUARANTINE_FOLDER;
pub use outbox::{BlobCounts, Level, OutboxCounts, ParkedRow, PendingBlob, ReceiptRow};
pub use partner::{PartnerFile, PartnerRow};
pub use retention::RemovedRow;
pub use shift::ShiftRow;
pub use sql::Reader;
pub use transcript::{SignatureRow, TranscriptRow, TranscriptState};
pub use trusted_time::TrustedTime;

/// The handheld's memory.
pub struct Store {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    disk: Arc<dyn Disk>,
    device_key: SoftwareKey,
    writer: Mutex<Line>,
    reader: Mutex<Line>,
    blobs: Blobs,
    vault: Mutex<Vault>,
    data_key: DataKey,
    // What enrolment gave, by its stored bytes: every act names it, and opening it checks a signature.
    own: Mutex<Option<(Vec<u8>, Enrollment)>>,
    // Held as long as the store lives: two processes on one folder would fork the chain.
    _lock: open::FolderLock,
}

impl Store {
    /// Opens the store in `folder`, made at the first call.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if only a PIN opens the data, [`StoreError::InUse`],
    /// [`StoreError::Newer`], [`StoreError::Corrupt`] (a copy is set aside first; nothing is
    /// deleted), or what the system reports.
    pub fn open(
        folder: &Path,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, StoreError> {
        open::open(folder, clock, disk, None)
    }

    /// Opens the store in `folder` with the data key out of a slot.
    ///
    /// # Errors
    /// See [`Store::open`].
    pub fn open_with(
        folder: &Path,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
        key: DataKey,
    ) -> Result<Self, StoreError> {
        open::open(folder, clock, disk, Some(key))
    }

    /// Returns the key under which everything lies.
    #[must_use]
    pub fn data_key(&self) -> &DataKey {
        &self.data_key
    }

    /// Returns the slots of the data key.
    pub fn vault(&self) -> MutexGuard<'_, Vault> {
        // A change that panicked half-way has not touched the slots in memory.
        self.vault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the folder of this store.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the clock of this store.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Returns the evidence files.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Returns the device key, which signs records and requests.
    #[must_use]
    pub fn device_key(&self) -> &SoftwareKey {
        &self.device_key
    }

    /// Returns the bytes that may still be written before the reserve is touched.
    ///
    /// # Errors
    /// What the system reports.
    pub fn room_bytes(&self) -> Result<u64, StoreError> {
        let free =
            self.disk.free_bytes(&self.folder).map_err(StoreError::io("look up free space"))?;
        Ok(free.saturating_sub(crate::disk::RESERVE_BYTES))
    }

    /// Reads with `read`. Sees every committed act; never blocks a writer.
    ///
    /// # Errors
    /// What `read` returns.
    pub fn read<T, E>(&self, read: impl FnOnce(&Reader<'_>) -> Result<T, E>) -> Result<T, E> {
        let connection = lock(&self.reader);
        // One snapshot for all queries of `read`. If it cannot begin, the first query says why.
        let _snapshot = connection.unchecked_transaction().ok();
        read(&Reader::new(&connection))
    }
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    // A panic in a closure rolls its transaction back on drop; the connection stays usable.
    let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
    line.revive();
    line
}
