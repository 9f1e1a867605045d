//! The status list: which officers' certificates are not in force, signed and numbered by HQ.
//!
//! A credential says what HQ knew when it issued it, and lives for days; the list says what HQ
//! knows now, for everybody at once: whoever fetches it does not tell whom he looks at. It names
//! officers by the first eight bytes of the hash of their id, which stands in every credential
//! ever issued, so that no credential had to change for it; two of 60,000 share a tag once in ten
//! thousand million lists.
//!
//! Format, for readers in other languages: `COSE_Sign1` by the issuer key, external data
//! `xunzheng/v1/status`, payload the canonical map `{number, issued_at, expires_at, suspended,
//! cancelled, lost}`; the first three are integers (times in ms UTC), the last three byte strings of
//! 8-byte tags in ascending order, each tag in one of them at most. The tag is
//! `SHA-256(officer id as 16 bytes)[0..8]`. HQ serves the newest as it is at `/c/status`.

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::cose::{self, Context, CoseError, PublicKey, Signer};
use crate::credential::{CertificateStatus, Credential};
use crate::hash::Hash;
use crate::id::OfficerId;
use crate::time::Timestamp;

/// How long a list may be acted on.
pub const LIST_LIFE_MS: i64 = 24 * 3600 * 1000;
/// Largest list: a hundred thousand officers, all of them withdrawn.
const LIST_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a tag.
const TAG_BYTES: usize = 8;

/// Every certificate that is not in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusList {
    /// Rises by one; a lower one than seen before is refused.
    pub number: u64,
    /// When HQ made it.
    pub issued_at: Timestamp,
    /// Until when it may be acted on.
    pub expires_at: Timestamp,
    /// 暂扣
    suspended: Tags,
    /// 注销
    cancelled: Tags,
    /// 挂失
    lost: Tags,
}

/// Tags one after another, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Tags(#[serde(with = "serde_bytes")] Vec<u8>);

/// Why a list is not used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StatusError {
    /// Not signed by the issuer, or not in the one form.
    #[error("status list: {0}")]
    Cose(#[from] CoseError),
    /// Older than one that was seen: somebody plays back what held before.
    #[error("status list {offered} was offered after {seen}")]
    RolledBack {
        /// Number offered.
        offered: u64,
        /// Highest number seen.
        seen: u64,
    },
}

fn tag(officer: OfficerId) -> [u8; TAG_BYTES] {
    let mut tag = [0; TAG_BYTES];
    tag.copy_from_slice(Hash::of(officer.as_bytes()).0.split_at(TAG_BYTES).0);
    tag
}

impl Tags {
    fn of(officers: &[(OfficerId, CertificateStatus)], status: CertificateStatus) -> Self {
        let mine = officers.iter().filter(|(_, known)| *known == status);
        let mut tags: Vec<_> = mine.map(|(officer, _)| tag(*officer)).collect();
        tags.sort_unstable();
        tags.dedup();
        Self(tags.concat())
    }

    fn chunks(&self) -> (&[[u8; TAG_BYTES]], &[u8]) {
        self.0.as_chunks()
    }

    fn holds(&self, tag: [u8; TAG_BYTES]) -> bool {
        self.chunks().0.binary_search(&tag).is_ok()
    }

    fn is_in_order(&self) -> bool {
        let (tags, rest) = self.chunks();
        rest.is_empty() && tags.is_sorted_by(|one, next| one < next)
    }
}

impl StatusList {
    /// Returns the list of `officers`; those in force need not be given.
    #[must_use]
    pub fn new(
        number: u64,
        issued_at: Timestamp,
        officers: &[(OfficerId, CertificateStatus)],
    ) -> Self {
        let of = |status| Tags::of(officers, status);
        Self {
            number,
            issued_at,
            expires_at: issued_at.plus_ms(LIST_LIFE_MS),
            suspended: of(CertificateStatus::Suspended),
            cancelled: of(CertificateStatus::Cancelled),
            lost: of(CertificateStatus::Lost),
        }
    }

    /// Returns the list signed by the issuer.
    ///
    /// # Errors
    /// [`CoseError`] if it cannot be encoded.
    pub fn sign(&self, issuer: &dyn Signer) -> Result<Vec<u8>, CoseError> {
        cose::sign(Context::Status, &canonical::to_bytes(self)?, issuer)
    }

    /// Returns the list in `bytes` if `issuer` signed it and it is not older than number `seen`.
    ///
    /// # Errors
    /// The first failing step of [`StatusError`].
    pub fn open(bytes: &[u8], issuer: &PublicKey, seen: u64) -> Result<Self, StatusError> {
        if bytes.len() > LIST_BYTES_MAX {
            return Err(CoseError::Malformed("status list is too large").into());
        }
        let payload = cose::verify(Context::Status, bytes, issuer)?;
        let list: Self =
            canonical::from_bytes(&payload, LIST_BYTES_MAX).map_err(CoseError::from)?;
        let tags = [&list.suspended, &list.cancelled, &list.lost];
        let life = list.expires_at.since_ms(list.issued_at);
        if !tags.iter().all(|tags| tags.is_in_order()) || !(0..=LIST_LIFE_MS).contains(&life) {
            return Err(CoseError::Malformed("status list").into());
        }
        if list.number < seen {
            return Err(StatusError::RolledBack { offered: list.number, seen });
        }
        Ok(list)
    }

