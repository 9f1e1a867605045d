//! The blob plane: files by hash, taken in chunks from where HQ stands.
//!
//! ```text
//! power fails after            on disk                      next request
//! chunk written, not synced    part, perhaps torn           goes on from the part's length;
//!                                                           a torn part fails the whole hash
//! chunk synced                 part up to the new offset    goes on there
//! whole hash checked, renamed  file in place, not noted     state() checks it again and notes it
//! noted in the store           complete                     complete
//! ```

mod folder;

use sync_model::hash::Hash;
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::push::{BlobState, NeedReply, NeedRequest};
use sync_model::wire::{BLOB_BYTES_MAX, CHUNK_BYTES_MAX};

use crate::durable;
use crate::error::{HqError, refuse};
use crate::hq::Hq;
use crate::store::{Device, StoreError};

pub(crate) use folder::BlobFolder;

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

impl Hq {
    /// Says where HQ stands with each file.
    ///
    /// # Errors
    /// [`ProblemCode::TooLarge`], or if store or disk fail.
    pub(crate) fn need(
        &self,
        device: &Device,
        request: &NeedRequest,
    ) -> Result<NeedReply, HqError> {
        if request.blobs.len() > NEED_MAX {
            return Err(refuse(ProblemCode::TooLarge, "too many files in one question"));
        }
        let blobs = request
            .blobs
            .iter()
            .map(|sha256| match self.blob_state(device, sha256) {
                // The record that cites it has not arrived yet: nothing is here.
                Err(HqError::Problem(problem)) if problem.code == ProblemCode::UnknownBlob => {
                    Ok(BlobState { sha256: *sha256, offset: 0, complete: false })
                }
                state => state,
            })
            .collect::<Result<_, _>>()?;
        Ok(NeedReply { blobs })
    }

    /// Says where HQ stands with one file; finishes what a power cut left unfinished.
    ///
    /// # Errors
    /// [`ProblemCode::UnknownBlob`] if no record of the device cites it.
    pub(crate) fn blob_state(&self, device: &Device, sha256: &Hash) -> Result<BlobState, HqError> {
        let cited = self.cited_length(device, sha256)?;
        let guard = self.0.blobs.lock(sha256);
        let state = self.state_locked(sha256, cited);
        drop(guard);
        state
    }

    fn cited_length(&self, device: &Device, sha256: &Hash) -> Result<u64, HqError> {
        let citation =
            self.0.store.read::<_, HqError>(|tx| Ok(tx.citation(device.device, sha256)?))?;
        citation
            .map(|citation| citation.bytes)
            .ok_or_else(|| refuse(ProblemCode::UnknownBlob, "no record cites this file"))
    }

    fn state_locked(&self, sha256: &Hash, cited: u64) -> Result<BlobState, HqError> {
        let known = self.0.store.read::<_, HqError>(|tx| Ok(tx.blob_complete(sha256)?))?;
        if let Some(bytes) = known {
            return Ok(BlobState { sha256: *sha256, offset: bytes, complete: true });
        }
        let whole = self.0.blobs.whole(sha256);
        if whole.exists() {
            let (found, length) = durable::hash_file(&whole).map_err(HqError::io("hash file"))?;
            if found != *sha256 {
                return Err(StoreError::Damaged("file").into());
            }
            return self.note_complete(sha256, length);
        }
        let offset = self.0.blobs.partial_length(sha256)?;
        if offset > 0 && offset == cited {
            match self.0.blobs.finish(sha256, cited) {
                Ok(()) => return self.note_complete(sha256, cited),
                // What a power cut left is not the file: it is sent anew.
                Err(HqError::Problem(_)) => {
                    return Ok(BlobState { sha256: *sha256, offset: 0, complete: false });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(BlobState { sha256: *sha256, offset, complete: false })
    }

    fn note_complete(&self, sha256: &Hash, bytes: u64) -> Result<BlobState, HqError> {
        let (now, noted) = (self.now(), *sha256);
        self.0.store.write::<_, HqError, _>(move |tx| Ok(tx.complete_blob(&noted, bytes, now)?))?;
        Ok(BlobState { sha256: noted, offset: bytes, complete: true })
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
        let cited = self.cited_length(device, sha256)?;
        if chunk.length > BLOB_BYTES_MAX || chunk.bytes.len() > CHUNK_BYTES_MAX {
            return Err(refuse(ProblemCode::TooLarge, "file or chunk is too large"));
        }
        if chunk.length != cited {
            return Err(refuse(ProblemCode::Malformed, "length is not the one that was cited"));
        }
        if Hash::of(chunk.bytes) != chunk.sha256 {
            return Err(refuse(ProblemCode::BadDigest, "chunk does not match its hash"));
        }
        let guard = self.0.blobs.lock(sha256);
        let state = self.take_locked(sha256, chunk);
        drop(guard);
        state
    }

    fn take_locked(&self, sha256: &Hash, chunk: &Chunk<'_>) -> Result<BlobState, HqError> {
        let state = self.state_locked(sha256, chunk.length)?;
        if state.complete {
            return Ok(state);
        }
        let count = u64::try_from(chunk.bytes.len()).unwrap_or(u64::MAX);
        let end = chunk.offset.saturating_add(count);
        if chunk.offset != state.offset {
            let mut problem = Problem::new(ProblemCode::BadOffset, "HQ stands elsewhere");
            problem.expected_offset = Some(state.offset);
            return Err(problem.into());
        }
        if end > chunk.length || (count == 0 && chunk.length > 0) {
            return Err(refuse(ProblemCode::Malformed, "chunk is empty or beyond the end"));
        }
        self.0.blobs.append(sha256, chunk.offset, chunk.bytes)?;
        // If the power fails here, the chunk is durable and the device learns it by asking.
        if end < chunk.length {
            return Ok(BlobState { sha256: *sha256, offset: end, complete: false });
        }
        self.0.blobs.finish(sha256, chunk.length)?;
        self.note_complete(sha256, chunk.length)
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
        let (citation, complete) = self.0.store.read::<_, HqError>(|tx| {
            Ok((tx.citation(device.device, sha256)?, tx.blob_complete(sha256)?))
        })?;
        let citation = citation
            .ok_or_else(|| refuse(ProblemCode::UnknownBlob, "no record cites this file"))?;
        let length =
            complete.ok_or_else(|| refuse(ProblemCode::NotFound, "file is not whole yet"))?;
        if length > GIVEN_BYTES_MAX {
            return Err(refuse(ProblemCode::TooLarge, "file is too large for one answer"));
        }
        let bytes = std::fs::read(self.0.blobs.whole(sha256)).map_err(HqError::io("read file"))?;
        if Hash::of(&bytes) == *sha256 {
            Ok((bytes, citation.media))
        } else {
            Err(StoreError::Damaged("file").into())
        }
    }
}
