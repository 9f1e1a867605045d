//! Records of partners: kept beside the own chain, read-only, and the case that both tell.
//!
//! Nothing gets in here without the signature of a device that HQ certified. Nothing in here changes
//! a projection of the own chain: a page that shows both reads both.

use rusqlite::{Connection, Row};
use sync_model::credential::{self, DeviceCertificate};
use sync_model::fold::{CaseState, Placed, case_of, fold};
use sync_model::hash::Hash;
use sync_model::id::{CaseId, DeviceId, InspectionId};
use sync_model::record::{BlobRole, Record};
use sync_model::time::Timestamp;
use sync_model::wire::audit::ChainHead;
use sync_model::wire::day::DayReport;
use sync_model::wire::partner::{COPY_FILE_BYTES_MAX, PartnerRecords};

use super::sql::{Reader, content, hash, id, id_or_none, signed, unsigned};
use super::{Enrollment, Store, lock};
use crate::error::StoreError;

/// Most bytes of records of one other device that are kept here: a day has a hundredth of it.
const DEVICE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A partner's record as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerRow {
    /// Its hash.
    pub hash: Hash,
    /// Whose.
    pub device: DeviceId,
    /// Place in the partner's chain.
    pub seq: u64,
    /// Kind of the act.
    pub kind: String,
    /// The visit.
    pub inspection: Option<InspectionId>,
    /// By the partner's clock.
    pub recorded_at: Timestamp,
    /// Place in HQ's log, if known.
    pub log_index: Option<u64>,
    /// The signed record.
    pub bytes: Vec<u8>,
}

impl PartnerRow {
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        let log_index: Option<i64> = row.get("log_index")?;
        Ok(Self {
            hash: hash(row, "hash")?,
            device: id(row, "device", DeviceId)?,
            seq: unsigned(row, "seq")?,
            kind: row.get("kind")?,
            inspection: id_or_none(row, "inspection", InspectionId)?,
            recorded_at: Timestamp(row.get("recorded_at")?),
            log_index: log_index.and_then(|index| u64::try_from(index).ok()),
            bytes: row.get("bytes")?,
        })
    }

    /// Returns what it says; its signature was checked when it was kept.
    ///
    /// # Errors
    /// [`StoreError::HashMismatch`] if the stored bytes are not what was kept.
    pub fn record(&self) -> Result<Record, StoreError> {
        let record = Record::read(&self.bytes)?;
        if record.hash == self.hash {
            Ok(record)
        } else {
            Err(StoreError::HashMismatch { what: format!("partner record {}", self.seq) })
        }
    }
}

/// A small file that a partner's record cites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartnerFile {
    /// Its name.
    pub sha256: Hash,
    /// Its length.
    pub bytes: u64,
}

const COLUMNS: &str = "SELECT hash, device, seq, kind, inspection, recorded_at, log_index, bytes
     FROM partner_record ";

