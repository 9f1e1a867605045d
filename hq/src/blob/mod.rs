//! The blob plane: files by hash, taken in chunks from where HQ stands.
//!
//! Each chunk but the last becomes an object of its own, then a row; the last one goes straight
//! into the whole file. What HQ promises stands in the store, so that any number of processes on
//! one store and one object store promise the same.
//!
//! ```text
//! power fails after             there is                        next request
//! part is an object             an object nobody knows          is told the old offset; sends the
//!                                                               part again; the sweep removes it
//! part noted                    a part up to the new offset     goes on there
//! whole file is in place        the file, its parts, no note    sends the last chunk again
//! noted, parts forgotten        a whole file, objects of parts  complete; the sweep removes them
//! ```

mod shelf;
mod sweep;

use sync_model::hash::Hash;
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::push::{BlobState, NeedReply, NeedRequest};
use sync_model::wire::{BLOB_BYTES_MAX, CHUNK_BYTES_MAX};

use crate::error::{HqError, refuse};
use crate::hq::Hq;
use crate::store::{Device, Part, Standing, StoreError, Tx};

pub(crate) use shelf::whole;
pub use sweep::{PART_DAYS, Swept};

use shelf::Unfit;

/// Most files asked about at once.
const NEED_MAX: usize = 10_000;
/// Largest file that is given back in one answer.
const GIVEN_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A chunk as it came, after the request was found authentic.
pub(crate) struct Chunk<'a> {
    /// Where it starts.
    pub(crate) offset: u64,
    /// Length of the whole file.
    pub(crate) length: u64,
    /// Hash of `bytes` as stated.
    pub(crate) sha256: Hash,
    /// The bytes.
    pub(crate) bytes: &'a [u8],
}

fn state(tx: &Tx<'_>, sha256: &Hash) -> Result<BlobState, StoreError> {
    if let Some(bytes) = tx.blob_complete(sha256)? {
        return Ok(BlobState { sha256: *sha256, offset: bytes, complete: true });
    }
    Ok(BlobState { sha256: *sha256, offset: tx.parts_end(sha256)?, complete: false })
}

fn stands(sha256: &Hash, standing: &Standing) -> BlobState {
    BlobState {
        sha256: *sha256,
        offset: standing.whole.unwrap_or(standing.reached),
        complete: standing.whole.is_some(),
    }
}

fn elsewhere(offset: u64) -> HqError {
    let mut problem = Problem::new(ProblemCode::BadOffset, "HQ stands elsewhere");
    problem.expected_offset = Some(offset);
    problem.into()
}

impl Hq {
    /// Says where HQ stands with each file.
    ///
    /// # Errors
    /// [`ProblemCode::TooLarge`], or if the store fails.
    pub(crate) fn need(
        &self,
        device: &Device,
        request: &NeedRequest,
    ) -> Result<NeedReply, HqError> {
        if request.blobs.len() > NEED_MAX {
            return Err(refuse(ProblemCode::TooLarge, "too many files in one question"));
        }
        self.0.store.read(|tx| {
            let states = request.blobs.iter().map(|sha256| {
                let standing = tx.standing(device.device, sha256)?;
                // The record that cites it has not arrived yet: nothing is here.
                let nothing = BlobState { sha256: *sha256, offset: 0, complete: false };
                Ok(standing.map_or(nothing, |standing| stands(sha256, &standing)))
            });
            Ok(NeedReply { blobs: states.collect::<Result<_, StoreError>>()? })
        })
    }

    /// Says where HQ stands with one file.
    ///
    /// # Errors
    /// [`ProblemCode::UnknownBlob`] if no record of the device cites it.
    pub(crate) fn blob_state(&self, device: &Device, sha256: &Hash) -> Result<BlobState, HqError> {
        Ok(self.cited(device, sha256)?.1)
    }

    /// Returns the cited length and where HQ stands.
    fn cited(&self, device: &Device, sha256: &Hash) -> Result<(u64, BlobState), HqError> {
        let standing =
            self.0.store.read::<_, HqError>(|tx| Ok(tx.standing(device.device, sha256)?))?;
        let standing = standing
            .ok_or_else(|| refuse(ProblemCode::UnknownBlob, "no record cites this file"))?;
        Ok((standing.cited, stands(sha256, &standing)))
    }

    /// Takes a chunk; answers with the offset that is durable now.
    ///
    /// # Errors
    /// [`ProblemCode::UnknownBlob`], [`ProblemCode::BadDigest`], [`ProblemCode::BadOffset`],
    /// [`ProblemCode::TooLarge`], [`ProblemCode::Malformed`].
    pub(crate) fn take_chunk(
        &self,
        device: &Device,
        sha256: &Hash,
        chunk: &Chunk<'_>,
    ) -> Result<BlobState, HqError> {
        let (cited, state) = self.cited(device, sha256)?;
        if chunk.length > BLOB_BYTES_MAX || chunk.bytes.len() > CHUNK_BYTES_MAX {
            return Err(refuse(ProblemCode::TooLarge, "file or chunk is too large"));
        }
        if chunk.length != cited {
            return Err(refuse(ProblemCode::Malformed, "length is not the one that was cited"));
        }
        if Hash::of(chunk.bytes) != chunk.sha256 {
            return Err(refuse(ProblemCode::BadDigest, "chunk does not match its hash"));
        }
        if state.complete {
            return Ok(state);
        }
        let bytes = u64::try_from(chunk.bytes.len()).unwrap_or(u64::MAX);
        let part = Part { start: chunk.offset, bytes, digest: chunk.sha256 };
        if part.start != state.offset {
            return Err(elsewhere(state.offset));
        }
        if part.end() > chunk.length || (bytes == 0 && chunk.length > 0) {
            return Err(refuse(ProblemCode::Malformed, "chunk is empty or beyond the end"));
        }
        if part.end() < chunk.length {
            self.take_part(sha256, part, chunk.bytes)
        } else {
            self.finish(sha256, chunk)
        }
    }

