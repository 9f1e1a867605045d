//! One way to sign: `COSE_Sign1` (RFC 9052) with a context in the external data.
//!
//! A signature made in one context never verifies in another. Verification is strict: canonical
//! bytes, only `alg` and `kid` in the protected header, nothing unprotected, Ed25519 `verify_strict`.

use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, iana};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::canonical::{self, CanonicalError};
use crate::hash::Hash;

/// Largest COSE object accepted anywhere: a feed item with a whole rulebook, or a long manifest.
/// Each reader sets the smaller limit of its own payload.
const COSE_BYTES_MAX: usize = crate::wire::FEED_BYTES_MAX;

/// What a signature is for. The text is part of the signed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// An issuer certifies an officer's credential.
    Credential,
    /// An officer's key states "here, now".
    Moment,
    /// An issuer certifies a device key.
    DeviceCertificate,
    /// A device signs a record of its chain.
    Record,
    /// HQ signs a feed item.
    Feed,
    /// A device signs a request to HQ.
    Request,
    /// An officer signs a transcript or decision.
    OfficerAct,
    /// A device signs the manifest of an exported bundle.
    Bundle,
    /// HQ vouches for records that it keeps apart.
    Custody,
    /// A device promises a party that a record is in its chain.
    Slip,
    /// HQ vouches for what a receipt says beside its proofs.
    Receipt,
    /// An issuer says which certificates are not in force.
    Status,
}

impl Context {
    /// Every context.
    pub const ALL: [Self; 12] = [
        Self::Credential,
        Self::Moment,
        Self::DeviceCertificate,
        Self::Record,
        Self::Feed,
        Self::Request,
        Self::OfficerAct,
        Self::Bundle,
        Self::Custody,
        Self::Slip,
        Self::Receipt,
        Self::Status,
    ];

    fn aad(self) -> &'static [u8] {
        match self {
            Self::Credential => b"xunzheng/v1/credential",
            Self::Moment => b"xunzheng/v1/moment",
            Self::DeviceCertificate => b"xunzheng/v1/device-cert",
            Self::Record => b"xunzheng/v1/record",
            Self::Feed => b"xunzheng/v1/feed",
            Self::Request => b"xunzheng/v1/request",
            Self::OfficerAct => b"xunzheng/v1/officer-act",
            Self::Bundle => b"xunzheng/v1/bundle",
            Self::Custody => b"xunzheng/v1/custody",
            Self::Slip => b"xunzheng/v1/slip",
            Self::Receipt => b"xunzheng/v1/receipt",
            Self::Status => b"xunzheng/v1/status",
        }
    }
}

/// Why a signed object is refused; the first failing step.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CoseError {
    /// Not canonical bytes.
    #[error("signed object is not canonical: {0}")]
    Canonical(#[from] CanonicalError),
    /// Not a `COSE_Sign1` of the allowed form.
    #[error("signed object is malformed: {0}")]
    Malformed(&'static str),
    /// The header names another key than the one given.
    #[error("signed object names another key")]
    WrongKey,
    /// The signature does not verify.
    #[error("signature does not verify")]
    BadSignature,
    /// The public key is not a usable Ed25519 key.
    #[error("public key is not usable")]
    BadKey,
}

/// An Ed25519 public key, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl PublicKey {
    /// Returns the hint that signed objects carry: eight bytes of the key's hash.
    #[must_use]
    pub fn kid(&self) -> [u8; 8] {
        let mut kid = [0; 8];
        kid.copy_from_slice(Hash::of(&self.0).0.split_at(8).0);
        kid
    }

    /// Returns the key for use, refusing small-order points and a second form of the same point.
    ///
    /// # Errors
    /// [`CoseError::BadKey`].
    pub fn verifying(&self) -> Result<VerifyingKey, CoseError> {
        if !self.is_reduced() {
            return Err(CoseError::BadKey);
        }
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| CoseError::BadKey)?;
        if key.is_weak() { Err(CoseError::BadKey) } else { Ok(key) }
    }

    /// Returns the key made ready to check many signatures.
    ///
    /// # Errors
    /// [`CoseError::BadKey`].
    pub fn verifier(&self) -> Result<Verifier, CoseError> {
        Ok(Verifier { kid: self.kid(), key: self.verifying()? })
    }

    /// Says whether the coordinate is below 2^255 - 19; decoding alone would reduce a larger one.
    fn is_reduced(&self) -> bool {
        let [first, middle @ .., last] = self.0;
        last & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff) || first < 0xed
    }
}

