//! The code shown at 亮证: signed credentials and signed moments, and what checking it says.
//!
//! Handhelds check it here, phones on the page in `assets/check`; both follow the same steps in the
//! same order and say the same words. Whatever is in the code, it never supplies the verdict's text.

pub(crate) mod digits;
mod verdict;

#[cfg(test)]
mod tests;

use serde_bytes::ByteBuf;
use thiserror::Error;

use crate::canonical::{self, CanonicalError};
use crate::cose::{Context, CoseError, PublicKey, Unverified};
use crate::credential::{CertificateStatus, Credential, OfficerKind, open_credential};
use crate::hash::Hash;
use crate::record::credential::DisplayMoment;
use crate::status::StatusList;
use crate::time::Timestamp;

pub use verdict::{Verdict, Words};

/// Largest code, in bytes before it becomes digits.
pub const CODE_BYTES_MAX: usize = 2048;
/// Most officers in one code.
pub const OFFICERS_MAX: usize = 4;
/// Largest signed moment's payload.
const MOMENT_BYTES_MAX: usize = 256;

/// Why text is no code.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CodeError {
    /// Not digits in groups of the right size and value, or too many of them.
    #[error("code is not made of groups of digits")]
    Digits,
    /// Not canonical bytes of the wanted shape.
    #[error("code is not canonical: {0}")]
    Canonical(#[from] CanonicalError),
    /// No officer, too many, or not one moment for each.
    #[error("code holds no officer, too many, or not one moment for each")]
    Count,
}

/// What the code holds: per officer the signed credential and the signed moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialCode {
    /// Signed credentials.
    pub credentials: Vec<ByteBuf>,
    /// Signed moments, in the same order.
    pub moments: Vec<ByteBuf>,
}

/// What counts as now, and as fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Oldest live code.
    pub live_ms: i64,
    /// How far ahead the showing device's clock may be.
    pub ahead_ms: i64,
    /// Oldest credential: how long a withdrawn certificate can go unnoticed off line.
    pub credential_age_ms: i64,
    /// Four digits that whoever checks has said aloud: a code that carries them was made since,
    /// whatever either clock shows; one that does not was not made here.
    pub challenge: Option<[u8; 4]>,
    /// Whether `now` is HQ's time and not this device's.
    pub trusted: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            live_ms: 90_000,
            ahead_ms: 90_000,
            credential_age_ms: 7 * 24 * 3600 * 1000,
            challenge: None,
            trusted: false,
        }
    }
}

/// What one officer's part of a code proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What HQ vouches for.
    pub credential: Credential,
    /// What the officer's key signed.
    pub moment: DisplayMoment,
}

/// One officer's part of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The verdict.
    pub verdict: Verdict,
    /// Who it is; `None` where the signatures do not say so.
    pub shown: Option<Shown>,
}

/// The outcome of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The worst of the officers' verdicts.
    pub verdict: Verdict,
    /// One for each officer in the code; none if it is malformed.
    pub officers: Vec<Checked>,
}

impl CredentialCode {
    /// Returns the address that a phone opens: the digits stand behind `#`, so no server sees them.
    ///
    /// # Errors
    /// [`CodeError`] if the code could not be read back.
    pub fn to_url(&self, base: &str) -> Result<String, CodeError> {
        Ok(format!("{}/c#{}", base.trim_end_matches('/'), digits::encode(&self.to_bytes()?)))
    }

    fn to_bytes(&self) -> Result<Vec<u8>, CodeError> {
        self.check_count()?;
        let bytes = canonical::to_bytes(&(&self.credentials, &self.moments))?;
        if bytes.len() > CODE_BYTES_MAX {
            return Err(CanonicalError::TooLarge { max: CODE_BYTES_MAX }.into());
        }
        Ok(bytes)
    }

