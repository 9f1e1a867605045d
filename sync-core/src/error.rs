//! What can go wrong in the store and on the way to HQ, and the one question a screen asks.

use std::path::PathBuf;

use sync_model::cose::CoseError;
use sync_model::hash::Hash;
use sync_model::record::RecordError;
use sync_model::wire::problem::Problem;
use thiserror::Error;

use crate::store::ChainStop;

/// What an error means for the officer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No network, HQ busy: work goes on, it is tried again.
    Waiting,
    /// The officer can put it right; nothing was written.
    Fixable,
    /// HQ looked and said no: the item is parked, others go on.
    Refused,
    /// Stored bytes are not what they were: stop, call HQ; nothing is deleted.
    Damaged,
    /// Cannot happen.
    Defect,
}

/// Why the store could not do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// SQLite.
    #[error("store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Files.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// No room; nothing was written.
    #[error("disk is full while {doing}")]
    DiskFull {
        /// What was being done.
        doing: &'static str,
    },
    /// The database is of a later program.
    #[error("database has version {found}, this program knows up to {known}")]
    Newer {
        /// Its version.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// The database does not pass its check; a copy was set aside, nothing was deleted.
    #[error("database is damaged: {finding}; copy in {quarantine:?}")]
    Corrupt {
        /// What SQLite reported.
        finding: String,
        /// Where the copy lies, if one could be made.
        quarantine: Option<PathBuf>,
    },
    /// Another process works on this folder.
    #[error("another process uses {0:?}")]
    InUse(PathBuf),
    /// Stored bytes do not match the hash they were stored under.
    #[error("stored bytes of {what} do not match their hash")]
    HashMismatch {
        /// Which.
        what: String,
    },
    /// A stored value cannot be read back.
    #[error("stored value of {0} cannot be read")]
    BadStored(&'static str),
    /// A file that a record cites is not there.
    #[error("file {0} is missing")]
    MissingBlob(Hash),
    /// The chain of this device ended; no record can follow any more.
    #[error("chain ended at {}: {:?}", .0.seq, .0.kind)]
    ChainStopped(ChainStop),
    /// The device is not enrolled.
    #[error("device is not enrolled")]
    NotEnrolled,
    /// The data is encrypted and no officer has unlocked it since the device was switched on.
    #[error("data is locked: nobody has unlocked it since the device was switched on")]
    Locked,
    /// A key slot states that a PIN is cheaper to try than this program ever makes it.
    #[error("key slot is easier to try than allowed")]
    EasierSlot,
    /// A record cannot be made or read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A signed object cannot be made or read.
    #[error(transparent)]
    Cose(#[from] CoseError),
}

impl StoreError {
    /// Wraps a file error with what was being done.
    pub fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| {
            if crate::disk::is_full(&source) {
                Self::DiskFull { doing }
            } else {
                Self::Io { doing, source }
            }
        }
    }

    /// Returns what this means for the officer.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::DiskFull { .. }
            | Self::InUse(_)
            | Self::NotEnrolled
            | Self::ChainStopped(_)
            | Self::Locked => Outcome::Fixable,
            Self::Sqlite(error) if is_full(error) => Outcome::Fixable,
            Self::Newer { .. }
            | Self::Corrupt { .. }
            | Self::HashMismatch { .. }
            | Self::BadStored(_)
            | Self::EasierSlot
            | Self::MissingBlob(_) => Outcome::Damaged,
            Self::Sqlite(_) | Self::Io { .. } | Self::Record(_) | Self::Cose(_) => Outcome::Defect,
        }
    }
}

/// Says whether SQLite ran out of room.
#[must_use]
pub fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}

/// Why a sync round stopped. Everything receipted so far stays receipted.
#[derive(Debug, Error)]
pub enum SyncError {
    /// HQ cannot be reached or did not answer in full.
    #[error("hq cannot be reached: {0}")]
    Unreachable(String),
    /// Whoever answered could not show that it is HQ; nothing was sent.
    #[error("hq's certificate does not verify: {0}")]
    Untrusted(String),
    /// HQ answered something that is not of this protocol.
    #[error("hq answered garbage: {0}")]
    Garbage(String),
    /// HQ answered a problem.
    #[error("hq says {0}")]
    Problem(Problem),
    /// HQ's proof does not hold: never shown as receipted.
    #[error("hq's proof does not hold: {0}")]
    BadProof(&'static str),
    /// The chain of this device ended: records are kept here and not sent, files and feed go on.
    #[error("chain ended at {}: {:?}", .0.seq, .0.kind)]
    Stopped(ChainStop),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SyncError {
    /// Returns what this means for the officer.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Unreachable(_) | Self::Untrusted(_) | Self::Garbage(_) => Outcome::Waiting,
            Self::Problem(problem) if problem.is_transient() => Outcome::Waiting,
            Self::Problem(_) | Self::Stopped(_) => Outcome::Refused,
            Self::BadProof(_) => Outcome::Damaged,
            Self::Store(error) => error.outcome(),
        }
    }

    /// Returns HQ's wish for the next try, in milliseconds, if it said one.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Problem(problem) if problem.is_transient() => {
                problem.retry_after_s.map(|seconds| u64::from(seconds).saturating_mul(1000))
            }
            _ => None,
        }
    }
}
