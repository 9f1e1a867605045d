//! How long a device's certificate holds: a week after it last sent something, and ninety days more
//! for sending alone.
//!
//! A lost handheld that nobody reported stops being of use by itself: after a week it is told
//! nothing before it has sent, which takes its chain and its key; after the grace its records are
//! kept apart until somebody says that it is in the right hands. Nothing is lost in any of it. HQ's
//! clock decides; the certificate that names the device's key, and begins its chain, never changes.

use sync_model::id::DeviceId;
use sync_model::time::Timestamp;
use sync_model::wire::problem::{Problem, ProblemCode};

use crate::error::{AdminError, HqError};
use crate::hq::{Hq, Inner};
use crate::store::{Device, Tx};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// How long a device is certified after it sent something.
const LIFE_MS: i64 = 7 * DAY_MS;
/// How much longer it may send, which renews the certificate.
const GRACE_MS: i64 = 90 * DAY_MS;
/// Age from which sending renews the certificate; not with every push, which would be a write more.
const RENEW_AFTER_MS: i64 = 6 * 3600 * 1000;
/// When to come back from the grace: after the push that the round begins with.
const RETRY_AFTER_S: u32 = 5;

/// What a device may do by the age of its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Everything.
    Certified,
    /// Send, which makes it certified again.
    Grace,
    /// Nothing, until somebody lets it.
    Lapsed,
}

impl Device {
    /// Returns what the device may do at `now`.
    pub(crate) fn standing(&self, now: Timestamp) -> Standing {
        // A device of an earlier HQ is counted from its next contact on.
        let Some(certified_at) = self.certified_at else { return Standing::Certified };
        match now.since_ms(certified_at) {
            ..=LIFE_MS => Standing::Certified,
            age if age <= LIFE_MS + GRACE_MS => Standing::Grace,
            _ => Standing::Lapsed,
        }
    }

    /// Refuses a device that must send before it is told anything.
    ///
    /// # Errors
    /// [`ProblemCode::Busy`] in the grace: it passes with the push that a round begins with, also
    /// for devices that know no certificates that end. [`ProblemCode::Revoked`] after it.
    pub(crate) fn may_be_told(&self, now: Timestamp) -> Result<(), HqError> {
        match self.standing(now) {
            Standing::Certified => Ok(()),
            Standing::Grace => {
                let mut problem = Problem::new(ProblemCode::Busy, "certificate ended: push first");
                problem.retry_after_s = Some(RETRY_AFTER_S);
                Err(problem.into())
            }
            Standing::Lapsed => {
                Err(Problem::new(ProblemCode::Revoked, "certificate ended long ago").into())
            }
        }
    }
}

impl Inner {
    /// Renews the certificate of a device that just sent something.
    pub(crate) fn recertify(tx: &Tx<'_>, device: &Device, now: Timestamp) -> Result<(), HqError> {
        // One from the future was written before HQ's clock was set back.
        let age = device.certified_at.map(|at| now.since_ms(at));
        if !age.is_some_and(|age| (0..RENEW_AFTER_MS).contains(&age)) {
            tx.certify_device(device.device, now)?;
        }
        Ok(())
    }
}

impl Hq {
    /// Lets a device whose certificate ended long ago send again, once somebody knows in whose hands
    /// it is; what it sent meanwhile is kept apart and can be sent once more.
    ///
    /// # Errors
    /// [`AdminError::NoSuchDevice`].
    pub fn readmit(&self, device: DeviceId) -> Result<(), HqError> {
        let now = self.now();
        self.0.store.write(move |tx| {
            if tx.certify_device(device, now)? {
                Ok(())
            } else {
                Err(AdminError::NoSuchDevice(device.to_string()).into())
            }
        })
    }
}
