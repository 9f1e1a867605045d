//! Answers about slips: where a promised record stands in the log, and that the log grew from the
//! state the slip carries. Whoever asks gives a hash, which tells nothing to who does not hold it.
//!
//! HQ's word is not enough anywhere here: each answer comes with a signed checkpoint and proofs, and
//! where HQ cannot give them, that is the finding.

use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::log::proof;
use sync_model::log::tree;
use sync_model::slip::{Opened, SLIP_DUE_MS, Slip, SlipError};
use sync_model::time::Timestamp;

use crate::error::HqError;
use crate::hq::Hq;
use crate::store::LogNodes;

/// Where a record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index in the log.
    pub index: u64,
    /// When HQ took it.
    pub since: Timestamp,
    /// Proof that it stands under the checkpoint's root.
    pub inclusion: Vec<Hash>,
}

/// What HQ knows of a hash, under one signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The time of the answer.
    pub at: Timestamp,
    /// The signed checkpoint.
    pub checkpoint: String,
    /// The record's place; `None` if it is not in the log.
    pub place: Option<Place>,
    /// Proof that the log grew from the asked size; `None` if it is not that long.
    pub growth: Option<Vec<Hash>>,
}

/// What a slip comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In the log.
    Logged(Place),
    /// Another record stands at its place in the device's chain.
    Replaced(Hash),
    /// Not in the log, and not due yet.
    Awaited,
    /// Not in the log although it is due.
    Missing,
}

/// What HQ says of a slip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlipReport {
    /// The slip.
    pub opened: Opened,
    /// Where its record stands.
    pub standing: Standing,
    /// Whether the log state on the slip is a state of this log.
    pub same_log: bool,
}

impl Hq {
    /// Looks a record up by its hash, with proofs from `seen` leaves on.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn look_up(&self, record: &Hash, seen: u64) -> Result<Lookup, HqError> {
        let at = self.now();
        self.0.store.read(|tx| {
            let log = LogNodes::open(tx)?;
            let size = log.size();
            let place = match tx.record_place(record)? {
                Some((index, since)) if index < size => {
                    Some(Place { index, since, inclusion: proof::inclusion(&log, index, size)? })
                }
                _ => None,
            };
            let growth =
                (seen <= size).then(|| proof::consistency(&log, seen, size)).transpose()?;
            Ok(Lookup { at, checkpoint: self.0.checkpoint(&log)?, place, growth })
        })
    }

    /// Opens a slip and says what became of its promise.
    ///
    /// # Errors
    /// [`SlipError`] inside if the text is no slip of a device of this HQ; else if the store cannot be
    /// read.
    pub fn slip(&self, text: &str) -> Result<Result<SlipReport, SlipError>, HqError> {
        let opened = match Slip::open(text, &self.trust().issuer_key) {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(error)),
        };
        let slip = &opened.slip;
        let found = self.look_up(&slip.record, 0)?;
        let other = self.record_at(opened.device.device, slip.seq)?;
        let standing = match (found.place, other) {
            (Some(place), _) => Standing::Logged(place),
            (None, Some(other)) => Standing::Replaced(other),
            (None, None) if found.at.since_ms(slip.at) <= SLIP_DUE_MS => Standing::Awaited,
            (None, None) => Standing::Missing,
        };
        let same_log = match slip.seen {
            Some(seen) => self.root_at(seen.size)? == Some(seen.root),
            None => true,
        };
        Ok(Ok(SlipReport { opened, standing, same_log }))
    }

    fn record_at(&self, device: DeviceId, seq: u64) -> Result<Option<Hash>, HqError> {
        self.0
            .store
            .read(|tx| Ok(tx.records_at(device, seq, seq)?.first().map(|(_, stored)| stored.hash)))
    }

    /// Returns the root over the first `size` leaves; `None` if there are not so many.
    fn root_at(&self, size: u64) -> Result<Option<Hash>, HqError> {
        self.0.store.read(|tx| {
            let log = LogNodes::open(tx)?;
            Ok((size <= log.size()).then(|| tree::root(&log, size)).transpose()?)
        })
    }
}