    /// Returns what the list says of the officer's certificate.
    #[must_use]
    pub fn status(&self, officer: OfficerId) -> CertificateStatus {
        let tag = tag(officer);
        // The gravest first, should a list ever hold one in two.
        if self.cancelled.holds(tag) {
            CertificateStatus::Cancelled
        } else if self.lost.holds(tag) {
            CertificateStatus::Lost
        } else if self.suspended.holds(tag) {
            CertificateStatus::Suspended
        } else {
            CertificateStatus::Active
        }
    }

    /// Says whether the list may be acted on as HQ's present word; what it withdraws stays
    /// withdrawn until a newer credential or list says otherwise.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now <= self.expires_at
    }

    /// Puts the status into `credential` if the list is the later word of the two.
    pub fn apply(&self, credential: &mut Credential) {
        if self.issued_at > credential.issued_at {
            credential.status = self.status(credential.officer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cose::SoftwareKey;

    const NOW: Timestamp = Timestamp(1_795_500_000_000);

    fn officer(number: u64) -> OfficerId {
        let [_, _, low @ ..] = number.to_be_bytes();
        let mut random = [0; 10];
        random[..6].copy_from_slice(&low);
        OfficerId::new(NOW.0, &random)
    }

    fn issuer() -> SoftwareKey {
        SoftwareKey::from_secret(&[1; 32])
    }

    /// TC-07.
    #[test]
    fn each_status_is_told_and_everybody_else_is_in_force() {
        use CertificateStatus::{Active, Cancelled, Lost, Suspended};
        let said = [Active, Suspended, Cancelled, Lost];
        let officers: Vec<_> = (0..400_u64).zip(said.iter().copied().cycle()).collect();
        let officers: Vec<_> =
            officers.into_iter().map(|(number, status)| (officer(number), status)).collect();
        let bytes = StatusList::new(3, NOW, &officers).sign(&issuer()).unwrap();
        let list = StatusList::open(&bytes, &issuer().public(), 3).unwrap();
        for (officer, status) in officers {
            assert_eq!(list.status(officer), status);
        }
        assert_eq!(list.status(officer(9999)), Active);
        assert!(list.is_fresh(NOW.plus_ms(LIST_LIFE_MS)));
        assert!(!list.is_fresh(NOW.plus_ms(LIST_LIFE_MS + 1)));
    }

    /// TC-07: wrong signer, rolled back, truncated, tags out of order, a life of years.
    #[test]
    fn no_other_list_is_used() {
        let officers = [(officer(1), CertificateStatus::Suspended)];
        let bytes = StatusList::new(3, NOW, &officers).sign(&issuer()).unwrap();
        let other = SoftwareKey::from_secret(&[2; 32]).public();
        assert_eq!(
            StatusList::open(&bytes, &other, 0),
            Err(StatusError::Cose(CoseError::WrongKey))
        );
        let seen = StatusList::open(&bytes, &issuer().public(), 4);
        assert_eq!(seen, Err(StatusError::RolledBack { offered: 3, seen: 4 }));
        for end in 0..bytes.len() {
            assert!(StatusList::open(&bytes[..end], &issuer().public(), 0).is_err());
        }
        let mut bent = StatusList::new(3, NOW, &officers);
        bent.lost.0 = vec![9; 2 * TAG_BYTES];
        let bent = bent.sign(&issuer()).unwrap();
        assert!(StatusList::open(&bent, &issuer().public(), 0).is_err());
        let mut eternal = StatusList::new(3, NOW, &officers);
        eternal.expires_at = NOW.plus_ms(LIST_LIFE_MS + 1);
        let eternal = eternal.sign(&issuer()).unwrap();
        assert!(StatusList::open(&eternal, &issuer().public(), 0).is_err());
        let moved = cose::sign(Context::Feed, &canonical::to_bytes(&officers).unwrap(), &issuer());
        assert!(StatusList::open(&moved.unwrap(), &issuer().public(), 0).is_err());
    }

    /// Prints the size of a list of 60,000 officers; bounds it at what a line of 9 KB/s brings in a
    /// second.
    #[test]
    fn the_list_of_a_province_is_small() {
        for (per_mille, most) in [(2_u64, 1_400), (10, 5_200), (30, 15_000), (100, 49_000)] {
            let withdrawn = 60_000 * per_mille / 1000;
            let officers: Vec<_> =
                (0..withdrawn).map(|n| (officer(n), CertificateStatus::Suspended)).collect();
            let bytes = StatusList::new(1, NOW, &officers).sign(&issuer()).unwrap();
            println!("{per_mille} per mille of 60,000: {} bytes", bytes.len());
            assert!(bytes.len() < most, "{per_mille}: {}", bytes.len());
        }
    }
}
