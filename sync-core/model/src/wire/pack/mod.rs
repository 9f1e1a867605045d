//! A push body without what both ends know already, and in an order that compresses well.
//!
//! A record names the record before it by hash, twice, and HQ can compute both from the push
//! itself. Those hashes become references of one byte. What no compressor can shrink (signatures,
//! salts, the random part of ids, hashes of files) is taken out into a stream of its own, so that
//! the rest is text and repeats. Nothing here knows what a record means: places are found by their
//! CBOR form alone, every byte string goes through unchanged, and each record's signature proves
//! that it did. If a place does not look as expected, the record goes as it is.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use thiserror::Error;

use crate::canonical::{self, CanonicalError};
use crate::hash::Hash;
use crate::wire::push::PushRequest;
use crate::wire::{PUSH_BYTES_MAX, PUSH_RECORDS_MAX};

/// Media type of a packed push.
pub const MEDIA_PACKED: &str = "application/vnd.xunzheng.push+cbor";

/// Why a packed push cannot be opened.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PackError {
    /// The outer form.
    #[error("packed push: {0}")]
    Canonical(#[from] CanonicalError),
    /// A stream ends early, goes on too long or refers to what is not there.
    #[error("packed push: {0}")]
    Broken(&'static str),
    /// Opened, it would be over the limits of a push.
    #[error("packed push is larger than allowed when opened")]
    TooLarge,
}

/// What stands before bytes that are taken out: `prefix`, `keep` bytes that stay, `cut` that go.
struct Place {
    prefix: &'static [u8],
    keep: usize,
    cut: usize,
}

/// A byte string of 32: a hash, which may be one that both ends know.
const HASH: &[u8] = &[0x58, 0x20];
const HASH_BYTES: usize = 32;

const PLACES: [Place; 3] = [
    // A byte string of 64: the record's own signature, or an officer's.
    Place { prefix: &[0x58, 0x40], keep: 0, cut: 64 },
    Place { prefix: b"\x64salt\x50", keep: 0, cut: 16 },
    // UUIDv7 (RFC 9562 §5.7): 48 bits of time, then random.
    Place { prefix: b"\x66record\x50", keep: 6, cut: 10 },
];

/// Canonical CBOR; keys in an order that leaves what does not compress to the end.
#[derive(Serialize, Deserialize)]
struct Packed {
    /// For each record its length here, times two, plus one if it goes as it is.
    form: ByteBuf,
    /// Everything else of the push, without records.
    push: PushRequest,
    /// For each hash: 0 for one that stands in `random`, `2n - 1` for the hash of the record n
    /// before, `2n` for the n-th of those that stood in `random`.
    refs: ByteBuf,
    /// The records with all that was taken out missing.
    text: ByteBuf,
    /// What was taken out.
    random: ByteBuf,
}

/// A packed body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The bytes to send.
    pub bytes: Vec<u8>,
    /// How many of them, from the start, are worth compressing: a compressor that begins a new
    /// block there does better.
    pub compressible: usize,
}

#[derive(Default)]
struct Packer {
    form: Vec<u8>,
    refs: Vec<u8>,
    text: Vec<u8>,
    random: Vec<u8>,
    records: HashMap<Hash, usize>,
    literals: HashMap<Hash, usize>,
    count: usize,
}

impl Packer {
    fn record(&mut self, bytes: &[u8]) {
        let start = self.text.len();
        let marks = (self.refs.len(), self.random.len());
        let mut fresh = Vec::new();
        let cut = self.cut(bytes, &mut fresh).is_some();
        if !cut {
            // Bytes end inside a place, as those of a record never do.
            self.text.truncate(start);
            self.refs.truncate(marks.0);
            self.random.truncate(marks.1);
            for hash in fresh {
                self.literals.remove(&hash);
            }
            self.text.extend_from_slice(bytes);
        }
        let length = self.text.len().saturating_sub(start);
        put(&mut self.form, length.saturating_mul(2).saturating_add(usize::from(!cut)));
        self.records.insert(Hash::of(bytes), self.count);
        self.count = self.count.saturating_add(1);
    }

    fn cut(&mut self, bytes: &[u8], fresh: &mut Vec<Hash>) -> Option<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if let Some(tail) = rest.strip_prefix(HASH) {
                let (hash, tail) = tail.split_at_checked(HASH_BYTES)?;
                self.text.extend_from_slice(HASH);
                self.hash(Hash(hash.try_into().ok()?), fresh);
                rest = tail;
            } else if let Some((place, tail)) = place(rest) {
                let (kept, tail) = tail.split_at_checked(place.keep)?;
                let (taken, tail) = tail.split_at_checked(place.cut)?;
                self.text.extend_from_slice(place.prefix);
                self.text.extend_from_slice(kept);
                self.random.extend_from_slice(taken);
                rest = tail;
            } else {
                let (run, tail) = rest.split_at_checked(run(rest))?;
                self.text.extend_from_slice(run);
                rest = tail;
            }
        }
        Some(())
    }

    fn hash(&mut self, hash: Hash, fresh: &mut Vec<Hash>) {
        if let Some(at) = self.records.get(&hash) {
            let back = self.count.saturating_sub(*at);
            return put(&mut self.refs, back.saturating_mul(2).saturating_sub(1));
        }
        if let Some(at) = self.literals.get(&hash) {
            return put(&mut self.refs, at.saturating_mul(2));
        }
        put(&mut self.refs, 0);
        self.random.extend_from_slice(&hash.0);
        let nth = self.literals.len().saturating_add(1);
        self.literals.insert(hash, nth);
        fresh.push(hash);
    }
}

