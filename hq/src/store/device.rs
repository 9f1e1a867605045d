//! Devices and the one-time codes that enroll them.

use sync_model::cose::PublicKey;
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::time::Timestamp;

use super::{Row, StoreError, Tx, params};

/// An enrolled device.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) device: DeviceId,
    pub(crate) name: String,
    pub(crate) authority: String,
    pub(crate) key: PublicKey,
    pub(crate) certificate: Vec<u8>,
    pub(crate) enrolled_at: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
    /// Leaves of the log when it was revoked.
    pub(crate) revoked_size: Option<u64>,
    /// When its certificate was renewed last.
    pub(crate) certified_at: Option<Timestamp>,
}

/// A one-time code for a device.
pub(crate) struct Enrollment {
    pub(crate) authority: String,
    pub(crate) device_name: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) used_by: Option<DeviceId>,
}

fn device_from_row(row: &Row<'_>) -> Result<Device, StoreError> {
    Ok(Device {
        device: row.get("device")?,
        name: row.get("name")?,
        authority: row.get("authority")?,
        key: row.get("key")?,
        certificate: row.get("certificate")?,
        enrolled_at: row.get("enrolled_at")?,
        revoked_at: row.get("revoked_at")?,
        revoked_size: row.get("revoked_size")?,
        certified_at: row.get("certified_at")?,
    })
}

