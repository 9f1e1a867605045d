//! The status list: made anew with every change and before it expires, told to devices in the feed
//! and to everybody at `/c/status`.
//!
//! Devices get the newest alone: a handheld that was away for a month reads one list.

use sync_model::credential::CertificateStatus;
use sync_model::id::OfficerId;
use sync_model::status::{LIST_LIFE_MS, StatusList};
use sync_model::time::Timestamp;
use sync_model::wire::feed::FeedBody;

use crate::error::{AdminError, HqError};
use crate::hq::{Hq, Inner};
use crate::store::{ListRow, Tx};

/// Age from which a list is replaced: whoever fetches one may use it for half a day at least.
const RENEW_AFTER_MS: i64 = LIST_LIFE_MS / 2;

/// An officer in a list for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficerLine {
    /// The officer.
    pub officer: OfficerId,
    /// Name.
    pub name: String,
    /// Certificate number.
    pub certificate_number: String,
    /// Whether the certificate is in force.
    pub status: CertificateStatus,
}

impl Hq {
    /// Changes the status of the certificate with this number; everybody is told.
    ///
    /// # Errors
    /// [`AdminError::NoSuchOfficer`].
    pub fn set_certificate_status(
        &self,
        certificate_number: &str,
        status: CertificateStatus,
    ) -> Result<(), HqError> {
        let number = certificate_number.to_owned();
        let found =
            self.0.store.read::<_, HqError>(|tx| Ok(tx.officer_by_certificate(&number)?))?;
        let officer = found.ok_or(AdminError::NoSuchOfficer(number))?;
        self.set_officer_status(officer.officer, status)
    }

    /// Returns every officer, by certificate number.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn officers(&self) -> Result<Vec<OfficerLine>, HqError> {
        let officers = self.0.store.read::<_, HqError>(|tx| Ok(tx.officers()?))?;
        let line = |officer: crate::store::Officer| OfficerLine {
            officer: officer.officer,
            name: officer.name,
            certificate_number: officer.certificate_number,
            status: officer.status,
        };
        Ok(officers.into_iter().map(line).collect())
    }

    /// Returns the signed list that holds now, making one if there is none or it is old.
    ///
    /// # Errors
    /// If the store fails.
    pub fn status_list(&self) -> Result<Vec<u8>, HqError> {
        let (hq, now) = (self.0.clone(), self.now());
        let held = self.0.store.read::<_, HqError>(|tx| Ok(tx.newest_status_list()?))?;
        if let Some(list) = held.filter(|list| is_new(list, now)) {
            return Ok(list.bytes);
        }
        self.0.store.write(move |tx| match tx.newest_status_list()? {
            // Somebody else was faster.
            Some(list) if is_new(&list, now) => Ok(list.bytes),
            _ => hq.issue_status_list(tx, now),
        })
    }

    /// Replaces the list before it expires, once there is one.
    pub(crate) fn keep_status_list(&self) -> Result<(), HqError> {
        let held = self.0.store.read::<_, HqError>(|tx| Ok(tx.newest_status_list()?))?;
        if held.is_some() {
            self.status_list()?;
        }
        Ok(())
    }
}

/// A list from the future was made before the clock was set back, and is old.
fn is_new(list: &ListRow, now: Timestamp) -> bool {
    (0..RENEW_AFTER_MS).contains(&now.since_ms(list.issued_at))
}

impl Inner {
    /// Signs the list of everybody whose certificate is not in force and tells every device.
    pub(crate) fn issue_status_list(
        &self,
        tx: &Tx<'_>,
        now: Timestamp,
    ) -> Result<Vec<u8>, HqError> {
        let number = tx.newest_status_list()?.map_or(0, |list| list.number).saturating_add(1);
        let bytes = StatusList::new(number, now, &tx.withdrawn()?).sign(&self.keys.issuer)?;
        tx.insert_status_list(&ListRow { number, issued_at: now, bytes: bytes.clone() })?;
        self.issue(tx, None, FeedBody::Status(bytes.clone().into()), now)?;
        Ok(bytes)
    }
}
