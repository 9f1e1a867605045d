//! What the machine of a round is told, and what it says: plain values.

use sync_model::hash::Hash;
use sync_model::wire::policy::Allowance;

/// A file that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileWork {
    /// Its name.
    pub sha256: Hash,
    /// Its length.
    pub bytes: u64,
    /// The least that a network must carry for this file: [`Allowance::Previews`] or
    /// [`Allowance::All`].
    pub needs: Allowance,
    /// Belongs to a visit marked urgent: goes over any network.
    pub urgent: bool,
}

/// What waits, as the driver finds it before each decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// First record without a receipt that is not parked.
    pub first: Option<u64>,
    /// How far the feed has been put to use.
    pub feed_cursor: u64,
    /// Files in the order they should go.
    pub files: Vec<FileWork>,
    /// What the network may carry.
    pub allowance: Allowance,
    /// Bytes of files that may still go today; `None` where it does not matter.
    pub budget_bytes: Option<u64>,
}

/// Something to ask of HQ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Records, from here or from the first that waits; none if none wait.
    Push {
        /// Where HQ wants to go on, if it lost what it had receipted.
        from: Option<u64>,
        /// At most so many.
        records_max: usize,
    },
    /// What is new in the feed.
    Pull,
    /// Where HQ stands with these files.
    Need(Vec<Hash>),
    /// A piece of a file.
    Chunk {
        /// The file.
        file: Hash,
        /// Where the piece starts.
        offset: u64,
        /// Its length.
        bytes: u64,
        /// Length of the file.
        whole: u64,
    },
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The round begins.
    Begun,
    /// The driver looked at what waits.
    Looked(Work),
    /// A request was answered and what came of it is stored.
    Answered(u64, Answer),
    /// The officer or another program wants the round to end.
    Stopped,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A verified receipt is kept.
    Receipt {
        /// Records newly receipted.
        gained: u64,
        /// Last record sent.
        last: Option<u64>,
        /// Newest feed index at HQ.
        feed_head: u64,
    },
    /// The feed is put to use.
    Pulled,
    /// Where HQ stands with the files that are not whole there.
    States(Vec<(Hash, u64)>),
    /// HQ stands here with the file.
    Chunk {
        /// Durable bytes.
        offset: u64,
        /// Whole and verified.
        complete: bool,
    },
    /// It did not work.
    Failed(Failure),
}

/// Why a request did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The line broke or nothing came in time.
    Cut,
    /// HQ cannot just now; perhaps it said for how long.
    Later(Option<u64>),
    /// More at once than HQ takes.
    TooLarge,
    /// HQ wants records from here on, and they may be sent.
    Gap(u64),
    /// HQ stands elsewhere with this file.
    Offset(u64),
    /// The piece or file arrived damaged; here it is whole.
    Damaged,
    /// What HQ will never take is parked; the rest goes on.
    Parked,
    /// This file did not work; others may.
    Item,
    /// Nothing more of this kind in this round.
    Plane,
    /// Nothing more at all in this round.
    Round,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Look at what waits and say so by [`Event::Looked`].
    Look,
    /// Send this; the answer names the number.
    Send(u64, Request),
    /// Park this file for what answer number so said.
    Park(Hash, u64),
    /// The round is over.
    End(End),
}

/// How a round ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The answer that says why not everything went; `None` if all that may go went.
    pub because: Option<u64>,
    /// HQ's own wish for the next try, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// Whether the round was stopped from here.
    pub stopped: bool,
}

impl Request {
    /// Returns the file that a piece belongs to.
    #[must_use]
    pub fn file(&self) -> Option<Hash> {
        match self {
            Self::Chunk { file, .. } => Some(*file),
            _ => None,
        }
    }
}
