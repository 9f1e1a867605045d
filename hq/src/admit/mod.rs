//! Admission: what HQ finds when it looks at a record that is already in custody.
use sync_model::record::Record;
use sync_model::time::Timestamp;

use crate::error::HqError;
use crate::hq::Inner;
use crate::store::Tx;

impl Inner {
    /// Judges a record that was just taken.
    pub(crate) fn admit(
        &self,
        tx: &Tx<'_>,
        record: &Record,
        now: Timestamp,
    ) -> Result<(), HqError> {
        let _ = (tx, record, now);
        Ok(())
    }
}