/// A public key made ready once: its point and its hint cost as much as a fifth of a check.
pub struct Verifier {
    kid: [u8; 8],
    key: VerifyingKey,
}

/// Signs with one private key. Hardware keys implement this beside [`SoftwareKey`].
pub trait Signer: Send + Sync {
    /// Returns the public half.
    fn public(&self) -> PublicKey;
    /// Returns the Ed25519 signature over `message`.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// An Ed25519 key in memory; zeroised on drop by the crate behind it.
pub struct SoftwareKey(SigningKey);

impl SoftwareKey {
    /// Returns the key for 32 secret bytes from the system's random source.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// Returns the 32 secret bytes, to be sealed before they are stored.
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        self.0.to_bytes()
    }
}

impl Signer for SoftwareKey {
    fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// Returns the signed object around `payload`.
///
/// # Errors
/// [`CoseError::Malformed`] if the object cannot be encoded.
pub fn sign(context: Context, payload: &[u8], signer: &dyn Signer) -> Result<Vec<u8>, CoseError> {
    let header = HeaderBuilder::new()
        .algorithm(iana::Algorithm::EdDSA)
        .key_id(signer.public().kid().to_vec())
        .build();
    CoseSign1Builder::new()
        .protected(header)
        .payload(payload.to_vec())
        .create_signature(context.aad(), |message| signer.sign(message).to_vec())
        .build()
        .to_vec()
        .map_err(|_| CoseError::Malformed("encode"))
}

/// A signed object whose signature has not been checked yet.
pub struct Unverified(CoseSign1);

impl Unverified {
    /// Returns the object in `bytes` if its form is the allowed one.
    ///
    /// # Errors
    /// [`CoseError::Canonical`] or [`CoseError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CoseError> {
        canonical::check(bytes, COSE_BYTES_MAX)?;
        let object = CoseSign1::from_slice(bytes).map_err(|_| CoseError::Malformed("shape"))?;
        let header = &object.protected.header;
        let allowed = HeaderBuilder::new()
            .algorithm(iana::Algorithm::EdDSA)
            .key_id(header.key_id.clone())
            .build();
        if *header != allowed || header.key_id.len() != 8 {
            return Err(CoseError::Malformed("protected header"));
        }
        if let Some(original) = &object.protected.original_data {
            canonical::check(original, 64)?;
        }
        if !object.unprotected.is_empty() {
            return Err(CoseError::Malformed("unprotected header"));
        }
        if object.payload.is_none() {
            return Err(CoseError::Malformed("detached payload"));
        }
        Ok(Self(object))
    }

    /// Returns the payload, which nobody has vouched for yet.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.0.payload.as_deref().unwrap_or_default()
    }

    /// Returns the payload after checking the signature by `key`.
    ///
    /// # Errors
    /// [`CoseError::WrongKey`], [`CoseError::BadKey`], [`CoseError::BadSignature`].
    pub fn verify(self, context: Context, key: &PublicKey) -> Result<Vec<u8>, CoseError> {
        if self.0.protected.header.key_id != key.kid() {
            return Err(CoseError::WrongKey);
        }
        self.verify_with(context, &key.verifier()?)
    }

    /// Returns the payload after checking the signature by a key made ready before.
    ///
    /// # Errors
    /// [`CoseError::WrongKey`], [`CoseError::BadSignature`].
    pub fn verify_with(self, context: Context, key: &Verifier) -> Result<Vec<u8>, CoseError> {
        if self.0.protected.header.key_id != key.kid {
            return Err(CoseError::WrongKey);
        }
        self.0.verify_signature(context.aad(), |signature, message| {
            let signature =
                Signature::from_slice(signature).map_err(|_| CoseError::BadSignature)?;
            // One by one and strictly. A batch check is faster and accepts more: a device could
            // craft a record that passes in HQ's batch and fails for everyone who checks it alone.
            key.key.verify_strict(message, &signature).map_err(|_| CoseError::BadSignature)
        })?;
        self.0.payload.ok_or(CoseError::Malformed("detached payload"))
    }
}

