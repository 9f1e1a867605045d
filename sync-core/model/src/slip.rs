//! The slip (存证凭据): what a party holds in its own hands from the moment of a hand-over.
//!
//! A device promises that a record stands in its chain: record hash, place, time, and the newest
//! state of HQ's log that it has verified, under the device's key; the device's certificate comes
//! with it, so that the issuer's key alone proves whose promise it is. HQ can later only say where
//! the record stands, or be shown to have left it out. Since each slip carries a log state, two
//! parties who compare slips find an HQ that shows different logs to different people.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use thiserror::Error;

use crate::canonical::{self, CanonicalError};
use crate::cose::{self, Context, CoseError, PublicKey, Signer};
use crate::credential::{DeviceCertificate, open_device_certificate};
use crate::credential_code::digits;
use crate::hash::Hash;
use crate::record::{LogHead, Record};
use crate::time::Timestamp;

/// Largest slip, in bytes before it becomes digits.
pub const SLIP_BYTES_MAX: usize = 1024;
/// How long after its time a promised record may be missing at HQ before the page tells the party to
/// complain, in milliseconds: a device that works a day without a network sends in the night.
pub const SLIP_DUE_MS: i64 = 24 * 3600 * 1000;

/// Why text is no slip.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SlipError {
    /// Not digits in groups of the right size and value, or too many of them.
    #[error("slip is not made of groups of digits")]
    Digits,
    /// Not canonical bytes of the wanted shape.
    #[error("slip is not canonical: {0}")]
    Canonical(#[from] CanonicalError),
    /// The certificate is not the issuer's, or the promise not the device's.
    #[error("slip is not signed as it should be: {0}")]
    Signature(#[from] CoseError),
}

/// What the device promises; an array, as it travels in a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Positions", from = "Positions")]
pub struct Slip {
    /// Hash of the record.
    pub record: Hash,
    /// Its place in the device's chain.
    pub seq: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The newest state of HQ's log that the device had verified; `None` if it had seen none.
    pub seen: Option<LogHead>,
}

#[derive(Serialize, Deserialize)]
struct Positions(Hash, u64, Timestamp, u64, Hash);

impl From<Slip> for Positions {
    fn from(it: Slip) -> Self {
        let (size, root) = it.seen.map_or((0, Hash::ZERO), |seen| (seen.size, seen.root));
        Self(it.record, it.seq, it.at, size, root)
    }
}

impl From<Positions> for Slip {
    fn from(it: Positions) -> Self {
        let seen = (it.3 > 0).then_some(LogHead { size: it.3, root: it.4 });
        Self { record: it.0, seq: it.1, at: it.2, seen }
    }
}

/// A slip with the device that signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The device, as the issuer certifies it.
    pub device: DeviceCertificate,
    /// What it promises.
    pub slip: Slip,
}

impl Slip {
    /// Returns the slip of a record.
    #[must_use]
    pub fn of(record: &Record, seen: Option<LogHead>) -> Self {
        let envelope = &record.envelope;
        Self { record: record.hash, seq: envelope.seq, at: envelope.recorded.wall_at, seen }
    }

    /// Returns the address that a phone opens: HQ's page, and behind `#` what no server sees.
    ///
    /// # Errors
    /// [`SlipError`] if it cannot be encoded or is too large.
    pub fn to_url(
        &self,
        base: &str,
        certificate: &[u8],
        device_key: &dyn Signer,
    ) -> Result<String, SlipError> {
        let signed = cose::sign(Context::Slip, &canonical::to_bytes(self)?, device_key)?;
        let both = (ByteBuf::from(certificate), ByteBuf::from(signed));
        let bytes = canonical::to_bytes(&both)?;
        if bytes.len() > SLIP_BYTES_MAX {
            return Err(CanonicalError::TooLarge { max: SLIP_BYTES_MAX }.into());
        }
        Ok(format!("{}/c/slip#{}", base.trim_end_matches('/'), digits::encode(&bytes)))
    }