impl Reader<'_> {
    /// Returns the certificate of another device whose records are kept here.
    ///
    /// # Errors
    /// [`StoreError::Cose`] if it does not verify any more.
    pub fn partner(&self, device: DeviceId) -> Result<Option<DeviceCertificate>, StoreError> {
        let enrollment = self.enrollment()?.ok_or(StoreError::NotEnrolled)?;
        let sql = "SELECT certificate FROM partner_device WHERE device = :device";
        let bytes: Option<Vec<u8>> =
            self.first(sql, [device.as_bytes()], |row| Ok(row.get("certificate")?))?;
        let issuer = enrollment.trust.issuer_key;
        bytes.map(|bytes| Ok(credential::open_device_certificate(&bytes, &issuer)?)).transpose()
    }

    /// Returns the partners' records of a visit, in order of device and seq.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn partner_records_of_visit(
        &self,
        inspection: InspectionId,
    ) -> Result<Vec<PartnerRow>, StoreError> {
        let sql = [COLUMNS, "WHERE inspection = :inspection ORDER BY device, seq"].concat();
        self.rows(&sql, [inspection.as_bytes()], PartnerRow::from_row)
    }

    /// Returns the partners' records of a case, in order of device and seq.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn partner_records_of_case(&self, case: CaseId) -> Result<Vec<PartnerRow>, StoreError> {
        let sql = [COLUMNS, "WHERE case_id = :case ORDER BY device, seq"].concat();
        self.rows(&sql, [case.as_bytes()], PartnerRow::from_row)
    }

    /// Returns records of a partner that HQ does not hold yet, in order of seq.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn to_bring(&self, limit: u64) -> Result<Vec<PartnerRow>, StoreError> {
        // One device at a time: what HQ answers is about one chain.
        let sql = [
            COLUMNS,
            "WHERE status = 'copied' AND device = (SELECT device FROM partner_record
               WHERE status = 'copied' ORDER BY device, seq LIMIT 1)
             ORDER BY seq LIMIT :limit",
        ]
        .concat();
        self.rows(&sql, [signed(limit)], PartnerRow::from_row)
    }

    /// Returns how many records of partners wait here to be brought to HQ.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn to_bring_count(&self) -> Result<u64, StoreError> {
        self.count("SELECT COUNT(*) FROM partner_record WHERE status = 'copied'", [])
    }

    /// Returns the end of the contiguous copy of a partner's chain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn partner_head(&self, device: DeviceId) -> Result<Option<ChainHead>, StoreError> {
        // The last record that was copied: a copy only grows at its end.
        self.first(
            "SELECT seq, hash FROM partner_record
             WHERE device = :device AND status <> 'told' ORDER BY seq DESC LIMIT 1",
            [device.as_bytes()],
            |row| Ok(ChainHead { seq: unsigned(row, "seq")?, hash: hash(row, "hash")? }),
        )
    }

    /// Returns small files of partners, by whether they are here and not brought to HQ yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn partner_files(&self, here: bool, limit: u64) -> Result<Vec<PartnerFile>, StoreError> {
        self.rows(
            "SELECT sha256, MAX(bytes) AS bytes FROM partner_file
             WHERE here = :here AND brought = 0 GROUP BY sha256 ORDER BY MIN(seq) LIMIT :limit",
            (here, signed(limit)),
            |row| Ok(PartnerFile { sha256: hash(row, "sha256")?, bytes: unsigned(row, "bytes")? }),
        )
    }

    /// Returns the case as this device's records and those of partners tell it together.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn case_state(&self, case: CaseId) -> Result<CaseState, StoreError> {
        let mut visits: Vec<InspectionId> = self.rows(
            "SELECT inspection FROM partner_record
             WHERE case_id = :case AND inspection IS NOT NULL
             UNION SELECT inspection FROM case_file WHERE case_id = :case",
            [case.as_bytes()],
            |row| id(row, "inspection", InspectionId),
        )?;
        visits.sort_unstable();
        visits.dedup();
        let mut placed = Vec::new();
        for inspection in visits {
            for row in self.records_of(inspection)? {
                let log_index = self.receipt(row.seq)?.map(|receipt| receipt.log_index);
                placed.push(Placed { record: row.record()?, log_index });
            }
            for row in self.partner_records_of_visit(inspection)? {
                placed.push(Placed { record: row.record()?, log_index: row.log_index });
            }
        }
        for row in self.partner_records_of_case(case)? {
            placed.push(Placed { record: row.record()?, log_index: row.log_index });
        }
        Ok(fold(case, placed))
    }

    /// Returns what HQ last said of a day that was closed here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn day_report(&self, on: chrono::NaiveDate) -> Result<Option<DayReport>, StoreError> {
        let sql = "SELECT content FROM day_report WHERE stated_on = :on";
        self.first(sql, [on.to_string()], |row| content(row, "content"))
    }
}

/// Where a partner's record came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// By HQ's feed, with its place in the log.
    Told(u64),
    /// From the device itself.
    Copied,
}

impl Store {
    /// Keeps records that a partner's device handed over, in order of its chain; returns how many
    /// are new.
    ///
    /// # Errors
    /// [`StoreError::Cose`] or [`StoreError::Record`] for one that this device did not sign; nothing
    /// is kept then.
    pub fn keep_copied(
        &self,
        certificate: &[u8],
        records: &[impl AsRef<[u8]>],
    ) -> Result<u64, StoreError> {
        let mut connection = lock(&self.writer);
        let tx = connection.transaction()?;
        let enrollment = Reader::new(&tx).enrollment()?.ok_or(StoreError::NotEnrolled)?;
        let partner = put_partner(&tx, &enrollment, certificate)?;
        let mut new = 0;
        for bytes in records {
            new += put(&tx, &partner, bytes.as_ref(), Came::Copied)?;
        }
        tx.commit()?;
        Ok(new)
    }

    /// Notes that HQ holds a partner's records, or will not take them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_brought(&self, held: &[(Hash, u64)]) -> Result<(), StoreError> {
        let mut connection = lock(&self.writer);
        let tx = connection.transaction()?;
        for (record, log_index) in held {
            tx.prepare_cached(
                "UPDATE partner_record SET status = 'brought', log_index = :log_index
                 WHERE hash = :hash",
            )?
            .execute((signed(*log_index), record.0))?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Parks a partner's record that HQ will not take from here, with HQ's reason.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn park_brought(&self, record: &Hash, reason: &str) -> Result<(), StoreError> {
        lock(&self.writer)
            .prepare_cached(
                "UPDATE partner_record SET status = 'parked', parked_reason = :reason
                 WHERE hash = :hash",
            )?
            .execute((reason, record.0))?;
        Ok(())
    }

    /// Notes that a small file of a partner is here now, or is at HQ.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_partner_file(&self, sha256: &Hash, brought: bool) -> Result<(), StoreError> {
        lock(&self.writer)
            .prepare_cached(
                "UPDATE partner_file SET here = 1, brought = MAX(brought, :brought)
                 WHERE sha256 = :sha256",
            )?
            .execute((brought, sha256.0))?;
        Ok(())
    }
}

