//! The newest status list that HQ issued; an older one never takes its place.

use rusqlite::Connection;
use sync_model::status::{StatusError, StatusList};

use super::sql::{Reader, set_meta};
use super::{Enrollment, Store};
use crate::error::StoreError;

const LIST: &str = "status_list";

impl Reader<'_> {
    /// Returns the newest status list that this device was told, if it was told any.
    ///
    /// # Errors
    /// [`StoreError::BadStored`] if it does not verify any more.
    pub fn status_list(&self) -> Result<Option<StatusList>, StoreError> {
        let (Some(bytes), Some(enrollment)) = (self.meta(LIST)?, self.enrollment()?) else {
            return Ok(None);
        };
        StatusList::open(&bytes, &enrollment.trust.issuer_key, 0)
            .map(Some)
            .map_err(|_| StoreError::BadStored("status list"))
    }
}

/// Keeps the list if it is newer than the one here. One that is not, or that the issuer did not
/// sign, changes nothing and holds nothing up: what was withdrawn stays withdrawn.
pub(super) fn put_list(
    tx: &Connection,
    bytes: &[u8],
    enrollment: &Enrollment,
) -> Result<(), StoreError> {
    let seen = Reader::new(tx).status_list()?.map_or(0, |list| list.number);
    match StatusList::open(bytes, &enrollment.trust.issuer_key, seen) {
        Ok(_) => set_meta(tx, LIST, bytes),
        Err(error @ (StatusError::RolledBack { .. } | StatusError::Cose(_))) => {
            tracing::warn!(%error, "a status list is not used");
            Ok(())
        }
    }
}

impl Store {
    /// Returns the newest status list; as [`Reader::status_list`].
    ///
    /// # Errors
    /// As [`Reader::status_list`].
    pub fn status_list(&self) -> Result<Option<StatusList>, StoreError> {
        self.read(|r| r.status_list())
    }
}
