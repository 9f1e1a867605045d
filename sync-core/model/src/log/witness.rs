//! Witnesses: others who watch a log and cosign its checkpoints (C2SP `tlog-cosignature`,
//! `tlog-witness`).
//!
//! A cosignature says that at this second the log had this head and had only grown before. Whoever
//! demands a quorum of them cannot be shown another history.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::Signature;

use super::note::NoteError;
use super::proof::PROOF_HASHES_MAX;
use crate::cose::{PublicKey, Signer};
use crate::hash::{Hash, hex};

/// Signature type of a log's own Ed25519 key.
const LOG: u8 = 0x01;
/// Signature type of timestamped Ed25519 cosignatures.
const COSIGNER: u8 = 0x04;
/// Largest request of `add-checkpoint`.
pub const ADD_CHECKPOINT_BYTES_MAX: usize = 64 * 1024;

/// A key with the name that stands before its signatures, written `name+id+key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedKey {
    /// Name.
    pub name: String,
    /// Key.
    pub key: PublicKey,
    kind: u8,
}

impl NamedKey {
    /// Returns the key of a log; its name is the log's origin.
    #[must_use]
    pub fn log(name: &str, key: PublicKey) -> Self {
        Self { name: name.to_owned(), key, kind: LOG }
    }

    /// Returns the key of a witness.
    #[must_use]
    pub fn witness(name: &str, key: PublicKey) -> Self {
        Self { name: name.to_owned(), key, kind: COSIGNER }
    }

    /// Says whether it is a log's key.
    #[must_use]
    pub fn is_log(&self) -> bool {
        self.kind == LOG
    }

    fn id(&self) -> [u8; 4] {
        let name = self.name.as_bytes();
        let digest = Hash::of_parts(&[name, b"\n", &[self.kind], &self.key.0]);
        let mut id = [0; 4];
        id.copy_from_slice(digest.0.split_at(4).0);
        id
    }
}

impl fmt::Display for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind];
        bytes.extend_from_slice(&self.key.0);
        write!(f, "{}+{}+{}", self.name, hex(&self.id()), STANDARD.encode(bytes))
    }
}

impl FromStr for NamedKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Malformed);
        };
        let bytes = STANDARD.decode(key).map_err(|_| NoteError::Malformed)?;
        let (kind, key) = bytes.split_first().ok_or(NoteError::Malformed)?;
        let key = <[u8; 32]>::try_from(key).map_err(|_| NoteError::Malformed)?;
        let named = Self { name: name.to_owned(), key: PublicKey(key), kind: *kind };
        let plain = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+');
        if plain && matches!(*kind, LOG | COSIGNER) && hex(&named.id()) == id {
            Ok(named)
        } else {
            Err(NoteError::Malformed)
        }
    }
}

/// Returns the text of a note, which is what signatures are over, without the signature lines.
#[must_use]
pub fn text(note: &str) -> Option<&str> {
    let end = note.find("\n\n")?;
    note.get(..=end)
}

/// Returns the signature lines of a note.
#[must_use]
pub fn signatures(note: &str) -> Option<&str> {
    note.split_once("\n\n").map(|(_, lines)| lines)
}

fn cosigned(text: &str, unix_s: u64) -> String {
    format!("cosignature/v1\ntime {unix_s}\n{text}")
}

/// Returns the line with which `signer` cosigns the note at `unix_s`; `None` if it is no note.
#[must_use]
pub fn cosign(note: &str, name: &str, signer: &dyn Signer, unix_s: u64) -> Option<String> {
    let key = NamedKey::witness(name, signer.public());
    let mut bytes = key.id().to_vec();
    bytes.extend_from_slice(&unix_s.to_be_bytes());
    bytes.extend_from_slice(&signer.sign(cosigned(text(note)?, unix_s).as_bytes()));
    Some(format!("\u{2014} {name} {}\n", STANDARD.encode(bytes)))
}

/// Returns when `witness` cosigned the note, in Unix seconds, from the lines after it.
///
/// # Errors
/// [`NoteError::BadSignature`] if no line is a cosignature of this note by this witness.
pub fn cosigned_at(note: &str, lines: &str, witness: &NamedKey) -> Result<u64, NoteError> {
    let text = text(note).ok_or(NoteError::Malformed)?;
    let prefix = format!("\u{2014} {} ", witness.name);
    for line in lines.lines() {
        let Some(encoded) = line.strip_prefix(prefix.as_str()) else { continue };
        let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Malformed)?;
        let Some((id, rest)) = bytes.split_first_chunk::<4>() else { continue };
        let Some((time, signature)) = rest.split_first_chunk::<8>() else { continue };
        let Ok(signature) = Signature::from_slice(signature) else { continue };
        if *id != witness.id() {
            continue;
        }
        let unix_s = u64::from_be_bytes(*time);
        let verifying = witness.key.verifying().map_err(|_| NoteError::BadSignature)?;
        let message = cosigned(text, unix_s);
        verifying
            .verify_strict(message.as_bytes(), &signature)
            .map_err(|_| NoteError::BadSignature)?;
        return Ok(unix_s);
    }
    Err(NoteError::BadSignature)
}

