//! What anybody may know of the log: its signed state, and that it only grew.

use sync_model::hash::Hash;
use sync_model::log::proof;
use sync_model::wire::problem::ProblemCode;

use crate::error::{HqError, refuse};
use crate::hq::Hq;
use crate::store::LogNodes;

impl Hq {
    /// Returns the signed checkpoint.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn log_checkpoint(&self) -> Result<String, HqError> {
        self.0.store.read(|tx| Ok(self.0.checkpoint(&LogNodes::open(tx)?)?))
    }

    /// Returns the proof that the first `from` leaves are a prefix of the first `to`; of all leaves
    /// if `to` is not given.
    ///
    /// # Errors
    /// [`ProblemCode::Malformed`] if the log has fewer leaves.
    pub fn log_consistency(&self, from: u64, to: Option<u64>) -> Result<Vec<Hash>, HqError> {
        self.0.store.read(|tx| {
            let log = LogNodes::open(tx)?;
            let to = to.unwrap_or(log.size());
            if from > to || to > log.size() {
                return Err(refuse(ProblemCode::Malformed, "the log is not that long"));
            }
            Ok(proof::consistency(&log, from, to)?)
        })
    }
}
