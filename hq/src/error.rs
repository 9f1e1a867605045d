//! One error for all of HQ: what happened, and which problem the device is told.
//!
//! Details of HQ's own failures go to HQ's log and never to a device.

use std::path::PathBuf;

use sync_model::canonical::CanonicalError;
use sync_model::cose::CoseError;
use sync_model::wire::problem::{Problem, ProblemCode};
use thiserror::Error;

pub use crate::store::StoreError;

/// Why HQ cannot do what was asked.
#[derive(Debug, Error)]
pub enum HqError {
    /// Another HQ runs on this folder.
    #[error("another HQ runs on {0}")]
    Locked(PathBuf),
    /// The folder holds no HQ yet.
    #[error("{0} holds no HQ: run `xunzheng-hq init` first")]
    NotInitialized(PathBuf),
    /// The folder holds an HQ already.
    #[error("{0} holds an HQ already")]
    AlreadyInitialized(PathBuf),
    /// The store holds the log of another HQ.
    #[error("the database holds the log of other keys than those in {0}: copy that HQ's keys here")]
    OtherLog(PathBuf),
    /// A secret key can be read by others.
    #[error("key file {0} is open to others: run chmod 600 and consider the key lost")]
    KeyOpenToOthers(PathBuf),
    /// Others can get into the folder of the keys.
    #[error("key folder {0} is open to others: run chmod 700 and look whether its keys are yours")]
    KeyFolderOpen(PathBuf),
    /// A key file is missing or is not a key.
    #[error("key file {0} is damaged")]
    KeyDamaged(PathBuf),
    /// The system gives no random numbers.
    #[error("no random numbers from the system")]
    Random,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// Something could not be signed or opened.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// A value of HQ's own has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// What an administrator asked for cannot be done.
    #[error("{0}")]
    Admin(AdminError),
    /// What a device asked for cannot be done; it is told so.
    #[error(transparent)]
    Problem(#[from] Problem),
}

/// What an administrator asked for and why it cannot be done.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AdminError {
    /// No such officer.
    #[error("no such officer: {0}")]
    NoSuchOfficer(String),
    /// No such account.
    #[error("no such account: {0}")]
    NoSuchAccount(String),
    /// No such device.
    #[error("no such device: {0}")]
    NoSuchDevice(String),
    /// No such authority in the newest rulebook.
    #[error("no authority {0:?} in the newest rulebook: run `import-rulebook` first")]
    NoSuchAuthority(String),
    /// The certificate number belongs to another officer.
    #[error("certificate number {0:?} belongs to another officer")]
    CertificateTaken(String),
    /// The rulebook is not newer than the newest one.
    #[error("rulebook version {offered} is not newer than {newest}")]
    RulebookNotNewer {
        /// Version offered.
        offered: u32,
        /// Newest version here.
        newest: u32,
    },
    /// The rulebook contradicts itself.
    #[error("rulebook has {count} problems, first: {first}")]
    RulebookProblems {
        /// How many.
        count: usize,
        /// The first.
        first: String,
    },
    /// A file is not what it should be.
    #[error("{what}: {why}")]
    Unreadable {
        /// Which file.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// A value is out of its range.
    #[error("{0}")]
    OutOfRange(&'static str),
}

impl From<AdminError> for HqError {
    fn from(error: AdminError) -> Self {
        Self::Admin(error)
    }
}

impl HqError {
    /// Returns a function that wraps a system error with what was being done.
    pub(crate) fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }

    /// Returns what the device is told.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match self {
            Self::Problem(problem) => problem.clone(),
            Self::Store(StoreError::Full) => Problem::new(ProblemCode::Full, "disk is full"),
            Self::Store(StoreError::Busy) => Problem::new(ProblemCode::Busy, "store is busy"),
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                Problem::new(ProblemCode::Full, "disk is full")
            }
            _ => Problem::new(ProblemCode::Internal, "see HQ's log"),
        }
    }
}

/// Returns a problem as an error.
pub(crate) fn refuse(code: ProblemCode, message: &str) -> HqError {
    HqError::Problem(Problem::new(code, message))
}
