//! The law as pure functions: facts in, findings out; the same on the device and at HQ.
//!
//! A finding is the only way a rule speaks. Rules never read a clock and never guess a fact:
//! what the caller does not know it says as `None` or `Unknown`.

pub mod credential;
pub mod deadline;
pub mod discretion;
pub mod frequency;
pub mod inspection;
pub mod on_spot;
pub mod transcript;

use serde::{Deserialize, Serialize};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Must be captured; nothing is asked of the officer.
    Record,
    /// Goes on after a typed reason.
    Warn,
    /// The act is impossible.
    Block,
}

/// What a rule has to say about some facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule of the domain reference, e.g. `R-30`.
    pub code: String,
    /// What follows from it.
    pub weight: Weight,
    /// The article it rests on, e.g. `《行政处罚法》第四十二条`.
    pub basis: String,
    /// One Chinese sentence: what is wrong and what to do.
    pub message: String,
}

impl Finding {
    /// Returns a finding that makes the act impossible.
    #[must_use]
    pub fn block(code: &str, basis: &str, message: impl Into<String>) -> Self {
        Self::of(Weight::Block, code, basis, message.into())
    }

    /// Returns a finding that asks for a typed reason.
    #[must_use]
    pub fn warn(code: &str, basis: &str, message: impl Into<String>) -> Self {
        Self::of(Weight::Warn, code, basis, message.into())
    }

    /// Returns a finding that only goes on record.
    #[must_use]
    pub fn record(code: &str, basis: &str, message: impl Into<String>) -> Self {
        Self::of(Weight::Record, code, basis, message.into())
    }

    fn of(weight: Weight, code: &str, basis: &str, message: String) -> Self {
        Self { code: code.to_owned(), weight, basis: basis.to_owned(), message }
    }
}

/// Returns whether any finding makes the act impossible.
#[must_use]
pub fn blocks(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.weight == Weight::Block)
}

/// Returns whether any finding asks for a typed reason.
#[must_use]
pub fn warns(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.weight == Weight::Warn)
}
