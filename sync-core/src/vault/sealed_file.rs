//! An evidence file at rest: a key of its own, wrapped by the data key, then chunks of 64 KiB that
//! can be read one by one but not changed, reordered, cut off or put under another name.
//!
//! ```text
//! magic 8 │ nonce of the chunks 19 │ nonce of the key 24 │ wrapped key 48 │ chunks of 65,536 + 16 …
//! ```
//!
//! The name, SHA-256 of the content, is bound to the wrapped key. The STREAM construction numbers
//! the chunks and marks the last one.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use aead_stream::{NewStream, StreamBE32, StreamPrimitive};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sync_model::hash::Hash;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::random;

const MAGIC: &[u8; 8] = b"XZseal1\n";
const HEADER: usize = 8 + 19 + 24 + 48;
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;

/// Says whether a file that begins so is sealed.
pub(crate) fn is_sealed(beginning: &[u8]) -> bool {
    beginning.starts_with(MAGIC)
}

/// Returns `bytes` sealed under `files_key` as the file `name`.
///
/// # Errors
/// [`StoreError::BadStored`] if there are more than 2³² chunks.
pub(crate) fn seal(name: &Hash, bytes: &[u8], files_key: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
    let refused = || StoreError::BadStored("evidence file (too long)");
    let (prefix, nonce) = (random::bytes::<19>(), random::bytes::<24>());
    let own = Zeroizing::new(random::bytes::<32>());
    let wrapped = XChaCha20Poly1305::new(&(*files_key).into())
        .encrypt(&XNonce::from(nonce), Payload { msg: own.as_slice(), aad: &bound(name, &prefix) })
        .map_err(|_| refused())?;
    let chunks = bytes.len().div_ceil(CHUNK).max(1);
    let mut sealed =
        Vec::with_capacity(HEADER.saturating_add(bytes.len()).saturating_add(chunks * TAG));
    for part in [MAGIC.as_slice(), &prefix, &nonce, &wrapped] {
        sealed.extend_from_slice(part);
    }
    let stream = stream(&own, &prefix);
    for number in 0..chunks {
        let rest = bytes.get(number * CHUNK..).unwrap_or_default();
        let part = rest.get(..CHUNK).unwrap_or(rest);
        let position = u32::try_from(number).map_err(|_| refused())?;
        let last = number + 1 == chunks;
        sealed.extend(stream.encrypt(position, last, part).map_err(|_| refused())?);
    }
    Ok(sealed)
}

fn bound(name: &Hash, prefix: &[u8; 19]) -> Vec<u8> {
    [MAGIC.as_slice(), name.0.as_slice(), prefix].concat()
}

fn stream(own: &[u8; 32], prefix: &[u8; 19]) -> StreamBE32<XChaCha20Poly1305> {
    StreamBE32::from_aead(XChaCha20Poly1305::new(&(*own).into()), &(*prefix).into())
}

/// A sealed file opened for reading.
pub(crate) struct SealedFile {
    file: File,
    name: Hash,
    stream: StreamBE32<XChaCha20Poly1305>,
    /// Bytes of the content.
    length: u64,
    chunks: u64,
}

