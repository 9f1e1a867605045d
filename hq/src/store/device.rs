//! Devices and the one-time codes that enroll them.

use rusqlite::{OptionalExtension, Row, named_params};
use sync_model::cose::PublicKey;
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::time::Timestamp;

use super::{StoreError, Tx, signed};

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
}

/// A one-time code for a device.
pub(crate) struct Enrollment {
    pub(crate) authority: String,
    pub(crate) device_name: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) used_by: Option<DeviceId>,
}

fn device_from_row(row: &Row<'_>) -> rusqlite::Result<Device> {
    Ok(Device {
        device: DeviceId(uuid::Uuid::from_bytes(row.get("device")?)),
        name: row.get("name")?,
        authority: row.get("authority")?,
        key: PublicKey(row.get("key")?),
        certificate: row.get("certificate")?,
        enrolled_at: Timestamp(row.get("enrolled_at")?),
        revoked_at: row.get::<_, Option<i64>>("revoked_at")?.map(Timestamp),
    })
}

impl Tx<'_> {
    /// Returns the device.
    pub(crate) fn device(&self, device: DeviceId) -> Result<Option<Device>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT device, name, authority, key, certificate, enrolled_at, revoked_at
             FROM device WHERE device = :device",
        )?;
        Ok(query
            .query_row(named_params! { ":device": device.as_bytes() }, device_from_row)
            .optional()?)
    }

    /// Returns the device that brought this key.
    pub(crate) fn device_by_key(&self, key: &PublicKey) -> Result<Option<Device>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT device, name, authority, key, certificate, enrolled_at, revoked_at
             FROM device WHERE key = :key",
        )?;
        Ok(query.query_row(named_params! { ":key": key.0 }, device_from_row).optional()?)
    }

    /// Returns every device.
    pub(crate) fn devices(&self) -> Result<Vec<Device>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT device, name, authority, key, certificate, enrolled_at, revoked_at
             FROM device ORDER BY device",
        )?;
        Ok(query.query_map([], device_from_row)?.collect::<Result<_, _>>()?)
    }

    /// Adds a device.
    pub(crate) fn insert_device(&self, device: &Device) -> Result<(), StoreError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO device (device, name, authority, key, certificate, enrolled_at)
             VALUES (:device, :name, :authority, :key, :certificate, :enrolled_at)",
        )?;
        insert.execute(named_params! {
            ":device": device.device.as_bytes(),
            ":name": device.name,
            ":authority": device.authority,
            ":key": device.key.0,
            ":certificate": device.certificate,
            ":enrolled_at": device.enrolled_at.0,
        })?;
        Ok(())
    }

    /// Withdraws the device's authority to send; says whether there is such a device.
    pub(crate) fn revoke_device(
        &self,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut update = self.0.prepare_cached(
            "UPDATE device SET revoked_at = COALESCE(revoked_at, :now) WHERE device = :device",
        )?;
        Ok(update.execute(named_params! { ":now": now.0, ":device": device.as_bytes() })? == 1)
    }

    /// Adds a one-time code for a device.
    pub(crate) fn insert_enrollment(
        &self,
        code: &Hash,
        enrollment: &Enrollment,
    ) -> Result<(), StoreError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO enrollment (code, authority, device_name, expires_at)
             VALUES (:code, :authority, :device_name, :expires_at)",
        )?;
        insert.execute(named_params! {
            ":code": code.0,
            ":authority": enrollment.authority,
            ":device_name": enrollment.device_name,
            ":expires_at": enrollment.expires_at.0,
        })?;
        Ok(())
    }

    /// Returns the one-time code with this hash.
    pub(crate) fn enrollment(&self, code: &Hash) -> Result<Option<Enrollment>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT authority, device_name, expires_at, used_by
             FROM enrollment WHERE code = :code",
        )?;
        Ok(query
            .query_row(named_params! { ":code": code.0 }, |row| {
                Ok(Enrollment {
                    authority: row.get("authority")?,
                    device_name: row.get("device_name")?,
                    expires_at: Timestamp(row.get("expires_at")?),
                    used_by: row
                        .get::<_, Option<[u8; 16]>>("used_by")?
                        .map(|bytes| DeviceId(uuid::Uuid::from_bytes(bytes))),
                })
            })
            .optional()?)
    }

    /// Marks the code as used by `device`.
    pub(crate) fn use_enrollment(&self, code: &Hash, device: DeviceId) -> Result<(), StoreError> {
        let mut update =
            self.0.prepare_cached("UPDATE enrollment SET used_by = :device WHERE code = :code")?;
        update.execute(named_params! { ":device": device.as_bytes(), ":code": code.0 })?;
        Ok(())
    }

    /// Keeps what the device will get in its feed once it is enrolled.
    pub(crate) fn prepare_item(&self, code: &Hash, prepared: &[u8]) -> Result<(), StoreError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO enrollment_item (enrollment, ordinal, prepared)
             SELECT :code, COUNT(*), :prepared FROM enrollment_item WHERE enrollment = :code",
        )?;
        insert.execute(named_params! { ":code": code.0, ":prepared": prepared })?;
        Ok(())
    }

    /// Returns what was prepared for the code, in order.
    pub(crate) fn prepared_items(&self, code: &Hash) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT prepared FROM enrollment_item WHERE enrollment = :code ORDER BY ordinal",
        )?;
        let rows = query.query_map(named_params! { ":code": code.0 }, |row| row.get("prepared"))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Leases the next `count` numbers of `word` and `year` to the device; returns first and last.
    pub(crate) fn insert_lease(
        &self,
        lease: &NewLease<'_>,
        now: Timestamp,
    ) -> Result<(u64, u64), StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT COALESCE(MAX(last), 0) AS last FROM number_lease
             WHERE word = :word AND year = :year",
        )?;
        let used: i64 = query
            .query_row(named_params! { ":word": lease.word, ":year": lease.year }, |row| {
                row.get("last")
            })?;
        let first = super::unsigned(used, "number lease")?.saturating_add(1);
        let last = first.saturating_add(lease.count.saturating_sub(1));
        let mut insert = self.0.prepare_cached(
            "INSERT INTO number_lease (lease, device, authority, word, year, first, last, issued_at)
             VALUES (:lease, :device, :authority, :word, :year, :first, :last, :now)",
        )?;
        insert.execute(named_params! {
            ":lease": lease.lease.as_bytes(),
            ":device": lease.device.as_bytes(),
            ":authority": lease.authority,
            ":word": lease.word,
            ":year": lease.year,
            ":first": signed(first),
            ":last": signed(last),
            ":now": now.0,
        })?;
        Ok((first, last))
    }

    /// Says whether the device holds the lease and the number lies in it.
    pub(crate) fn lease_covers(
        &self,
        device: DeviceId,
        lease: sync_model::id::LeaseId,
        number: u64,
    ) -> Result<bool, StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT 1 FROM number_lease WHERE lease = :lease AND device = :device
             AND :number BETWEEN first AND last",
        )?;
        Ok(query.exists(named_params! {
            ":lease": lease.as_bytes(),
            ":device": device.as_bytes(),
            ":number": signed(number),
        })?)
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
