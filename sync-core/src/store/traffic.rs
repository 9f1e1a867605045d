//! What HQ allows over which network, what was spent today, and what was learnt of the line.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sync_model::id::InspectionId;
use sync_model::time::Timestamp;
use sync_model::wire::policy::Policy;

use super::sql::{Reader, from_content, set_meta, to_content};
use super::{Store, lock};
use crate::error::StoreError;
use crate::sync::tuning::Tuning;

/// Bytes of files sent over metered networks on a legal day.
#[derive(Serialize, Deserialize)]
struct Spent {
    day: NaiveDate,
    bytes: u64,
}

impl Reader<'_> {
    /// Returns HQ's rules as last heard.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn policy(&self) -> Result<Policy, StoreError> {
        let kept = self.meta("policy")?;
        kept.map_or(Ok(Policy::DEFAULT), |bytes| from_content(&bytes, "policy"))
    }

    /// Returns the bytes of files that went over metered networks on the legal day of `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn metered_bytes_on(&self, now: Timestamp) -> Result<u64, StoreError> {
        let Some(bytes) = self.meta("metered")? else { return Ok(0) };
        let spent: Spent = from_content(&bytes, "metered bytes")?;
        Ok(if spent.day == now.legal_date() { spent.bytes } else { 0 })
    }

    /// Returns what was learnt of the line.
    pub(crate) fn tuning(&self) -> Result<Tuning, StoreError> {
        let kept = self.meta("tuning")?;
        // Only advice: what cannot be read is learnt anew.
        Ok(kept.and_then(|bytes| from_content(&bytes, "tuning").ok()).unwrap_or_default())
    }

    /// Returns the night whose work was last done to the end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn night_done(&self) -> Result<Option<NaiveDate>, StoreError> {
        self.meta("night_done")?.map(|bytes| from_content(&bytes, "night")).transpose()
    }

    /// Says whether a visit's files go over any network.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_urgent(&self, inspection: InspectionId) -> Result<bool, StoreError> {
        let sql = "SELECT COUNT(*) FROM urgent WHERE inspection = :inspection";
        Ok(self.count(sql, [inspection.as_bytes()])? > 0)
    }
}

impl Store {
    /// Keeps HQ's rules, unless newer ones are known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_policy(&self, policy: &Policy) -> Result<(), StoreError> {
        let connection = lock(&self.writer);
        let kept = Reader::new(&connection).policy()?;
        if policy.revision < kept.revision || *policy == kept {
            return Ok(());
        }
        set_meta(&connection, "policy", &to_content(policy)?)
    }

    /// Counts bytes of files that are about to go over a metered network. Counted before they go:
    /// a cut chunk costs as much as one that arrived.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn spend(&self, bytes: u64) -> Result<(), StoreError> {
        let now = self.clock.now().wall_at;
        let connection = lock(&self.writer);
        let before = Reader::new(&connection).metered_bytes_on(now)?;
        let spent = Spent { day: now.legal_date(), bytes: before.saturating_add(bytes) };
        set_meta(&connection, "metered", &to_content(&spent)?)
    }

    pub(crate) fn keep_tuning(&self, tuning: Tuning) -> Result<(), StoreError> {
        let connection = lock(&self.writer);
        if Reader::new(&connection).tuning()? == tuning {
            return Ok(());
        }
        set_meta(&connection, "tuning", &to_content(&tuning)?)
    }

    /// Notes that all that may go went in the night of `night`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_night(&self, night: NaiveDate) -> Result<(), StoreError> {
        set_meta(&lock(&self.writer), "night_done", &to_content(&night)?)
    }

    /// Marks a visit urgent (its files go over any network), or takes that back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn mark_urgent(&self, inspection: InspectionId, urgent: bool) -> Result<(), StoreError> {
        let now = self.clock.now().wall_at;
        let connection = lock(&self.writer);
        if urgent {
            connection.execute(
                "INSERT INTO urgent (inspection, marked_at) VALUES (:inspection, :marked_at)
                 ON CONFLICT (inspection) DO NOTHING",
                (inspection.as_bytes(), now.0),
            )?;
        } else {
            let sql = "DELETE FROM urgent WHERE inspection = :inspection";
            connection.execute(sql, [inspection.as_bytes()])?;
        }
        Ok(())
    }
}