/// Puts a feed item with records of a partner to use.
pub(super) fn put_told(
    tx: &Connection,
    enrollment: &Enrollment,
    told: &PartnerRecords,
) -> Result<(), StoreError> {
    let partner = put_partner(tx, enrollment, &told.certificate)?;
    for placed in &told.records {
        match put(tx, &partner, &placed.bytes, Came::Told(placed.log_index)) {
            // One that cannot be kept must not hold the feed up; HQ and the partner have it.
            Err(
                error @ (StoreError::Cose(_)
                | StoreError::Record(_)
                | StoreError::BadStored(_)
                | StoreError::DiskFull { .. }),
            ) => tracing::warn!(%error, "a partner's record was not kept"),
            other => drop(other?),
        }
    }
    Ok(())
}

fn put_partner(
    tx: &Connection,
    enrollment: &Enrollment,
    certificate: &[u8],
) -> Result<DeviceCertificate, StoreError> {
    let partner = credential::open_device_certificate(certificate, &enrollment.trust.issuer_key)?;
    tx.prepare_cached(
        "INSERT INTO partner_device (device, certificate) VALUES (:device, :certificate)
         ON CONFLICT (device) DO NOTHING",
    )?
    .execute((partner.device.as_bytes(), certificate))?;
    Ok(partner)
}

/// Keeps one record after checking whose it is; returns 1 if it is new.
fn put(
    tx: &Connection,
    partner: &DeviceCertificate,
    bytes: &[u8],
    came: Came,
) -> Result<u64, StoreError> {
    let record = Record::open(bytes, &partner.key)?;
    let envelope = &record.envelope;
    if envelope.device != partner.device {
        return Err(StoreError::BadStored("partner record"));
    }
    let held = Reader::new(tx).count(
        "SELECT COALESCE(SUM(length(bytes)), 0) FROM partner_record WHERE device = :device",
        [partner.device.as_bytes()],
    )?;
    if held > DEVICE_BYTES_MAX {
        return Err(StoreError::DiskFull { doing: "keep a partner's record" });
    }
    let (log_index, status) = match came {
        Came::Told(index) => (Some(signed(index)), "told"),
        Came::Copied => (None, "copied"),
    };
    let added = tx
        .prepare_cached(
            "INSERT INTO partner_record (hash, device, seq, kind, inspection, case_id, recorded_at,
               log_index, status, bytes)
             VALUES (:hash, :device, :seq, :kind, :inspection, :case_id, :recorded_at, :log_index,
               :status, :bytes)
             ON CONFLICT (hash) DO NOTHING",
        )?
        .execute(rusqlite::named_params! {
            ":hash": record.hash.0,
            ":device": envelope.device.as_bytes(),
            ":seq": signed(envelope.seq),
            ":kind": envelope.act.kind,
            ":inspection": envelope.inspection.as_ref().map(InspectionId::as_bytes),
            ":case_id": case_of(&record).as_ref().map(CaseId::as_bytes),
            ":recorded_at": envelope.recorded.wall_at.0,
            ":log_index": log_index,
            ":status": status,
            ":bytes": bytes,
        })?;
    if added == 0 {
        return known_again(tx, &record, came);
    }
    if came == Came::Copied {
        put_files(tx, &record)?;
    }
    Ok(1)
}

/// What is here already: HQ's word that it holds it ends the duty to bring it.
fn known_again(tx: &Connection, record: &Record, came: Came) -> Result<u64, StoreError> {
    if let Came::Told(index) = came {
        tx.prepare_cached(
            "UPDATE partner_record SET log_index = :log_index,
               status = CASE status WHEN 'copied' THEN 'brought' ELSE status END
             WHERE hash = :hash",
        )?
        .execute((signed(index), record.hash.0))?;
    }
    Ok(0)
}

fn put_files(tx: &Connection, record: &Record) -> Result<(), StoreError> {
    let envelope = &record.envelope;
    for blob in &envelope.blobs {
        let small = blob.bytes <= COPY_FILE_BYTES_MAX && blob.role != BlobRole::Original;
        if small {
            tx.prepare_cached(
                "INSERT INTO partner_file (sha256, device, seq, bytes, here)
                 VALUES (:sha256, :device, :seq, :bytes, 0)
                 ON CONFLICT (sha256, device) DO NOTHING",
            )?
            .execute((
                blob.sha256.0,
                envelope.device.as_bytes(),
                signed(envelope.seq),
                signed(blob.bytes),
            ))?;
        }
    }
    Ok(())
}