    /// Returns the slip in `text`, the address or its digits, if a device that `issuer` certifies
    /// signed it.
    ///
    /// # Errors
    /// The first failing step of [`SlipError`].
    pub fn open(text: &str, issuer: &PublicKey) -> Result<Opened, SlipError> {
        let text = text.trim();
        let digits = text.split_once('#').map_or(text, |(_, digits)| digits);
        let bytes = digits::decode(digits, SLIP_BYTES_MAX).ok_or(SlipError::Digits)?;
        let both: (ByteBuf, ByteBuf) = canonical::from_bytes(&bytes, SLIP_BYTES_MAX)?;
        // Decoding takes an array of numbers for a byte string; the one accepted form is ours.
        if canonical::to_bytes(&both)? != bytes {
            return Err(CanonicalError::Shape("byte strings".into()).into());
        }
        let device = open_device_certificate(&both.0, issuer)?;
        let payload = cose::verify(Context::Slip, &both.1, &device.key)?;
        let slip: Self = canonical::from_bytes(&payload, SLIP_BYTES_MAX)?;
        if canonical::to_bytes(&slip)? != payload {
            return Err(CanonicalError::Shape("slip".into()).into());
        }
        Ok(Opened { device, slip })
    }

    /// Says whether two slips prove by themselves that HQ showed two logs: one size, two roots.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        matches!((self.seen, other.seen), (Some(one), Some(two))
            if one.size == two.size && one.root != two.root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cose::SoftwareKey;
    use crate::credential::issue_device_certificate;
    use crate::id::DeviceId;
    use uuid::Uuid;

    fn slip(size: u64, root: &[u8]) -> Slip {
        let seen = Some(LogHead { size, root: Hash::of(root) });
        Slip { record: Hash::of(b"record"), seq: 7, at: Timestamp(1_795_500_000_000), seen }
    }

    fn certificate(issuer: &SoftwareKey, key: &SoftwareKey) -> Vec<u8> {
        let certificate = DeviceCertificate {
            device: DeviceId(Uuid::from_u128(1)),
            name: "西湖区执法终端十二号".into(),
            authority: "xh-zhzf".into(),
            key: key.public(),
            issued_at: Timestamp(1),
        };
        issue_device_certificate(&certificate, issuer).unwrap()
    }

    #[test]
    fn a_slip_opens_only_under_its_issuer_and_unchanged() {
        let (issuer, key) =
            (SoftwareKey::from_secret(&[1; 32]), SoftwareKey::from_secret(&[2; 32]));
        let certificate = certificate(&issuer, &key);
        let made = slip(42, b"root");
        let url = made.to_url("https://hq.example/", &certificate, &key).unwrap();
        assert!(url.starts_with("https://hq.example/c/slip#"), "{url}");
        let opened = Slip::open(&url, &issuer.public()).unwrap();
        assert_eq!((opened.slip, opened.device.key), (made.clone(), key.public()));
        println!("{} digits", url.len() - "https://hq.example/c/slip#".len());
        let digits = url.split_once('#').unwrap().1;
        assert!(Slip::open(digits, &key.public()).is_err(), "another issuer");
        // Signed by a key that the certificate does not name.
        let stranger = SoftwareKey::from_secret(&[3; 32]);
        let url = made.to_url("", &certificate, &stranger).unwrap();
        assert!(Slip::open(&url, &issuer.public()).is_err());
        let bytes = digits::decode(digits, SLIP_BYTES_MAX).unwrap();
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[place] ^= 1 << bit;
                let changed = digits::encode(&changed);
                assert!(Slip::open(&changed, &issuer.public()).is_err(), "byte {place}");
            }
        }
        println!("{} single bits changed, 0 accepted", bytes.len() * 8);
    }

    #[test]
    fn one_size_with_two_roots_is_a_contradiction() {
        assert!(slip(5, b"one").contradicts(&slip(5, b"two")));
        assert!(!slip(5, b"one").contradicts(&slip(5, b"one")));
        assert!(!slip(5, b"one").contradicts(&slip(6, b"two")));
        assert!(!slip(0, b"one").contradicts(&Slip { seen: None, ..slip(1, b"") }));
    }
}