    fn take_part(&self, sha256: &Hash, part: Part, bytes: &[u8]) -> Result<BlobState, HqError> {
        self.0.objects.put(&shelf::part(sha256, &part), bytes.to_vec())?;
        // If the power fails here, nobody knows the object and the device sends it again.
        let (now, name) = (self.now(), *sha256);
        let (noted, state) = self.0.store.write::<_, HqError, _>(move |tx| {
            // Another upload may have finished the file while this part was written.
            let noted = tx.blob_complete(&name)?.is_none() && tx.note_part(&name, &part, now)?;
            Ok((noted, state(tx, &name)?))
        })?;
        if noted || state.complete { Ok(state) } else { Err(elsewhere(state.offset)) }
    }

    /// Makes the whole file of the parts and the last chunk.
    fn finish(&self, sha256: &Hash, chunk: &Chunk<'_>) -> Result<BlobState, HqError> {
        let parts = self.0.store.read::<_, HqError>(|tx| Ok(tx.parts(sha256)?))?;
        let end = parts.last().map_or(0, Part::end);
        if end != chunk.offset {
            return Err(elsewhere(end));
        }
        let made = shelf::assemble(&self.0.objects, sha256, &parts, chunk.bytes);
        let damaged = match made {
            Ok(()) => return self.note_complete(sha256, chunk.length, &parts),
            Err(Unfit::Part(start)) => Some(start),
            Err(Unfit::Whole(found)) => {
                tracing::warn!(%found, "a file is not what its record cites");
                None
            }
            Err(Unfit::Failed(error)) => return Err(error),
        };
        let from = damaged.unwrap_or(0);
        // Another upload may have finished the file and removed the parts meanwhile.
        let name = *sha256;
        let state = self.0.store.write::<_, HqError, _>(move |tx| {
            tx.forget_parts(&name, from)?;
            Ok(state(tx, &name)?)
        })?;
        if state.complete {
            return Ok(state);
        }
        self.remove_parts(sha256, parts.iter().filter(|part| part.start >= from));
        if damaged.is_none() {
            return Err(refuse(ProblemCode::BadDigest, "file does not match its hash"));
        }
        tracing::warn!(from, "a part was damaged and is asked for again");
        Err(elsewhere(state.offset))
    }

    fn note_complete(
        &self,
        sha256: &Hash,
        bytes: u64,
        parts: &[Part],
    ) -> Result<BlobState, HqError> {
        // If the power fails here, the device sends the last chunk again.
        let (now, noted) = (self.now(), *sha256);
        self.0.store.write::<_, HqError, _>(move |tx| {
            tx.complete_blob(&noted, bytes, now)?;
            Ok(tx.forget_parts(&noted, 0)?)
        })?;
        self.remove_parts(sha256, parts.iter());
        Ok(BlobState { sha256: *sha256, offset: bytes, complete: true })
    }

    /// Removes objects of parts that nobody needs; the sweep gets what stays behind.
    fn remove_parts<'p>(&self, sha256: &Hash, parts: impl Iterator<Item = &'p Part>) {
        for part in parts {
            if let Err(error) = self.0.objects.remove(&shelf::part(sha256, part)) {
                tracing::warn!(%error, "a part could not be removed");
            }
        }
    }

    /// Returns a whole file of the device with its media type, its hash checked after reading.
    ///
    /// # Errors
    /// [`ProblemCode::UnknownBlob`], [`ProblemCode::NotFound`], [`ProblemCode::TooLarge`];
    /// damage of the stored file.
    pub(crate) fn give_blob(
        &self,
        device: &Device,
        sha256: &Hash,
    ) -> Result<(Vec<u8>, String), HqError> {
        let (media, complete) = self.0.store.read::<_, HqError>(|tx| {
            Ok((tx.cited_media(device.device, sha256)?, tx.blob_complete(sha256)?))
        })?;
        let media =
            media.ok_or_else(|| refuse(ProblemCode::UnknownBlob, "no record cites this file"))?;
        let length =
            complete.ok_or_else(|| refuse(ProblemCode::NotFound, "file is not whole yet"))?;
        if length > GIVEN_BYTES_MAX {
            return Err(refuse(ProblemCode::TooLarge, "file is too large for one answer"));
        }
        let bytes = self.0.objects.get(&whole(sha256), GIVEN_BYTES_MAX)?;
        let bytes = bytes.ok_or(StoreError::Damaged("file"))?;
        if Hash::of(&bytes) == *sha256 {
            Ok((bytes, media))
        } else {
            Err(StoreError::Damaged("file").into())
        }
    }
}
