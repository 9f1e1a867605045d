//! Signed checkpoints: C2SP `signed-note` with `tlog-checkpoint` text.
//!
//! Text, so that a person can read it on paper and any C2SP tool can check it.

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::Signature;
use thiserror::Error;

use crate::cose::{PublicKey, Signer};
use crate::hash::Hash;

/// Why a checkpoint is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NoteError {
    /// Not the three lines, blank line and signature lines of a checkpoint.
    #[error("checkpoint is malformed")]
    Malformed,
    /// Of another log.
    #[error("checkpoint is of another log")]
    WrongOrigin,
    /// No signature by the wanted key verifies.
    #[error("checkpoint signature does not verify")]
    BadSignature,
}

/// The size and root of a log that its key vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0))
    }

    /// Returns the signed note.
    #[must_use]
    pub fn sign(&self, signer: &dyn Signer) -> String {
        let text = self.text();
        let mut line = key_id(&self.origin, &signer.public()).to_vec();
        line.extend_from_slice(&signer.sign(text.as_bytes()));
        format!("{text}\n\u{2014} {} {}\n", self.origin, STANDARD.encode(line))
    }

    /// Returns the checkpoint in `note` if `key` signed it under `origin`.
    ///
    /// # Errors
    /// See [`NoteError`].
    pub fn open(note: &str, origin: &str, key: &PublicKey) -> Result<Self, NoteError> {
        let (text, signatures) = note.split_once("\n\n").ok_or(NoteError::Malformed)?;
        let text = format!("{text}\n");
        let mut lines = text.lines();
        let (Some(name), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(NoteError::Malformed);
        };
        if name != origin {
            return Err(NoteError::WrongOrigin);
        }
        let root = STANDARD.decode(root).ok().and_then(|bytes| Hash::from_slice(&bytes));
        let checkpoint = Self {
            origin: name.to_owned(),
            size: size.parse().map_err(|_| NoteError::Malformed)?,
            root: root.ok_or(NoteError::Malformed)?,
        };
        // One checkpoint has one text: "007" or another base64 form is refused.
        if checkpoint.text() != text {
            return Err(NoteError::Malformed);
        }
        let expected = key_id(origin, key);
        let verifying = key.verifying().map_err(|_| NoteError::BadSignature)?;
        let prefix = format!("\u{2014} {origin} ");
        let mut vouched = false;
        for line in signatures.split_terminator('\n') {
            if !line.starts_with("\u{2014} ") {
                return Err(NoteError::Malformed);
            }
            let Some(encoded) = line.strip_prefix(prefix.as_str()) else { continue };
            let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Malformed)?;
            let Some((id, signature)) = bytes.split_at_checked(4) else {
                return Err(NoteError::Malformed);
            };
            if id != expected {
                continue;
            }
            let signature =
                Signature::from_slice(signature).map_err(|_| NoteError::BadSignature)?;
            verifying
                .verify_strict(text.as_bytes(), &signature)
                .map_err(|_| NoteError::BadSignature)?;
            vouched = true;
        }
        if vouched && signatures.ends_with('\n') {
            Ok(checkpoint)
        } else {
            Err(NoteError::BadSignature)
        }
    }
}

/// Returns the C2SP key id: four bytes of `SHA-256(name ‖ "\n" ‖ 0x01 ‖ key)`.
fn key_id(name: &str, key: &PublicKey) -> [u8; 4] {
    let digest = Hash::of_parts(&[name.as_bytes(), b"\n", &[0x01], &key.0]);
    let mut id = [0; 4];
    id.copy_from_slice(digest.0.split_at(4).0);
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cose::SoftwareKey;

    #[test]
    fn checkpoint_opens_only_for_its_log_and_key_and_unchanged() {
        let key = SoftwareKey::from_secret(&[7; 32]);
        let checkpoint =
            Checkpoint { origin: "hq.example/log".into(), size: 42, root: Hash::of(b"r") };
        let note = checkpoint.sign(&key);
        assert_eq!(Checkpoint::open(&note, "hq.example/log", &key.public()).unwrap(), checkpoint);
        assert_eq!(Checkpoint::open(&note, "other", &key.public()), Err(NoteError::WrongOrigin));
        let other = SoftwareKey::from_secret(&[8; 32]);
        assert!(Checkpoint::open(&note, "hq.example/log", &other.public()).is_err());
        let bytes = note.into_bytes();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            if let Ok(text) = String::from_utf8(changed) {
                assert!(
                    Checkpoint::open(&text, "hq.example/log", &key.public()).is_err(),
                    "byte {index}"
                );
            }
        }
    }
}
