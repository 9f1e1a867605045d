//! Record packs: runs of the log as compressed objects, `records/<first>-<count>-<hash>`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use sync_model::canonical;
use sync_model::hash::Hash;
use sync_model::log::tree;
use sync_model::time::Timestamp;

use crate::error::HqError;
use crate::hq::Hq;
use crate::objects::Objects;
use crate::store::{LogNodes, Pack, StoreError};

/// Most records in one pack.
const RECORDS_MAX: u64 = 1000;
/// Compression of packs: they are written once.
const LEVEL: i32 = 9;
/// Largest pack that is read back, unpacked.
const PACK_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Folder of packs.
pub(super) const FOLDER: &str = "records";

/// A run of the log.
#[derive(Serialize, Deserialize)]
pub(super) struct Run {
    /// Of which log.
    pub(super) origin: String,
    /// Log index of the first record.
    pub(super) first: u64,
    /// Root of the log up to the last record: says which history this is a part of.
    pub(super) root: Hash,
    /// Signed records in the order of the log.
    pub(super) records: Vec<Packed>,
    /// Their devices, so that a restored HQ knows one that was enrolled after the backup.
    pub(super) devices: Vec<PackedDevice>,
}

/// A device in a pack.
#[derive(Serialize, Deserialize)]
pub(super) struct PackedDevice {
    /// The certificate that HQ issued.
    pub(super) certificate: ByteBuf,
    /// Its name.
    pub(super) name: String,
    /// Its authority.
    pub(super) authority: String,
    /// When it was enrolled.
    pub(super) enrolled_at: Timestamp,
}

/// A record in a pack.
#[derive(Serialize, Deserialize)]
pub(super) struct Packed {
    /// The signed bytes.
    pub(super) bytes: ByteBuf,
    /// When HQ received it.
    pub(super) received_at: Timestamp,
}

/// Returns the name of a pack.
fn name(pack: &Pack) -> String {
    format!("{FOLDER}/{:012}-{}-{}", pack.first, pack.count, pack.sha256)
}

/// Returns the pack that a name states.
pub(super) fn stated(name: &str) -> Option<Pack> {
    let mut parts = name.rsplit('/').next()?.splitn(3, '-');
    let first = parts.next()?.parse().ok()?;
    let count = parts.next()?.parse().ok()?;
    Some(Pack { first, count, sha256: Hash::from_hex(parts.next()?)?, bytes: 0 })
}

/// Returns the run in the pack after checking it against its name.
pub(super) fn read(archive: &Objects, pack: &Pack) -> Result<Run, HqError> {
    let max = u64::try_from(PACK_BYTES_MAX).unwrap_or(u64::MAX);
    let bytes = archive.get(&name(pack), max)?.ok_or(StoreError::Damaged("pack"))?;
    if Hash::of(&bytes) != pack.sha256 {
        return Err(StoreError::Damaged("pack").into());
    }
    let plain =
        zstd::bulk::decompress(&bytes, PACK_BYTES_MAX).map_err(|_| StoreError::Damaged("pack"))?;
    let run: Run = canonical::from_bytes(&plain, PACK_BYTES_MAX)?;
    if run.first == pack.first && u64::try_from(run.records.len()) == Ok(pack.count) {
        Ok(run)
    } else {
        Err(StoreError::Damaged("pack").into())
    }
}

impl Hq {
    /// Archives all records that are not; returns how many.
    pub(super) fn archive_records(&self, archive: &Objects) -> Result<u64, HqError> {
        let mut archived = 0;
        loop {
            let (first, root, rows, devices) = self.0.store.read::<_, HqError>(|tx| {
                let first = tx.archived_records()?;
                let rows = tx.pack_rows(first, RECORDS_MAX)?;
                let named: BTreeSet<_> = rows.iter().map(|row| row.device).collect();
                let devices = named.into_iter().map(|device| {
                    tx.device(device)?.ok_or(StoreError::Damaged("device of a record"))
                });
                let devices = devices.collect::<Result<Vec<_>, StoreError>>()?;
                let count = u64::try_from(rows.len()).unwrap_or_default();
                let size = first.saturating_add(count);
                let root = tree::root(&LogNodes::at(tx, size), size)?;
                Ok((first, root, rows, devices))
            })?;
            if rows.is_empty() {
                return Ok(archived);
            }
            let run = Run {
                origin: self.trust().log_origin,
                first,
                root,
                records: rows
                    .into_iter()
                    .map(|row| Packed { bytes: row.bytes.into(), received_at: row.received_at })
                    .collect(),
                devices: devices
                    .into_iter()
                    .map(|device| PackedDevice {
                        certificate: device.certificate.into(),
                        name: device.name,
                        authority: device.authority,
                        enrolled_at: device.enrolled_at,
                    })
                    .collect(),
            };
            let bytes = zstd::bulk::compress(&canonical::to_bytes(&run)?, LEVEL)
                .map_err(HqError::io("compress pack"))?;
            let count = u64::try_from(run.records.len()).unwrap_or_default();
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let pack = Pack { first, count, sha256: Hash::of(&bytes), bytes: length };
            archive.put(&name(&pack), bytes)?;
            // What is noted was read back, from the place and not from memory.
            read(archive, &pack)?;
            let now = self.now();
            self.0.store.write::<_, HqError, _>(move |tx| Ok(tx.note_pack(&pack, now)?))?;
            archived += count;
        }
    }
}
