//! Officers, their activation codes and the keys they brought.

use rusqlite::{OptionalExtension, Row, named_params};
use sync_model::cose::PublicKey;
use sync_model::credential::{CertificateStatus, OfficerKind};
use sync_model::hash::Hash;
use sync_model::id::{DeviceId, OfficerId};
use sync_model::time::Timestamp;

use super::{StoreError, Tx};

/// An officer as HQ knows him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Officer {
    pub(crate) officer: OfficerId,
    pub(crate) name: String,
    pub(crate) kind: OfficerKind,
    pub(crate) certificate_number: String,
    pub(crate) authority: String,
    pub(crate) authority_name: String,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_to: Timestamp,
    pub(crate) status: CertificateStatus,
}

/// A one-time code for an officer on one device.
pub(crate) struct Activation {
    pub(crate) officer: OfficerId,
    /// The device that used the enrollment code, if any did.
    pub(crate) device: Option<DeviceId>,
    pub(crate) expires_at: Timestamp,
    pub(crate) used_key: Option<PublicKey>,
}

fn officer_from_row(row: &Row<'_>) -> rusqlite::Result<Officer> {
    let kind: String = row.get("kind")?;
    Ok(Officer {
        officer: OfficerId(uuid::Uuid::from_bytes(row.get("officer")?)),
        name: row.get("name")?,
        kind: if kind == "auxiliary" { OfficerKind::Auxiliary } else { OfficerKind::Officer },
        certificate_number: row.get("certificate_number")?,
        authority: row.get("authority")?,
        authority_name: row.get("authority_name")?,
        valid_from: Timestamp(row.get("valid_from_at")?),
        valid_to: Timestamp(row.get("valid_to_at")?),
        status: match row.get::<_, String>("status")?.as_str() {
            "active" => CertificateStatus::Active,
            "suspended" => CertificateStatus::Suspended,
            "lost" => CertificateStatus::Lost,
            _ => CertificateStatus::Cancelled,
        },
    })
}

fn status_name(status: CertificateStatus) -> &'static str {
    match status {
        CertificateStatus::Active => "active",
        CertificateStatus::Suspended => "suspended",
        CertificateStatus::Cancelled => "cancelled",
        CertificateStatus::Lost => "lost",
    }
}