/// What a log sends to a witness: a new checkpoint and the proof that it extends the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Size of the checkpoint that the witness cosigned last; 0 for none.
    pub old_size: u64,
    /// Consistency proof from there.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub note: String,
}

impl AddCheckpoint {
    /// Returns the request body.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut body = format!("old {}\n", self.old_size);
        for hash in &self.proof {
            // Writing to a string cannot fail.
            writeln!(body, "{}", STANDARD.encode(hash.0)).ok();
        }
        body.push('\n');
        body.push_str(&self.note);
        body
    }

    /// Reads a request body.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(body: &str) -> Result<Self, NoteError> {
        if body.len() > ADD_CHECKPOINT_BYTES_MAX {
            return Err(NoteError::Malformed);
        }
        let (head, note) = body.split_once("\n\n").ok_or(NoteError::Malformed)?;
        let mut lines = head.lines();
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old_size = old.and_then(|old| old.parse().ok()).ok_or(NoteError::Malformed)?;
        let mut proof = Vec::new();
        for line in lines {
            let hash = STANDARD.decode(line).ok().and_then(|bytes| Hash::from_slice(&bytes));
            proof.push(hash.ok_or(NoteError::Malformed)?);
            if proof.len() >= PROOF_HASHES_MAX {
                return Err(NoteError::Malformed);
            }
        }
        Ok(Self { old_size, proof, note: note.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cose::SoftwareKey;
    use crate::log::note::Checkpoint;

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "hq.example/log".into(), size: 42, root: Hash::of(b"r") }
    }

    #[test]
    fn a_named_key_reads_back_and_a_bent_one_does_not() {
        let key = SoftwareKey::from_secret(&[7; 32]).public();
        for named in [NamedKey::log("hq.example/log", key), NamedKey::witness("w.example", key)] {
            let text = named.to_string();
            assert_eq!(text.parse(), Ok(named.clone()));
            assert!(text.replace("example", "exemple").parse::<NamedKey>().is_err());
            let mut cut = text.clone();
            cut.pop();
            assert!(cut.parse::<NamedKey>().is_err());
            assert!(text.replacen('+', "-", 1).parse::<NamedKey>().is_err());
        }
    }

    /// The example key of C2SP `signed-note`.
    #[test]
    fn a_key_id_is_the_one_of_the_standard() {
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let named: NamedKey = text.parse().unwrap();
        assert_eq!((named.name.as_str(), named.is_log()), ("PeterNeumann", true));
        assert_eq!(named.to_string(), text);
    }

    #[test]
    fn a_cosignature_holds_for_its_note_its_witness_and_its_second_only() {
        let (log, witness) =
            (SoftwareKey::from_secret(&[1; 32]), SoftwareKey::from_secret(&[2; 32]));
        let note = checkpoint().sign(&log);
        let line = cosign(&note, "w.example", &witness, 1_795_500_000).unwrap();
        let named = NamedKey::witness("w.example", witness.public());
        assert_eq!(cosigned_at(&note, &line, &named), Ok(1_795_500_000));
        // Another signature line before it does not matter, and the note opens with both.
        let both = format!("{note}{line}");
        assert_eq!(cosigned_at(&both, signatures(&both).unwrap(), &named), Ok(1_795_500_000));
        Checkpoint::open(&both, "hq.example/log", &log.public()).unwrap();
        let other = Checkpoint { size: 43, ..checkpoint() }.sign(&log);
        assert!(cosigned_at(&other, &line, &named).is_err());
        assert!(cosigned_at(&note, &line, &NamedKey::witness("w.example", log.public())).is_err());
        assert!(
            cosigned_at(&note, &line, &NamedKey::witness("v.example", witness.public())).is_err()
        );
        assert!(cosigned_at(&note, "", &named).is_err());
    }

    #[test]
    fn a_request_reads_back_and_too_many_hashes_are_refused() {
        let note = checkpoint().sign(&SoftwareKey::from_secret(&[1; 32]));
        let request = AddCheckpoint { old_size: 7, proof: vec![Hash::of(b"a"); 3], note };
        assert_eq!(AddCheckpoint::parse(&request.to_text()), Ok(request.clone()));
        let first = AddCheckpoint { old_size: 0, proof: vec![], ..request.clone() };
        assert_eq!(AddCheckpoint::parse(&first.to_text()), Ok(first));
        let long = AddCheckpoint { proof: vec![Hash::of(b"a"); 64], ..request };
        assert!(AddCheckpoint::parse(&long.to_text()).is_err());
        assert!(AddCheckpoint::parse("old x\n\nnote").is_err());
        assert!(AddCheckpoint::parse("").is_err());
    }
}
