//! 存证凭据: the device's signed promise about a document's record, for the party to keep.
//!
//! Made without a network; what it promises can be checked by anybody, now for the signature and
//! later for the place in HQ's log.

use sync_core::StoreError;
use sync_model::id::DocumentId;
use sync_model::slip::Slip;

use crate::error::AppError;
use crate::services::Services;

/// Returns the address that the slip of `document` opens on a phone. It speaks of the newest record
/// that brings the document's text, and carries the newest state of HQ's log known here.
///
/// # Errors
/// [`AppError::NotFound`] if there is no such document; [`AppError::Store`].
pub fn slip(services: &Services, document: DocumentId) -> Result<String, AppError> {
    let (record, seen, enrollment) = services.store.read(|reader| {
        let row = reader.document(document)?.ok_or(AppError::NotFound("document"))?;
        let mut records = match row.inspection {
            Some(inspection) => reader.records_of(inspection)?,
            None => reader.records_from(1, u64::from(u32::MAX))?,
        };
        let mut found = None;
        while let (None, Some(next)) = (&found, records.pop()) {
            let record = next.record()?;
            let brings = record.envelope.blobs.iter().any(|blob| blob.sha256 == row.text);
            found = brings.then_some(record);
        }
        let record = found.ok_or(AppError::NotFound("record of the document"))?;
        let enrollment = reader.enrollment()?.ok_or(StoreError::NotEnrolled)?;
        Ok::<_, AppError>((record, reader.log_head()?, enrollment))
    })?;
    Slip::of(&record, seen)
        .to_url(&enrollment.hq, &enrollment.device_certificate, services.store.device_key())
        .map_err(|_| AppError::NotFound("room in a slip"))
}
