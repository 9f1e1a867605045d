//! Officers, their activation codes and the keys they brought.

use sync_model::cose::PublicKey;
use sync_model::credential::{CertificateStatus, OfficerKind};
use sync_model::hash::Hash;
use sync_model::id::{DeviceId, OfficerId};
use sync_model::time::Timestamp;

use super::{Row, StoreError, Tx, params};

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

pub(super) fn officer_from_row(row: &Row<'_>) -> Result<Officer, StoreError> {
    let kind: String = row.get("kind")?;
    let status: String = row.get("status")?;
    Ok(Officer {
        officer: row.get("officer")?,
        name: row.get("name")?,
        kind: if kind == "auxiliary" { OfficerKind::Auxiliary } else { OfficerKind::Officer },
        certificate_number: row.get("certificate_number")?,
        authority: row.get("authority")?,
        authority_name: row.get("authority_name")?,
        valid_from: row.get("valid_from_at")?,
        valid_to: row.get("valid_to_at")?,
        status: status_from_name(&status),
    })
}

pub(super) fn status_from_name(name: &str) -> CertificateStatus {
    match name {
        "active" => CertificateStatus::Active,
        "suspended" => CertificateStatus::Suspended,
        "lost" => CertificateStatus::Lost,
        _ => CertificateStatus::Cancelled,
    }
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
        let kind = match officer.kind {
            OfficerKind::Officer => "officer",
            OfficerKind::Auxiliary => "auxiliary",
        };
        self.run(
            "INSERT INTO officer (officer, name, kind, certificate_number, authority,
                 authority_name, valid_from_at, valid_to_at)
             VALUES (:officer, :name, :kind, :certificate_number, :authority,
                 :authority_name, :valid_from_at, :valid_to_at)",
            &params! {
                ":officer": &officer.officer,
                ":name": &officer.name,
                ":kind": kind,
                ":certificate_number": &officer.certificate_number,
                ":authority": &officer.authority,
                ":authority_name": &officer.authority_name,
                ":valid_from_at": officer.valid_from,
                ":valid_to_at": officer.valid_to,
            },
        )
    }

    /// Returns the officer.
    pub(crate) fn officer(&self, officer: OfficerId) -> Result<Option<Officer>, StoreError> {
        self.first(
            "SELECT officer, name, kind, certificate_number, authority, authority_name,
                 valid_from_at, valid_to_at, status
             FROM officer WHERE officer = :officer",
            &params! { ":officer": &officer },
            officer_from_row,
        )
    }

    /// Returns the officer with this certificate number.
    pub(crate) fn officer_by_certificate(
        &self,
        number: &str,
    ) -> Result<Option<Officer>, StoreError> {
        self.first(
            "SELECT officer, name, kind, certificate_number, authority, authority_name,
                 valid_from_at, valid_to_at, status
             FROM officer WHERE certificate_number = :number",
            &params! { ":number": number },
            officer_from_row,
        )
    }

    /// Adds a one-time code for an officer on the device of `enrollment`.
    pub(crate) fn insert_activation(
        &self,
        code: &Hash,
        enrollment: &Hash,
        officer: OfficerId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO activation (code, enrollment, officer, expires_at, ordinal) VALUES (
                 :code, :enrollment, :officer, :expires_at,
                 (SELECT COUNT(*) FROM activation WHERE enrollment = :enrollment)
             )",
            &params! {
                ":code": code,
                ":enrollment": enrollment,
                ":officer": &officer,
                ":expires_at": expires_at,
            },
        )
    }

    /// Returns the officers that an enrollment code lets onto the device, in order of issue.
    pub(crate) fn enrollment_officers(&self, code: &Hash) -> Result<Vec<Officer>, StoreError> {
        self.rows(
            "SELECT officer.officer AS officer, name, kind, certificate_number, authority,
                 authority_name, valid_from_at, valid_to_at, status
             FROM activation JOIN officer ON officer.officer = activation.officer
             WHERE enrollment = :code ORDER BY activation.ordinal",
            &params! { ":code": code },
            officer_from_row,
        )
    }

    /// Returns the activation code with this hash.
    pub(crate) fn activation(&self, code: &Hash) -> Result<Option<Activation>, StoreError> {
        self.first(
            "SELECT officer, used_by, activation.expires_at AS expires_at, used_key
             FROM activation JOIN enrollment ON enrollment.code = activation.enrollment
             WHERE activation.code = :code",
            &params! { ":code": code },
            |row| {
                Ok(Activation {
                    officer: row.get("officer")?,
                    device: row.get("used_by")?,
                    expires_at: row.get("expires_at")?,
                    used_key: row.get("used_key")?,
                })
            },
        )
    }

    /// Changes the status of the officer's certificate; says whether there is such an officer.
    pub(crate) fn set_officer_status(
        &self,
        officer: OfficerId,
        status: CertificateStatus,
    ) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE officer SET status = :status WHERE officer = :officer",
            &params! { ":status": status_name(status), ":officer": &officer },
        )?;
        Ok(changed == 1)
    }

    /// Marks the code as used with `key`, which belongs to the officer from now on.
    pub(crate) fn activate_officer(
        &self,
        code: &Hash,
        key: &OfficerKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "UPDATE activation SET used_key = :key WHERE code = :code",
            &params! { ":key": &key.key, ":code": code },
        )?;
        self.run(
            "INSERT INTO officer_key (key, officer, device, activated_at)
             VALUES (:key, :officer, :device, :now)",
            &params! {
                ":key": &key.key,
                ":officer": &key.officer,
                ":device": &key.device,
                ":now": now,
            },
        )
    }

    /// Returns every key that the officer brought, on whichever device.
    pub(crate) fn officer_keys(&self, officer: OfficerId) -> Result<Vec<PublicKey>, StoreError> {
        self.rows(
            "SELECT key FROM officer_key WHERE officer = :officer ORDER BY activated_at",
            &params! { ":officer": &officer },
            |row| row.get("key"),
        )
    }
}

/// A key that an officer brought.
pub(crate) struct OfficerKey {
    pub(crate) key: PublicKey,
    pub(crate) officer: OfficerId,
    pub(crate) device: DeviceId,
}
