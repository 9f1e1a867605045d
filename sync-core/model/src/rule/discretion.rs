//! Discretion: which benchmark and which tier, and does the penalty lie in it.

use serde::{Deserialize, Serialize};

/// The tier a decision rests on, printed in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierChoice {
    /// Benchmark.
    pub benchmark_id: String,
    /// Its edition.
    pub version: u32,
    /// The tier's order.
    pub tier_order: u32,
    /// The circumstances that led there, in words.
    pub circumstances: Vec<String>,
}