    /// Returns the code in `digits`.
    ///
    /// # Errors
    /// The first failing step of [`CodeError`].
    pub fn from_digits(digits: &str) -> Result<Self, CodeError> {
        Self::from_bytes(&digits::decode(digits, CODE_BYTES_MAX).ok_or(CodeError::Digits)?)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, CodeError> {
        let (credentials, moments) = canonical::from_bytes(bytes, CODE_BYTES_MAX)?;
        let code = Self { credentials, moments };
        // Decoding takes an array of numbers for a byte string; the one accepted form is ours.
        if code.to_bytes()? == bytes {
            Ok(code)
        } else {
            Err(CanonicalError::Shape("byte strings".into()).into())
        }
    }

    fn check_count(&self) -> Result<(), CodeError> {
        let count = self.credentials.len();
        let fits = (1..=OFFICERS_MAX).contains(&count) && self.moments.len() == count;
        if fits { Ok(()) } else { Err(CodeError::Count) }
    }

    /// Checks every part of the code by `issuer`'s key at `now`.
    #[must_use]
    pub fn verify(&self, issuer: &PublicKey, now: Timestamp, options: &Options) -> Report {
        let mut officers: Vec<Checked> = Vec::with_capacity(self.credentials.len());
        for (credential, moment) in self.credentials.iter().zip(&self.moments) {
            let checked = match authentic(credential, moment, issuer) {
                // One person shown twice would look like two officers.
                Ok(shown) if officers.iter().any(|other| other.is_of(&shown)) => {
                    Checked { verdict: Verdict::Malformed, shown: None }
                }
                Ok(shown) => Checked { verdict: shown.verdict(now, options), shown: Some(shown) },
                Err(verdict) => Checked { verdict, shown: None },
            };
            officers.push(checked);
        }
        let worst = officers.iter().map(|one| one.verdict).max();
        Report { verdict: worst.unwrap_or(Verdict::Malformed), officers }
    }
}

/// Checks scanned text: the address with the digits behind `#`, or the digits alone.
#[must_use]
pub fn check_text(text: &str, issuer: &PublicKey, now: Timestamp, options: &Options) -> Report {
    let text = text.trim();
    let digits = text.split_once('#').map_or(text, |(_, digits)| digits);
    CredentialCode::from_digits(digits).map_or_else(
        |_| Report { verdict: Verdict::Malformed, officers: Vec::new() },
        |code| code.verify(issuer, now, options),
    )
}

impl Report {
    /// Judges again by `list` what it says later than the credential does.
    #[must_use]
    pub fn by_list(mut self, list: &StatusList, now: Timestamp, options: &Options) -> Self {
        for one in &mut self.officers {
            if let Some(shown) = &mut one.shown {
                list.apply(&mut shown.credential);
                one.verdict = shown.verdict(now, options);
            }
        }
        let worst = self.officers.iter().map(|one| one.verdict).max();
        Self { verdict: worst.unwrap_or(self.verdict), ..self }
    }
}

impl Checked {
    fn is_of(&self, shown: &Shown) -> bool {
        let mine = self.shown.as_ref().map(|mine| mine.credential.officer);
        mine == Some(shown.credential.officer)
    }
}

/// Returns what the signatures prove, or the first failing step.
fn authentic(credential: &[u8], moment: &[u8], issuer: &PublicKey) -> Result<Shown, Verdict> {
    let hash = Hash::of(credential);
    let credential = open_credential(credential, issuer).map_err(|error| match error {
        CoseError::WrongKey => Verdict::UnknownIssuer,
        CoseError::BadSignature | CoseError::BadKey => Verdict::BadSignature,
        CoseError::Canonical(_) | CoseError::Malformed(_) => Verdict::Malformed,
    })?;
    let moment = Unverified::parse(moment).map_err(|_| Verdict::Malformed)?;
    let payload = moment.verify(Context::Moment, &credential.key).map_err(|error| match error {
        CoseError::WrongKey => Verdict::WrongBinding,
        _ => Verdict::BadSignature,
    })?;
    let moment: DisplayMoment =
        canonical::from_bytes(&payload, MOMENT_BYTES_MAX).map_err(|_| Verdict::Malformed)?;
    if canonical::to_bytes(&moment).as_ref() != Ok(&payload) {
        return Err(Verdict::Malformed);
    }
    if moment.credential == hash {
        Ok(Shown { credential, moment })
    } else {
        Err(Verdict::WrongBinding)
    }
}

impl Shown {
    /// Returns the verdict on what is proven, at `now`.
    #[must_use]
    pub fn verdict(&self, now: Timestamp, options: &Options) -> Verdict {
        let (card, at) = (&self.credential, self.moment.at);
        match card.status {
            CertificateStatus::Cancelled => return Verdict::Cancelled,
            CertificateStatus::Lost => return Verdict::Lost,
            CertificateStatus::Suspended => return Verdict::Suspended,
            CertificateStatus::Active => {}
        }
        let age = now.since_ms(at);
        let live = (-options.ahead_ms..=options.live_ms).contains(&age);
        let answered = options.challenge.map(|digits| self.moment.challenge.as_bytes() == digits);
        // A live code is judged by both clocks; an old one proves what held when it was made. Where a
        // challenge shows that it was made now and the clocks differ, HQ's time counts, else the
        // code's own.
        let (first, last) = match (live, answered) {
            (true, _) => (now.min(at), now.max(at)),
            (false, Some(true)) if options.trusted => (now, now),
            (false, _) => (at, at),
        };
        if last > card.valid_to {
            Verdict::Expired
        } else if first < card.valid_from {
            Verdict::NotYetValid
        } else if last.since_ms(card.issued_at) > options.credential_age_ms {
            Verdict::Outdated
        } else if answered == Some(false) {
            Verdict::Unanswered
        } else if answered == Some(true) {
            self.by_kind()
        } else if age < -options.ahead_ms || card.issued_at.since_ms(at) > options.ahead_ms {
            // Signed before the credential existed: the officer's device has a wrong clock, or
            // somebody makes a proof for a day that is over.
            Verdict::FromFuture
        } else if age > options.live_ms {
            Verdict::Stale { seconds: age.unsigned_abs() / 1000 }
        } else {
            self.by_kind()
        }
    }

    fn by_kind(&self) -> Verdict {
        match self.credential.kind {
            OfficerKind::Auxiliary => Verdict::Auxiliary,
            OfficerKind::Officer => Verdict::Live,
        }
    }
}