impl SealedFile {
    /// Reads the header of `file`, which begins with the magic.
    ///
    /// # Errors
    /// [`StoreError::HashMismatch`] if the key does not open or the length is none that sealing makes.
    pub(crate) fn open(
        mut file: File,
        name: &Hash,
        files_key: &[u8; 32],
    ) -> Result<Self, StoreError> {
        let damaged = || StoreError::HashMismatch { what: format!("file {name}") };
        let whole = file.metadata().map_err(StoreError::io("read evidence file"))?.len();
        let mut header = [0; HEADER];
        file.seek(SeekFrom::Start(0)).and_then(|_| file.read_exact(&mut header)).map_err(
            |error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => damaged(),
                _ => StoreError::io("read evidence file")(error),
            },
        )?;
        let (_, rest) = header.split_at(MAGIC.len());
        let (prefix, rest) = rest.split_first_chunk::<19>().ok_or_else(damaged)?;
        let (nonce, wrapped) = rest.split_first_chunk::<24>().ok_or_else(damaged)?;
        let own = XChaCha20Poly1305::new(&(*files_key).into())
            .decrypt(&XNonce::from(*nonce), Payload { msg: wrapped, aad: &bound(name, prefix) })
            .map(Zeroizing::new)
            .map_err(|_| damaged())?;
        let own: &[u8; 32] = own.as_slice().try_into().map_err(|_| damaged())?;
        let (full, tag) = (step(CHUNK + TAG), step(TAG));
        let body = whole.checked_sub(step(HEADER)).ok_or_else(damaged)?;
        let chunks = body.div_ceil(full).max(1);
        let length = body.checked_sub(chunks * tag).ok_or_else(damaged)?;
        Ok(Self { file, name: *name, stream: stream(own, prefix), length, chunks })
    }

    /// Returns the bytes of the content.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Calls `take` with the content from `offset` on, `length` bytes of it, chunk by chunk.
    ///
    /// # Errors
    /// [`StoreError::HashMismatch`] if a chunk was changed or the file is shorter.
    pub(crate) fn read(
        &mut self,
        offset: u64,
        length: u64,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<(), StoreError> {
        let damaged = || StoreError::HashMismatch { what: format!("file {}", self.name) };
        let end = offset.checked_add(length).filter(|end| *end <= self.length);
        let end = end.ok_or_else(damaged)?;
        let size = step(CHUNK);
        let last = (end.saturating_sub(1) / size).min(self.chunks - 1);
        let mut room = vec![0; CHUNK + TAG];
        for number in offset / size..=last {
            let begins = number * size;
            let held = self.length.saturating_sub(begins).min(size);
            let held = usize::try_from(held).map_err(|_| damaged())?;
            let room = room.get_mut(..held + TAG).ok_or_else(damaged)?;
            let doing = StoreError::io("read evidence file");
            let place = step(HEADER) + number * step(CHUNK + TAG);
            match self.file.seek(SeekFrom::Start(place)).and_then(|_| self.file.read_exact(room)) {
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Err(damaged());
                }
                other => other.map_err(doing)?,
            }
            let position = u32::try_from(number).map_err(|_| damaged())?;
            let opened = self
                .stream
                .decrypt(position, number + 1 == self.chunks, &*room)
                .map(Zeroizing::new)
                .map_err(|_| damaged())?;
            let from = usize::try_from(offset.saturating_sub(begins)).map_err(|_| damaged())?;
            let to = usize::try_from((end - begins).min(size)).map_err(|_| damaged())?;
            take(opened.get(from..to).ok_or_else(damaged)?);
        }
        Ok(())
    }
}

/// A constant of the format as a file offset; a `usize` is never wider than 64 bits.
fn step(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const KEY: [u8; 32] = [7; 32];

    fn read(sealed: &[u8], name: &Hash, offset: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(sealed).unwrap();
        let mut found = Vec::new();
        let mut opened = SealedFile::open(file, name, &KEY)?;
        opened.read(offset, length, &mut |part| found.extend_from_slice(part))?;
        Ok(found)
    }

    fn content(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
    }

    #[test]
    fn any_part_of_a_file_of_any_length_reads_back() {
        for bytes in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5] {
            let (plain, name) = (content(bytes), Hash::of(&content(bytes)));
            let sealed = seal(&name, &plain, &KEY).unwrap();
            assert!(is_sealed(&sealed));
            let whole = u64::try_from(bytes).unwrap();
            assert_eq!(read(&sealed, &name, 0, whole).unwrap(), plain);
            for (from, to) in [(0, bytes / 2), (bytes / 3, bytes), (bytes / 2, bytes / 2)] {
                let part = read(
                    &sealed,
                    &name,
                    u64::try_from(from).unwrap(),
                    u64::try_from(to - from).unwrap(),
                );
                assert_eq!(part.unwrap(), plain[from..to], "{from}..{to} of {bytes}");
            }
            assert!(read(&sealed, &name, 0, whole + 1).is_err());
        }
    }

    #[test]
    fn a_changed_cut_swapped_or_renamed_file_does_not_open() {
        let (plain, name) = (content(2 * CHUNK + 9), Hash::of(&content(2 * CHUNK + 9)));
        let whole = u64::try_from(plain.len()).unwrap();
        let sealed = seal(&name, &plain, &KEY).unwrap();
        for at in (0..sealed.len()).step_by(997).chain([8, 27, 51, 98]) {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(read(&bad, &name, 0, whole).is_err() || !is_sealed(&bad), "byte {at}");
        }
        for kept in [HEADER - 1, HEADER + CHUNK + TAG, sealed.len() - 9 - TAG, sealed.len() - 1] {
            let mut opened = Vec::new();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&sealed[..kept]).unwrap();
            let found = SealedFile::open(file, &name, &KEY).and_then(|mut file| {
                let length = file.length();
                file.read(0, length, &mut |part| opened.extend_from_slice(part))
            });
            assert!(found.is_err(), "cut to {kept}");
        }
        let mut swapped = sealed.clone();
        let (one, two) = (HEADER, HEADER + CHUNK + TAG);
        swapped.copy_within(two..two + CHUNK + TAG, one);
        assert!(read(&swapped, &name, 0, whole).is_err());
        assert!(read(&sealed, &Hash::ZERO, 0, whole).is_err());
    }
}
