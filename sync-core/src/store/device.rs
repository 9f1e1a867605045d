//! Who this device is: its certificate, the keys it trusts, where HQ is, and when it last spoke.

use std::sync::PoisonError;

use serde::{Deserialize, Serialize};
use sync_model::credential::{self, DeviceCertificate};
use sync_model::id::DeviceId;
use sync_model::time::Timestamp;
use sync_model::wire::enroll::{EnrollReply, Trust};

use super::sql::{Reader, from_content, set_meta, to_content};
use super::{Store, lock};
use crate::error::StoreError;

/// What enrolment gave the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrollment {
    /// HQ's address.
    pub hq: String,
    /// The signed certificate; its hash starts the chain.
    pub device_certificate: Vec<u8>,
    /// What it says.
    pub certificate: DeviceCertificate,
    /// Keys to trust.
    pub trust: Trust,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    hq: String,
    #[serde(with = "serde_bytes")]
    device_certificate: Vec<u8>,
    trust: Trust,
}

impl Reader<'_> {
    /// Returns what enrolment gave, or `None` before it.
    ///
    /// # Errors
    /// [`StoreError::Cose`] if the stored certificate does not verify any more.
    pub fn enrollment(&self) -> Result<Option<Enrollment>, StoreError> {
        let Some(bytes) = self.meta("enrollment")? else { return Ok(None) };
        let stored: Stored = from_content(&bytes, "enrollment")?;
        let issuer = stored.trust.issuer_key;
        let certificate = credential::open_device_certificate(&stored.device_certificate, &issuer)?;
        Ok(Some(Enrollment {
            hq: stored.hq,
            device_certificate: stored.device_certificate,
            certificate,
            trust: stored.trust,
        }))
    }

    /// Returns when, by this device's clock, it last compared clocks with HQ and found them equal.
    pub(super) fn synced_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.meta("synced_at")?.map(|bytes| from_content(&bytes, "synced at")).transpose()
    }

    /// Returns when, by this device's clock, the last round with HQ ended well.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn last_round_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.meta("last_round_at")?.map(|bytes| from_content(&bytes, "last round at")).transpose()
    }
}

impl Store {
    /// Returns the device and the signed certificate its chain starts from. The stored bytes are
    /// read each time; only what was opened from the same bytes before is not opened again.
    pub(super) fn own(&self, reader: &Reader<'_>) -> Result<(DeviceId, Vec<u8>), StoreError> {
        let bytes = reader.meta("enrollment")?.ok_or(StoreError::NotEnrolled)?;
        let mut known = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|(from, _)| *from != bytes) {
            let enrollment = reader.enrollment()?.ok_or(StoreError::NotEnrolled)?;
            *known = Some((bytes, enrollment));
        }
        let (_, own) = known.as_ref().ok_or(StoreError::NotEnrolled)?;
        Ok((own.certificate.device, own.device_certificate.clone()))
    }

    /// Keeps what enrolment gave.
    ///
    /// # Errors
    /// [`StoreError::Cose`] if the certificate is not by the given issuer for this device's key.
    pub fn enroll(&self, hq: &str, reply: &EnrollReply) -> Result<(), StoreError> {
        use sync_model::cose::{CoseError, Signer};
        let issuer = reply.trust.issuer_key;
        let certificate = credential::open_device_certificate(&reply.device_certificate, &issuer)?;
        if certificate.key != self.device_key.public() {
            return Err(CoseError::WrongKey.into());
        }
        let stored = Stored {
            hq: hq.to_owned(),
            device_certificate: reply.device_certificate.clone(),
            trust: reply.trust.clone(),
        };
        let mut connection = lock(&self.writer);
        let tx = connection.transaction()?;
        set_meta(&tx, "enrollment", &to_content(&stored)?)?;
        for officer in &reply.officers {
            tx.prepare_cached(
                "INSERT INTO officer (officer, name, certificate_number)
                 VALUES (:officer, :name, :certificate_number) ON CONFLICT (officer) DO NOTHING",
            )?
            .execute((
                officer.officer.as_bytes(),
                &officer.name,
                &officer.certificate_number,
            ))?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Moves HQ's address, for example when the practice HQ listens on another port.
    ///
    /// # Errors
    /// [`StoreError::NotEnrolled`].
    pub fn set_hq(&self, hq: &str) -> Result<(), StoreError> {
        let connection = lock(&self.writer);
        let bytes = Reader::new(&connection).meta("enrollment")?.ok_or(StoreError::NotEnrolled)?;
        let stored: Stored = from_content(&bytes, "enrollment")?;
        set_meta(&connection, "enrollment", &to_content(&Stored { hq: hq.to_owned(), ..stored })?)
    }

    /// Compares this device's clock with HQ's as just heard; says whether they agree.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_clock(&self, hq_at: Timestamp) -> Result<bool, StoreError> {
        /// Further apart than this, the device's clock is not called synced.
        const APART_MS: i64 = 60_000;
        self.note_told_time(hq_at)?;
        let now = self.clock.now().wall_at;
        let agrees = now.since_ms(hq_at).abs() <= APART_MS;
        if agrees {
            set_meta(&lock(&self.writer), "synced_at", &to_content(&now)?)?;
        }
        Ok(agrees)
    }

    /// Notes that HQ was reached and all that may go went.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_round(&self, hq_at: Timestamp) -> Result<(), StoreError> {
        self.note_clock(hq_at)?;
        self.note_round_end()
    }

    /// Notes that a round ended well; the clocks were compared when HQ answered.
    pub(crate) fn note_round_end(&self) -> Result<(), StoreError> {
        let now = self.clock.now().wall_at;
        set_meta(&lock(&self.writer), "last_round_at", &to_content(&now)?)
    }
}