impl Tx<'_> {
    /// Adds an officer.
    pub(crate) fn insert_officer(&self, officer: &Officer) -> Result<(), StoreError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO officer (officer, name, kind, certificate_number, authority,
                 authority_name, valid_from_at, valid_to_at)
             VALUES (:officer, :name, :kind, :certificate_number, :authority,
                 :authority_name, :valid_from_at, :valid_to_at)",
        )?;
        insert.execute(named_params! {
            ":officer": officer.officer.as_bytes(),
            ":name": officer.name,
            ":kind": match officer.kind {
                OfficerKind::Officer => "officer",
                OfficerKind::Auxiliary => "auxiliary",
            },
            ":certificate_number": officer.certificate_number,
            ":authority": officer.authority,
            ":authority_name": officer.authority_name,
            ":valid_from_at": officer.valid_from.0,
            ":valid_to_at": officer.valid_to.0,
        })?;
        Ok(())
    }

    /// Returns the officer.
    pub(crate) fn officer(&self, officer: OfficerId) -> Result<Option<Officer>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT officer, name, kind, certificate_number, authority, authority_name,
                 valid_from_at, valid_to_at, status
             FROM officer WHERE officer = :officer",
        )?;
        Ok(query
            .query_row(named_params! { ":officer": officer.as_bytes() }, officer_from_row)
            .optional()?)
    }

    /// Returns the officer with this certificate number.
    pub(crate) fn officer_by_certificate(
        &self,
        number: &str,
    ) -> Result<Option<Officer>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT officer, name, kind, certificate_number, authority, authority_name,
                 valid_from_at, valid_to_at, status
             FROM officer WHERE certificate_number = :number",
        )?;
        Ok(query.query_row(named_params! { ":number": number }, officer_from_row).optional()?)
    }

    /// Adds a one-time code for an officer on the device of `enrollment`.
    pub(crate) fn insert_activation(
        &self,
        code: &Hash,
        enrollment: &Hash,
        officer: OfficerId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO activation (code, enrollment, officer, expires_at)
             VALUES (:code, :enrollment, :officer, :expires_at)",
        )?;
        insert.execute(named_params! {
            ":code": code.0,
            ":enrollment": enrollment.0,
            ":officer": officer.as_bytes(),
            ":expires_at": expires_at.0,
        })?;
        Ok(())
    }

    /// Returns the officers that an enrollment code lets onto the device, in order of issue.
    pub(crate) fn enrollment_officers(&self, code: &Hash) -> Result<Vec<Officer>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT officer.officer, name, kind, certificate_number, authority, authority_name,
                 valid_from_at, valid_to_at, status
             FROM activation JOIN officer ON officer.officer = activation.officer
             WHERE enrollment = :code ORDER BY activation.rowid",
        )?;
        let rows = query.query_map(named_params! { ":code": code.0 }, officer_from_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the activation code with this hash.
    pub(crate) fn activation(&self, code: &Hash) -> Result<Option<Activation>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT officer, used_by, activation.expires_at, used_key
             FROM activation JOIN enrollment ON enrollment.code = activation.enrollment
             WHERE activation.code = :code",
        )?;
        Ok(query
            .query_row(named_params! { ":code": code.0 }, |row| {
                Ok(Activation {
                    officer: OfficerId(uuid::Uuid::from_bytes(row.get("officer")?)),
                    device: row
                        .get::<_, Option<[u8; 16]>>("used_by")?
                        .map(|bytes| DeviceId(uuid::Uuid::from_bytes(bytes))),
                    expires_at: Timestamp(row.get("expires_at")?),
                    used_key: row.get::<_, Option<[u8; 32]>>("used_key")?.map(PublicKey),
                })
            })
            .optional()?)
    }

    /// Changes the status of the officer's certificate; says whether there is such an officer.
    pub(crate) fn set_officer_status(
        &self,
        officer: OfficerId,
        status: CertificateStatus,
    ) -> Result<bool, StoreError> {
        let mut update = self
            .0
            .prepare_cached("UPDATE officer SET status = :status WHERE officer = :officer")?;
        let changed = update.execute(named_params! {
            ":status": status_name(status),
            ":officer": officer.as_bytes(),
        })?;
        Ok(changed == 1)
    }

    /// Marks the code as used with `key`, which belongs to the officer from now on.
    pub(crate) fn activate_officer(
        &self,
        code: &Hash,
        key: &OfficerKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update =
            self.0.prepare_cached("UPDATE activation SET used_key = :key WHERE code = :code")?;
        update.execute(named_params! { ":key": key.key.0, ":code": code.0 })?;
        let mut insert = self.0.prepare_cached(
            "INSERT INTO officer_key (key, officer, device, activated_at)
             VALUES (:key, :officer, :device, :now)",
        )?;
        insert.execute(named_params! {
            ":key": key.key.0,
            ":officer": key.officer.as_bytes(),
            ":device": key.device.as_bytes(),
            ":now": now.0,
        })?;
        Ok(())
    }

    /// Returns every key that the officer brought, on whichever device.
    pub(crate) fn officer_keys(&self, officer: OfficerId) -> Result<Vec<PublicKey>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT key FROM officer_key WHERE officer = :officer ORDER BY activated_at",
        )?;
        let rows = query.query_map(named_params! { ":officer": officer.as_bytes() }, |row| {
            row.get("key").map(PublicKey)
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// A key that an officer brought.
pub(crate) struct OfficerKey {
    pub(crate) key: PublicKey,
    pub(crate) officer: OfficerId,
    pub(crate) device: DeviceId,
}
