//! Who works on the same assignment or visit, and which records tell a case.

use sync_model::id::{AssignmentId, CaseId, DeviceId, InspectionId};
use sync_model::time::Timestamp;

use super::{StoreError, Tx, params};

/// Records of a visit that a device is told when it joins; of a case that are folded.
pub(crate) const SHARED_MAX: u64 = 2_000;

/// An id under which devices work together.
pub(crate) type Scope<'a> = &'a [u8];

impl Tx<'_> {
    /// Adds the device to those of the scope.
    pub(crate) fn join(&self, scope: Scope<'_>, device: DeviceId) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO sharing (scope, device) VALUES (:scope, :device)
             ON CONFLICT (scope, device) DO NOTHING",
            &params! { ":scope": scope, ":device": &device },
        )
    }

    /// Returns what other devices made in the visit, as [`Tx::records_of_visit`], if the device is
    /// not yet among those of the visit; it is told once.
    pub(crate) fn news_of_visit(
        &self,
        inspection: InspectionId,
        device: DeviceId,
    ) -> Result<Vec<(DeviceId, u64, Vec<u8>)>, StoreError> {
        self.rows(
            "SELECT device, record.log_index AS log_index, record_body.bytes AS bytes FROM record
             JOIN record_body ON record_body.log_index = record.log_index
             WHERE inspection = :inspection AND record.device <> :device AND NOT EXISTS (
                 SELECT 1 FROM sharing WHERE sharing.scope = :inspection
                 AND sharing.device = :device
             )
             ORDER BY record.log_index LIMIT :limit",
            &params! { ":inspection": &inspection, ":device": &device, ":limit": SHARED_MAX },
            |row| Ok((row.get("device")?, row.get("log_index")?, row.get("bytes")?)),
        )
    }

    /// Returns the devices of the scope; a visit has few.
    pub(crate) fn members(&self, scope: Scope<'_>) -> Result<Vec<DeviceId>, StoreError> {
        self.rows(
            "SELECT device FROM sharing WHERE scope = :scope ORDER BY device LIMIT 32",
            &params! { ":scope": scope },
            |row| row.get("device"),
        )
    }

    /// Notes which assignment a visit carries out.
    pub(crate) fn note_visit(
        &self,
        inspection: InspectionId,
        assignment: AssignmentId,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO visit (inspection, assignment) VALUES (:inspection, :assignment)
             ON CONFLICT (inspection) DO NOTHING",
            &params! { ":inspection": &inspection, ":assignment": &assignment },
        )
    }

    /// Returns the visits of an assignment.
    pub(crate) fn visits(&self, assignment: AssignmentId) -> Result<Vec<InspectionId>, StoreError> {
        self.rows(
            "SELECT inspection FROM visit WHERE assignment = :assignment
             ORDER BY inspection LIMIT 32",
            &params! { ":assignment": &assignment },
            |row| row.get("inspection"),
        )
    }

    /// Returns the records of a visit with their places, in order of the log: device, log index,
    /// bytes.
    pub(crate) fn records_of_visit(
        &self,
        inspection: InspectionId,
    ) -> Result<Vec<(DeviceId, u64, Vec<u8>)>, StoreError> {
        self.rows(
            "SELECT device, record.log_index AS log_index, record_body.bytes AS bytes FROM record
             JOIN record_body ON record_body.log_index = record.log_index
             WHERE inspection = :inspection ORDER BY record.log_index LIMIT :limit",
            &params! { ":inspection": &inspection, ":limit": SHARED_MAX },
            |row| Ok((row.get("device")?, row.get("log_index")?, row.get("bytes")?)),
        )
    }

    /// Notes that a record tells the case.
    pub(crate) fn tell_case(&self, case: CaseId, log_index: u64) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO case_record (case_id, log_index) VALUES (:case, :log_index)
             ON CONFLICT (case_id, log_index) DO NOTHING",
            &params! { ":case": &case, ":log_index": log_index },
        )
    }

    /// Returns the cases of a visit that has any record of them.
    pub(crate) fn cases_of_visit(
        &self,
        inspection: InspectionId,
    ) -> Result<Vec<CaseId>, StoreError> {
        self.rows(
            "SELECT DISTINCT case_record.case_id AS case_id FROM record
             JOIN case_record ON case_record.log_index = record.log_index
             WHERE record.inspection = :inspection ORDER BY case_id LIMIT 256",
            &params! { ":inspection": &inspection },
            |row| row.get("case_id"),
        )
    }

    /// Returns the records that tell the case: log index and bytes.
    pub(crate) fn records_of_case(&self, case: CaseId) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.rows(
            "SELECT case_record.log_index AS log_index, record_body.bytes AS bytes FROM case_record
             JOIN record_body ON record_body.log_index = case_record.log_index
             WHERE case_id = :case ORDER BY case_record.log_index LIMIT :limit",
            &params! { ":case": &case, ":limit": SHARED_MAX },
            |row| Ok((row.get("log_index")?, row.get("bytes")?)),
        )
    }

    /// Keeps the case as folded.
    pub(crate) fn put_case_state(
        &self,
        case: CaseId,
        state: &[u8],
        reviews: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO case_state (case_id, state, reviews, updated_at)
             VALUES (:case, :state, :reviews, :now)
             ON CONFLICT (case_id) DO UPDATE SET state = excluded.state,
               reviews = excluded.reviews, updated_at = excluded.updated_at",
            &params! { ":case": &case, ":state": state, ":reviews": reviews, ":now": now },
        )
    }

    /// Returns the case as last folded.
    pub(crate) fn case_state(&self, case: CaseId) -> Result<Option<Vec<u8>>, StoreError> {
        self.first(
            "SELECT state FROM case_state WHERE case_id = :case",
            &params! { ":case": &case },
            |row| row.get("state"),
        )
    }

    /// Returns the cases with questions that nobody ruled on, newest first.
    pub(crate) fn cases_in_review(&self, limit: u64) -> Result<Vec<CaseId>, StoreError> {
        self.rows(
            "SELECT case_id FROM case_state WHERE reviews > COALESCE(
                 (SELECT MAX(ruling.reviews) FROM ruling
                  WHERE ruling.case_id = case_state.case_id), 0)
             ORDER BY updated_at DESC, case_id LIMIT :limit",
            &params! { ":limit": limit },
            |row| row.get("case_id"),
        )
    }
}
