//! An original that was removed here after HQ archived it comes back when somebody opens it.

use sync_model::hash::Hash;

use super::HqClient;
use super::blobs;
use crate::error::{StoreError, SyncError};
use crate::store::Store;

/// Fetches an original back from HQ, checks it against its name and keeps it for another retention
/// time; returns its bytes. One that lies here is read and nothing is asked of HQ.
///
/// # Errors
/// [`StoreError::MissingBlob`] if it is neither here nor noted as removed: that is damage.
/// [`SyncError::Unreachable`] while there is no line; the file stays at HQ.
pub fn fetch_original(
    store: &Store,
    client: &HqClient,
    sha256: &Hash,
) -> Result<Vec<u8>, SyncError> {
    let (removed, enrollment, citation) = store.read(|r| {
        Ok::<_, StoreError>((r.removed_at(sha256)?, r.enrollment()?, r.citation(sha256)?))
    })?;
    if removed.is_none() {
        return Ok(store.blobs().read(sha256)?);
    }
    let enrollment = enrollment.ok_or(StoreError::NotEnrolled)?;
    let (media, role) = citation.ok_or(StoreError::MissingBlob(*sha256))?;
    let bytes = blobs::fetch(store, client, enrollment.certificate.device, sha256)?;
    store.blobs().put(&bytes, &media, role)?;
    // If the power fails here, the file lies here and the row says removed: fetched again, if asked.
    store.note_fetched(sha256)?;
    Ok(bytes)
}