impl Tx<'_> {
    /// Returns the device.
    pub(crate) fn device(&self, device: DeviceId) -> Result<Option<Device>, StoreError> {
        self.first(
            "SELECT device, name, authority, key, certificate, enrolled_at, revoked_at,
                 revoked_size, certified_at
             FROM device WHERE device = :device",
            &params! { ":device": &device },
            device_from_row,
        )
    }

    /// Returns the device that brought this key.
    pub(crate) fn device_by_key(&self, key: &PublicKey) -> Result<Option<Device>, StoreError> {
        self.first(
            "SELECT device, name, authority, key, certificate, enrolled_at, revoked_at,
                 revoked_size, certified_at
             FROM device WHERE key = :key",
            &params! { ":key": key },
            device_from_row,
        )
    }

    /// Returns every device.
    pub(crate) fn devices(&self) -> Result<Vec<Device>, StoreError> {
        self.rows(
            "SELECT device, name, authority, key, certificate, enrolled_at, revoked_at,
                 revoked_size, certified_at
             FROM device ORDER BY device",
            &params! {},
            device_from_row,
        )
    }

    /// Adds a device.
    pub(crate) fn insert_device(&self, device: &Device) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO device (device, name, authority, key, certificate, enrolled_at,
                 certified_at)
             VALUES (:device, :name, :authority, :key, :certificate, :enrolled_at,
                 :certified_at)",
            &params! {
                ":device": &device.device,
                ":name": &device.name,
                ":authority": &device.authority,
                ":key": &device.key,
                ":certificate": &device.certificate,
                ":enrolled_at": device.enrolled_at,
                ":certified_at": device.certified_at,
            },
        )
    }

    /// Renews the device's certificate; says whether there is such a device.
    pub(crate) fn certify_device(
        &self,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE device SET certified_at = :now WHERE device = :device",
            &params! { ":now": now, ":device": &device },
        )?;
        Ok(changed == 1)
    }

    /// Withdraws the device's authority to send from `size` leaves on; says whether there is such
    /// a device. The first revocation stands.
    pub(crate) fn revoke_device(
        &self,
        device: DeviceId,
        size: u64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE device SET revoked_size = CASE WHEN revoked_at IS NULL
                 THEN :size ELSE revoked_size END, revoked_at = COALESCE(revoked_at, :now)
             WHERE device = :device",
            &params! { ":size": size, ":now": now, ":device": &device },
        )?;
        Ok(changed == 1)
    }

    /// Returns how many leaves the log had when the device was revoked; `None` while it may send.
    pub(crate) fn revoked_size(&self, device: DeviceId) -> Result<Option<u64>, StoreError> {
        let found = self.first(
            "SELECT COALESCE(revoked_size, 0) AS revoked_size FROM device
             WHERE device = :device AND revoked_at IS NOT NULL",
            &params! { ":device": &device },
            |row| row.get("revoked_size"),
        )?;
        Ok(found)
    }

    /// Adds a one-time code for a device.
    pub(crate) fn insert_enrollment(
        &self,
        code: &Hash,
        enrollment: &Enrollment,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO enrollment (code, authority, device_name, expires_at)
             VALUES (:code, :authority, :device_name, :expires_at)",
            &params! {
                ":code": code,
                ":authority": &enrollment.authority,
                ":device_name": &enrollment.device_name,
                ":expires_at": enrollment.expires_at,
            },
        )
    }

    /// Returns the one-time code with this hash.
    pub(crate) fn enrollment(&self, code: &Hash) -> Result<Option<Enrollment>, StoreError> {
        self.first(
            "SELECT authority, device_name, expires_at, used_by
             FROM enrollment WHERE code = :code",
            &params! { ":code": code },
            |row| {
                Ok(Enrollment {
                    authority: row.get("authority")?,
                    device_name: row.get("device_name")?,
                    expires_at: row.get("expires_at")?,
                    used_by: row.get("used_by")?,
                })
            },
        )
    }

    /// Marks the code as used by `device`.
    pub(crate) fn use_enrollment(&self, code: &Hash, device: DeviceId) -> Result<(), StoreError> {
        self.run(
            "UPDATE enrollment SET used_by = :device WHERE code = :code",
            &params! { ":device": &device, ":code": code },
        )
    }

    /// Keeps what the device will get in its feed once it is enrolled.
    pub(crate) fn prepare_item(&self, code: &Hash, prepared: &[u8]) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO enrollment_item (enrollment, ordinal, prepared) VALUES (
                 :code,
                 (SELECT COUNT(*) FROM enrollment_item WHERE enrollment = :code),
                 :prepared
             )",
            &params! { ":code": code, ":prepared": prepared },
        )
    }

    /// Returns what was prepared for the code, in order.
    pub(crate) fn prepared_items(&self, code: &Hash) -> Result<Vec<Vec<u8>>, StoreError> {
        self.rows(
            "SELECT prepared FROM enrollment_item WHERE enrollment = :code ORDER BY ordinal",
            &params! { ":code": code },
            |row| row.get("prepared"),
        )
    }

    /// Leases the next `count` numbers of `word` and `year` to the device; returns first and last.
    pub(crate) fn insert_lease(
        &self,
        lease: &NewLease<'_>,
        now: Timestamp,
    ) -> Result<(u64, u64), StoreError> {
        let used: u64 = self.one(
            "SELECT COALESCE(MAX(last), 0) AS last FROM number_lease
             WHERE word = :word AND year = :year",
            &params! { ":word": lease.word, ":year": lease.year },
            |row| row.get("last"),
        )?;
        let first = used.saturating_add(1);
        let last = first.saturating_add(lease.count.saturating_sub(1));
        self.run(
            "INSERT INTO number_lease (lease, device, authority, word, year, first, last, issued_at)
             VALUES (:lease, :device, :authority, :word, :year, :first, :last, :now)",
            &params! {
                ":lease": &lease.lease,
                ":device": &lease.device,
                ":authority": lease.authority,
                ":word": lease.word,
                ":year": lease.year,
                ":first": first,
                ":last": last,
                ":now": now,
            },
        )?;
        Ok((first, last))
    }

    /// Says whether the device holds the lease and the number lies in it.
    pub(crate) fn lease_covers(
        &self,
        device: DeviceId,
        lease: sync_model::id::LeaseId,
        number: u64,
    ) -> Result<bool, StoreError> {
        self.exists(
            "SELECT 1 FROM number_lease WHERE lease = :lease AND device = :device
             AND :number BETWEEN first AND last",
            &params! { ":lease": &lease, ":device": &device, ":number": number },
        )
    }
}

/// A block of numbers to be leased.
pub(crate) struct NewLease<'a> {
    pub(crate) lease: sync_model::id::LeaseId,
    pub(crate) device: DeviceId,
    pub(crate) authority: &'a str,
    pub(crate) word: &'a str,
    pub(crate) year: i32,
    pub(crate) count: u64,
}
