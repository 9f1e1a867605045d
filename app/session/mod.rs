//! 值班: who is unlocked on this device, each by his own PIN, and the shift they begin.
//!
//! A typed name proves nothing: an officer is here because his key was opened (`domain` R-91).

#[cfg(feature = "window")]
pub mod adapter;
mod pin;
mod practice;
pub(crate) mod shift;
mod unlock;
mod view;

use sync_model::cose::SoftwareKey;
use sync_model::credential::{Credential, OfficerKind};
use sync_model::id::OfficerId;
use sync_model::rule::credential::{CertificateFacts, OfficerFacts, ProofOfPresence};
use sync_model::time::Timestamp;

pub use pin::{check_new_pin, delay_ms};
pub use practice::{enter_practice, is_practice};
pub use shift::{begin_shift, close_day, end_shift};
pub use unlock::{activate, enroll, lock, unlock};
pub use view::{OfficerView, is_ready, officers};

/// One officer whose key is open.
pub struct Unlocked {
    /// What HQ vouches for.
    pub credential: Credential,
    /// The signed credential.
    pub credential_bytes: Vec<u8>,
    /// The officer's own key.
    pub key: SoftwareKey,
    /// When the PIN was right.
    pub proved_at: Timestamp,
}

/// Who is unlocked.
#[derive(Default)]
pub struct Session {
    unlocked: Vec<Unlocked>,
}

impl Session {
    /// Returns the unlocked officers, first unlocked first.
    #[must_use]
    pub fn unlocked(&self) -> &[Unlocked] {
        &self.unlocked
    }

    /// Returns their ids.
    #[must_use]
    pub fn officer_ids(&self) -> Vec<OfficerId> {
        self.unlocked.iter().map(|one| one.credential.officer).collect()
    }

    /// Returns one of them.
    #[must_use]
    pub fn find(&self, officer: OfficerId) -> Option<&Unlocked> {
        self.unlocked.iter().find(|one| one.credential.officer == officer)
    }

    /// Returns what the rules ask about them.
    #[must_use]
    pub fn officer_facts(&self) -> Vec<OfficerFacts> {
        self.unlocked.iter().map(|one| facts_of(&one.credential)).collect()
    }

    fn put(&mut self, unlocked: Unlocked) {
        self.unlocked.retain(|one| one.credential.officer != unlocked.credential.officer);
        self.unlocked.push(unlocked);
    }

    fn clear(&mut self) {
        self.unlocked.clear();
    }
}

fn facts_of(credential: &Credential) -> OfficerFacts {
    OfficerFacts {
        officer_id: credential.officer,
        name: credential.name.clone(),
        is_auxiliary: credential.kind == OfficerKind::Auxiliary,
        certificate: Some(CertificateFacts {
            number: credential.certificate_number.clone(),
            valid_from: credential.valid_from,
            valid_to: credential.valid_to,
            status: credential.status,
            status_as_of: credential.issued_at,
        }),
        presence: ProofOfPresence::OwnUnlock,
    }
}