/// Returns the place that `rest` begins with, and what follows its prefix.
fn place(rest: &[u8]) -> Option<(&'static Place, &[u8])> {
    PLACES.iter().find_map(|place| Some((place, rest.strip_prefix(place.prefix)?)))
}

/// Returns how many bytes from the first on belong to no place for sure; at least one.
fn run(rest: &[u8]) -> usize {
    let mut after = rest.iter().skip(1);
    let next = after.position(|byte| matches!(byte, 0x58 | 0x64 | 0x66));
    next.map_or(rest.len(), |more| more.saturating_add(1))
}

/// Returns `request` as a packed body; [`unpack`] returns it again, byte for byte.
///
/// # Errors
/// [`CanonicalError`] if it has no canonical form.
pub fn pack(request: &PushRequest) -> Result<Body, CanonicalError> {
    let mut packer = Packer::default();
    for record in &request.records {
        packer.record(record);
    }
    let push = PushRequest { records: Vec::new(), ..request.clone() };
    let random = packer.random.len();
    let bytes = canonical::to_bytes(&Packed {
        form: packer.form.into(),
        push,
        refs: packer.refs.into(),
        text: packer.text.into(),
        random: packer.random.into(),
    })?;
    Ok(Body { compressible: bytes.len().saturating_sub(random), bytes })
}

/// Streams of a packed push, read from their starts.
struct Unpacker<'a> {
    refs: &'a [u8],
    random: &'a [u8],
    records: Vec<Hash>,
    literals: Vec<Hash>,
    /// Bytes that may still be written.
    room: usize,
}

impl Unpacker<'_> {
    fn put(&mut self, out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), PackError> {
        self.room = self.room.checked_sub(bytes.len()).ok_or(PackError::TooLarge)?;
        out.extend_from_slice(bytes);
        Ok(())
    }

    fn random(&mut self, out: &mut Vec<u8>, count: usize) -> Result<(), PackError> {
        let (taken, rest) = split(self.random, count)?;
        self.random = rest;
        self.put(out, taken)
    }

    fn restore(&mut self, text: &[u8]) -> Result<Vec<u8>, PackError> {
        let mut out = Vec::with_capacity(text.len().saturating_mul(2).min(self.room));
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(tail) = rest.strip_prefix(HASH) {
                self.put(&mut out, HASH)?;
                let hash = self.hash()?;
                self.put(&mut out, &hash.0)?;
                rest = tail;
            } else if let Some((place, tail)) = place(rest) {
                let (kept, tail) = split(tail, place.keep)?;
                self.put(&mut out, place.prefix)?;
                self.put(&mut out, kept)?;
                self.random(&mut out, place.cut)?;
                rest = tail;
            } else {
                let (run, tail) = split(rest, run(rest))?;
                self.put(&mut out, run)?;
                rest = tail;
            }
        }
        Ok(out)
    }

    fn hash(&mut self) -> Result<Hash, PackError> {
        let absent = PackError::Broken("reference to a hash that is not there");
        let reference = take(&mut self.refs)?;
        if reference == 0 {
            let (taken, rest) = split(self.random, HASH_BYTES)?;
            self.random = rest;
            let hash = Hash(taken.try_into().map_err(|_| PackError::Broken("hash"))?);
            self.literals.push(hash);
            return Ok(hash);
        }
        let (list, at) = if reference % 2 == 1 {
            let back = reference.saturating_add(1) / 2;
            (&self.records, self.records.len().checked_sub(back))
        } else {
            (&self.literals, (reference / 2).checked_sub(1))
        };
        at.and_then(|at| list.get(at)).copied().ok_or(absent)
    }
}

/// Returns the push in a packed body.
///
/// # Errors
/// [`PackError`]; never more than [`PUSH_BYTES_MAX`] bytes of records are made.
pub fn unpack(bytes: &[u8]) -> Result<PushRequest, PackError> {
    let packed: Packed = canonical::from_bytes(bytes, PUSH_BYTES_MAX)?;
    if !packed.push.records.is_empty() {
        return Err(PackError::Broken("records beside the packed ones"));
    }
    let mut unpacker = Unpacker {
        refs: &packed.refs,
        random: &packed.random,
        records: Vec::new(),
        literals: Vec::new(),
        room: PUSH_BYTES_MAX,
    };
    let (mut form, mut text) = (packed.form.as_slice(), packed.text.as_slice());
    let mut records = Vec::new();
    while !form.is_empty() {
        if records.len() >= PUSH_RECORDS_MAX {
            return Err(PackError::TooLarge);
        }
        let shape = take(&mut form)?;
        let (own, rest) = split(text, shape / 2)?;
        text = rest;
        let record = if shape % 2 == 1 {
            let mut out = Vec::new();
            unpacker.put(&mut out, own)?;
            out
        } else {
            unpacker.restore(own)?
        };
        unpacker.records.push(Hash::of(&record));
        records.push(ByteBuf::from(record));
    }
    if text.is_empty() && unpacker.refs.is_empty() && unpacker.random.is_empty() {
        Ok(PushRequest { records, ..packed.push })
    } else {
        Err(PackError::Broken("bytes are left over"))
    }
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), PackError> {
    bytes.split_at_checked(at).ok_or(PackError::Broken("stream ends early"))
}

/// Appends a number, seven bits a byte, low ones first (LEB128).
fn put(out: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

/// Takes a number of at most four bytes, which every number within the limits fits.
fn take(bytes: &mut &[u8]) -> Result<usize, PackError> {
    let mut number = 0;
    for shift in [0, 7, 14, 21] {
        let (first, rest) = bytes.split_first().ok_or(PackError::Broken("number ends early"))?;
        *bytes = rest;
        number |= usize::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(PackError::Broken("number is too long"))
}

#[cfg(test)]
mod tests;
