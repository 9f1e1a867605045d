//! What a feature answers when it cannot do what the officer wanted.
//!
//! Variants are facts; the Chinese sentence for each stands in `text.rs`.

use sync_core::{Outcome, StoreError, SyncError};
use sync_model::cose::CoseError;
use sync_model::rule::Finding;
use thiserror::Error;

use crate::evidence::photo::PhotoError;

/// Why a feature did nothing.
#[derive(Debug, Error)]
pub enum AppError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The way to HQ.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The link to a partner's device.
    #[error(transparent)]
    Copy(#[from] sync_core::partner::CopyError),
    /// Not exactly one partner calls on the local network.
    #[error("{calling} partners are calling")]
    NoPartner {
        /// How many.
        calling: usize,
    },
    /// The law forbids it as the facts stand.
    #[error("blocked by {}", codes(.0))]
    Blocked(Vec<Finding>),
    /// It may go on, with a typed reason for these.
    #[error("needs a reason for {}", codes(.0))]
    NeedsReason(Vec<Finding>),
    /// The file is no photograph.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The camera or another device part.
    #[error("camera: {0}")]
    Camera(String),
    /// The PIN does not open the officer's key.
    #[error("wrong pin, {failures} in a row")]
    WrongPin {
        /// How many in a row.
        failures: u32,
        /// How long to wait before the next try.
        wait_ms: u64,
    },
    /// Too many wrong PINs; not tried at all.
    #[error("pin locked for {wait_ms} ms")]
    PinLocked {
        /// How long to wait; `u64::MAX` until HQ helps.
        wait_ms: u64,
    },
    /// The new PIN is too easy.
    #[error("pin too weak")]
    WeakPin,
    /// The officer has no key on this device yet.
    #[error("officer not activated on this device")]
    NotActivated,
    /// Nobody has begun a shift.
    #[error("no shift")]
    NoShift,
    /// HQ has sent no rulebook yet.
    #[error("no rulebook")]
    NoRulebook,
    /// No number block is left for this authority and year.
    #[error("no document number left for {authority} in {year}")]
    NoNumbers {
        /// Which authority.
        authority: String,
        /// Which year.
        year: i32,
    },
    /// The named thing is not on this device.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// Not in this order: what must come first.
    #[error("out of order: {0:?} comes first")]
    Order(Step),
    /// What was typed cannot be taken.
    #[error("input: {0:?}")]
    Input(Input),
    /// The page changed since it was shown.
    #[error("page changed since it was shown")]
    PageChanged,
    /// A signed object cannot be made.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// An exported bundle does not verify.
    #[error(transparent)]
    Bundle(#[from] sync_core::bundle::BundleError),
    /// The embedded practice HQ.
    #[error("practice hq: {0}")]
    Practice(String),
    /// A file outside the store.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What must come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// 亮证.
    Display,
    /// 告知.
    Notice,
    /// 生成页面.
    Prepare,
    /// 核对或宣读.
    ReadBack,
    /// 签名或拒签.
    Signatures,
    /// 处罚前告知.
    PriorNotice,
    /// 陈述申辩.
    Defense,
    /// 出具决定.
    Decision,
    /// The visit is over.
    Concluded,
    /// The document is finished and never changes again.
    Locked,
}

/// What is wrong with what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Too few points to be a signature.
    SignatureTooShort,
    /// The strokes were made on another page.
    SignatureElsewhere,
    /// A needed field is empty.
    Empty(&'static str),
    /// An amount that is no amount.
    Amount,
    /// A name that is no name: 1 to 60 characters, no control characters.
    Name,
    /// Credentials must stand on the screen long enough to be read.
    ShownTooShort,
    /// The two officers are one and the same.
    SameOfficer,
    /// A partner's code is six digits.
    CopyCode,
    /// No network address.
    Address,
}

fn codes(findings: &[Finding]) -> String {
    findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>().join(" ")
}

impl AppError {
    /// Wraps a file error with what was being done.
    pub fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }

    /// Returns what this means for the officer.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Store(error) => error.outcome(),
            Self::Sync(error) => error.outcome(),
            Self::Cose(_) => Outcome::Defect,
            _ => Outcome::Fixable,
        }
    }
}

/// Sorts findings into go, go with a reason, or stop.
///
/// Returns what goes on record: warnings with the given reason.
///
/// # Errors
/// [`AppError::Blocked`], or [`AppError::NeedsReason`] while `reason` is empty.
pub fn judge(
    findings: Vec<Finding>,
    reason: &str,
) -> Result<Vec<sync_model::record::inspection::Override>, AppError> {
    use sync_model::record::inspection::Override;
    use sync_model::rule::{Weight, blocks, warns};
    if blocks(&findings) {
        return Err(AppError::Blocked(findings));
    }
    if warns(&findings) && reason.trim().is_empty() {
        return Err(AppError::NeedsReason(findings));
    }
    Ok(findings
        .into_iter()
        .filter(|finding| finding.weight == Weight::Warn)
        .map(|finding| Override { finding, reason: reason.trim().to_owned() })
        .collect())
}
