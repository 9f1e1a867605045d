//! Officers of this device: credential, sealed key, and the count of wrong PINs.

use std::sync::Arc;

use rusqlite::Row;
use sync_model::cose::PublicKey;
use sync_model::credential::{self, Credential};
use sync_model::id::{BootId, OfficerId};
use sync_model::status::StatusList;

use super::sql::{Reader, from_content, id, id_or_none, signed, to_content, unsigned};
use super::{Store, lock};
use crate::error::StoreError;
use crate::key::SealedKey;

/// One officer as stored.
#[derive(Clone, Debug)]
pub struct OfficerRow {
    /// The officer.
    pub officer: OfficerId,
    /// Name.
    pub name: String,
    /// Certificate number.
    pub certificate_number: String,
    /// The signed credential, once activated.
    pub credential: Option<Vec<u8>>,
    /// The newest status list, which may know better than the credential.
    pub statuses: Option<Arc<StatusList>>,
    /// The officer's key under his PIN, once activated.
    pub sealed_key: Option<SealedKey>,
    /// Wrong PINs in a row.
    pub failures: u32,
    /// Monotonic time of the last wrong PIN.
    pub failed_mono_ms: u64,
    /// Its boot.
    pub failed_boot: Option<BootId>,
}

impl OfficerRow {
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        let sealed: Option<Vec<u8>> = row.get("sealed_key")?;
        Ok(Self {
            officer: id(row, "officer", OfficerId)?,
            name: row.get("name")?,
            certificate_number: row.get("certificate_number")?,
            credential: row.get("credential")?,
            statuses: None,
            sealed_key: sealed.map(|bytes| from_content(&bytes, "sealed key")).transpose()?,
            failures: row.get("failures")?,
            failed_mono_ms: unsigned(row, "failed_mono_ms")?,
            failed_boot: id_or_none(row, "failed_boot", BootId)?,
        })
    }

    /// Returns what the credential says, if `issuer` signed it, with the status that HQ told last.
    ///
    /// # Errors
    /// [`StoreError::Cose`] if it does not verify.
    pub fn open_credential(&self, issuer: &PublicKey) -> Result<Option<Credential>, StoreError> {
        self.credential
            .as_deref()
            .map(|bytes| {
                let mut credential = credential::open_credential(bytes, issuer)?;
                if let Some(statuses) = &self.statuses {
                    statuses.apply(&mut credential);
                }
                Ok(credential)
            })
            .transpose()
    }
}

const COLUMNS: &str = "SELECT officer, name, certificate_number, credential, sealed_key, failures,
                              failed_mono_ms, failed_boot FROM officer ORDER BY rowid";

impl Reader<'_> {
    /// Returns the officers of this device.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn officers(&self) -> Result<Vec<OfficerRow>, StoreError> {
        let statuses = self.status_list()?.map(Arc::new);
        let rows: Vec<OfficerRow> = self.rows(COLUMNS, [], OfficerRow::from_row)?;
        Ok(rows.into_iter().map(|row| OfficerRow { statuses: statuses.clone(), ..row }).collect())
    }

    /// Returns one officer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn officer(&self, officer: OfficerId) -> Result<Option<OfficerRow>, StoreError> {
        Ok(self.officers()?.into_iter().find(|row| row.officer == officer))
    }
}

impl Store {
    /// Keeps an officer's key, sealed, before HQ is asked for a credential: a lost reply is asked
    /// for again with the same key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_sealed_key(&self, officer: OfficerId, key: &SealedKey) -> Result<(), StoreError> {
        let connection = lock(&self.writer);
        connection
            .prepare_cached("UPDATE officer SET sealed_key = :key WHERE officer = :officer")?
            .execute((to_content(key)?, officer.as_bytes()))?;
        Ok(())
    }

    /// Keeps an officer's credential.
    ///
    /// # Errors
    /// [`StoreError::Cose`] if the trusted issuer did not sign it.
    pub fn keep_credential(&self, bytes: &[u8]) -> Result<Credential, StoreError> {
        let mut connection = lock(&self.writer);
        let tx = connection.transaction()?;
        let enrollment = Reader::new(&tx).enrollment()?.ok_or(StoreError::NotEnrolled)?;
        let credential = put_credential(&tx, bytes, &enrollment.trust.issuer_key)?;
        tx.commit()?;
        Ok(credential)
    }

    /// Counts a wrong PIN, durably, before the answer is shown.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn count_failure(&self, officer: OfficerId) -> Result<u32, StoreError> {
        let reading = self.clock.now();
        let connection = lock(&self.writer);
        connection
            .prepare_cached(
                "UPDATE officer SET failures = failures + 1, failed_mono_ms = :mono_ms,
                        failed_boot = :boot WHERE officer = :officer",
            )?
            .execute((signed(reading.mono_ms), reading.boot.as_bytes(), officer.as_bytes()))?;
        Ok(Reader::new(&connection).officer(officer)?.map_or(0, |row| row.failures))
    }

    /// Forgets the wrong PINs after a right one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_failures(&self, officer: OfficerId) -> Result<(), StoreError> {
        let connection = lock(&self.writer);
        connection
            .prepare_cached("UPDATE officer SET failures = 0 WHERE officer = :officer")?
            .execute([officer.as_bytes()])?;
        Ok(())
    }
}

pub(super) fn put_credential(
    connection: &rusqlite::Connection,
    bytes: &[u8],
    issuer: &PublicKey,
) -> Result<Credential, StoreError> {
    let credential = credential::open_credential(bytes, issuer)?;
    connection
        .prepare_cached(
            "UPDATE officer SET credential = :credential, name = :name,
                    certificate_number = :number WHERE officer = :officer",
        )?
        .execute((
            bytes,
            &credential.name,
            &credential.certificate_number,
            credential.officer.as_bytes(),
        ))?;
    Ok(credential)
}