/// Returns the payload of the signed object in `bytes` after every check.
///
/// # Errors
/// The first failing step, see [`CoseError`].
pub fn verify(context: Context, bytes: &[u8], key: &PublicKey) -> Result<Vec<u8>, CoseError> {
    Unverified::parse(bytes)?.verify(context, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> SoftwareKey {
        SoftwareKey::from_secret(&[seed; 32])
    }

    #[test]
    fn signature_holds_only_in_its_context_and_for_its_key() {
        let bytes = sign(Context::Record, b"payload", &key(1)).unwrap();
        assert_eq!(verify(Context::Record, &bytes, &key(1).public()).unwrap(), b"payload");
        assert_eq!(verify(Context::Feed, &bytes, &key(1).public()), Err(CoseError::BadSignature));
        assert_eq!(verify(Context::Record, &bytes, &key(2).public()), Err(CoseError::WrongKey));
    }

    #[test]
    fn any_changed_bit_is_found() {
        let bytes = sign(Context::Record, b"payload", &key(1)).unwrap();
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[index] ^= 1 << bit;
                assert!(
                    verify(Context::Record, &changed, &key(1).public()).is_err(),
                    "{index}.{bit}"
                );
            }
        }
    }

    #[test]
    fn small_order_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey(identity).verifying(), Err(CoseError::BadKey));
    }

    #[test]
    fn a_key_has_one_form() {
        // y = 3 is on the curve and of large order; y = p + 3 is the same point.
        let mut three = [0; 32];
        three[0] = 3;
        assert!(PublicKey(three).verifying().is_ok());
        let mut again = [0xff; 32];
        (again[0], again[31]) = (0xf0, 0x7f);
        assert_eq!(PublicKey(again).verifying(), Err(CoseError::BadKey));
    }

    /// TC-39: what was signed for one purpose is offered for each other one.
    #[test]
    fn no_context_passes_for_another() {
        let mut refused = 0;
        for made in Context::ALL {
            let bytes = sign(made, b"payload", &key(1)).unwrap();
            for asked in Context::ALL {
                let opened = verify(asked, &bytes, &key(1).public());
                assert_eq!(opened.is_ok(), made == asked, "{made:?} as {asked:?}");
                refused += usize::from(made != asked);
            }
        }
        let all = Context::ALL.len();
        assert_eq!(refused, all * (all - 1));
    }

    /// TC-39: another algorithm, a colliding hint, a filled unprotected header, an element more, a
    /// detached payload.
    #[test]
    fn no_other_form_is_accepted() {
        let bytes = sign(Context::Record, b"payload", &key(1)).unwrap();
        let own = key(1).public();
        let bend = |change: &dyn Fn(&mut CoseSign1)| {
            let mut object = CoseSign1::from_slice(&bytes).unwrap();
            object.protected.original_data = None;
            change(&mut object);
            object.to_vec().unwrap()
        };
        assert!(
            verify(Context::Record, &bend(&|_| {}), &own).is_ok(),
            "bending itself is no change"
        );
        let forms = [
            bend(&|it| {
                it.protected.header.alg = Some(coset::Algorithm::Assigned(iana::Algorithm::ES256));
            }),
            bend(&|it| it.protected.header.alg = None),
            bend(&|it| it.protected.header.key_id = key(2).public().kid().to_vec()),
            bend(&|it| it.protected.header.key_id.push(0)),
            bend(&|it| {
                it.protected.header.content_type = Some(coset::ContentType::Text("a".into()))
            }),
            bend(&|it| it.unprotected.key_id = vec![1]),
            bend(&|it| it.payload = None),
        ];
        for (number, form) in forms.iter().enumerate() {
            assert!(verify(Context::Record, form, &own).is_err(), "form {number}");
        }
        // One element more in the array of four.
        let mut longer = bytes.clone();
        assert_eq!(longer[0], 0x84);
        longer[0] = 0x85;
        longer.push(0xf6);
        assert!(verify(Context::Record, &longer, &own).is_err());
        // The hint is another key's, the signature this one's: a hint decides nothing.
        let other = key(2);
        let borrowed = bend(&|it| it.protected.header.key_id = other.public().kid().to_vec());
        assert_eq!(
            verify(Context::Record, &borrowed, &other.public()),
            Err(CoseError::BadSignature)
        );
    }
}
