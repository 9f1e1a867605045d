//! Writing a bundle: aside first, renamed when whole, so that a half bundle never looks like one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sync_model::canonical;
use sync_model::cose::{self, Context, CoseError};
use sync_model::hash::{Hash, hex};
use sync_model::id::InspectionId;
use sync_model::time::Timestamp;

use super::{
    BUNDLE_VERSION, DEVICE, FileEntry, FiledReceipt, MANIFEST, Manifest, README, RULEBOOK, TRUST,
};
use crate::disk::{Disk, RealDisk, sync_folder};
use crate::error::StoreError;
use crate::store::{JournalRow, Reader, Store};

const README_TEXT: &str = "\
本文件夹是一次行政检查的电子案卷。

manifest.cose  清单：列明其余每个文件的名称、长度和 SHA-256，由执法终端签名
trust.cbor     总部公钥；请与执法主体公布的指纹核对
device.cose    终端证书          credentials/  执法人员证件
records/       逐条签名记录      receipts/     总部回执（日志包含证明）
blobs/         原始照片、文书    rulebook.cbor 当时有效的规则库

核验：xunzheng verify 文件夹
任何文件的任何一个字节被改动，核验都会失败，并指出是哪一条记录。
";

/// Writes the bundle of `inspection` as a new folder below `out`; returns its path.
///
/// # Errors
/// [`StoreError`]; nothing looks like a bundle then.
pub fn export(store: &Store, inspection: InspectionId, out: &Path) -> Result<PathBuf, StoreError> {
    let doing = "export bundle";
    let now = store.clock().now().wall_at;
    let target = out.join(format!("bundle-{inspection}-{}", now.0));
    let aside = out.join(format!(".bundle-{inspection}-{}.part", now.0));
    fs::create_dir_all(&aside).map_err(StoreError::io(doing))?;
    let written = write_all(store, inspection, &aside, now);
    let named = written.and_then(|()| fs::rename(&aside, &target).map_err(StoreError::io(doing)));
    if named.is_err() {
        // The first error is the one to tell; personal data must not stay behind for it.
        fs::remove_dir_all(&aside).ok();
    }
    named?;
    sync_folder(out).map_err(StoreError::io(doing))?;
    Ok(target)
}

fn write_all(
    store: &Store,
    inspection: InspectionId,
    folder: &Path,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut writer = Writer { folder: folder.to_owned(), files: vec![] };
    let enrollment = store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?;
    writer.put(TRUST, "总部公钥", &encode(&enrollment.trust)?)?;
    writer.put(DEVICE, "终端证书", &enrollment.device_certificate)?;
    writer.put(README, "说明", README_TEXT.as_bytes())?;
    let rows = store.read(|r| collect(r, inspection))?;
    store.read(|r| write_credentials(r, &mut writer))?;
    if let Some(rulebook) = store.read(|r| r.rulebook())? {
        writer.put(RULEBOOK, "规则库", &encode(&rulebook)?)?;
    }
    let mut blobs = BTreeSet::new();
    for row in &rows {
        write_record(store, row, &mut writer, &mut blobs)?;
    }
    let manifest = Manifest {
        version: BUNDLE_VERSION,
        device: enrollment.certificate.device,
        inspection,
        exported_at: now,
        files: writer.files.clone(),
    };
    let signed = cose::sign(Context::Bundle, &encode(&manifest)?, store.device_key())?;
    RealDisk.write(&folder.join(MANIFEST), &signed).map_err(StoreError::io("export bundle"))
}

/// Returns the visit's records, with the shift that stands behind it in front.
fn collect(reader: &Reader<'_>, inspection: InspectionId) -> Result<Vec<JournalRow>, StoreError> {
    let mut rows = Vec::new();
    if let Some(visit) = reader.inspection(inspection)? {
        rows.extend(reader.record_by_hash(visit.begun.shift)?);
    }
    rows.extend(reader.records_of(inspection)?);
    Ok(rows)
}

fn write_credentials(reader: &Reader<'_>, writer: &mut Writer) -> Result<(), StoreError> {
    for officer in reader.officers()? {
        if let Some(credential) = &officer.credential {
            let path = format!("credentials/{}.cose", officer.officer);
            writer.put(&path, &format!("执法证件 {}", officer.certificate_number), credential)?;
        }
    }
    Ok(())
}

fn write_record(
    store: &Store,
    row: &JournalRow,
    writer: &mut Writer,
    blobs: &mut BTreeSet<Hash>,
) -> Result<(), StoreError> {
    let label = format!("记录 {:06} {}", row.seq, row.kind);
    writer.put(&format!("records/{:06}.cose", row.seq), &label, &row.bytes)?;
    if let Some(receipt) = store.read(|r| r.receipt(row.seq))? {
        let filed = FiledReceipt {
            checkpoint: receipt.checkpoint,
            log_index: receipt.log_index,
            proof: receipt.proof,
            received_at: receipt.received_at,
        };
        let path = format!("receipts/{:06}.cbor", row.seq);
        writer.put(&path, &format!("{label} 的回执"), &encode(&filed)?)?;
    }
    for blob in row.record()?.envelope.blobs {
        if blobs.insert(blob.sha256) {
            let bytes = store.blobs().read(&blob.sha256)?;
            let path = format!("blobs/{}", hex(&blob.sha256.0));
            writer.put(&path, &format!("{label} 的附件"), &bytes)?;
        }
    }
    Ok(())
}

fn encode<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    Ok(canonical::to_bytes(value).map_err(CoseError::from)?)
}

struct Writer {
    folder: PathBuf,
    files: Vec<FileEntry>,
}

impl Writer {
    fn put(&mut self, path: &str, label: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let doing = "export bundle";
        let target = self.folder.join(path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(StoreError::io(doing))?;
        }
        RealDisk.write(&target, bytes).map_err(StoreError::io(doing))?;
        self.files.push(FileEntry {
            path: path.to_owned(),
            label: label.to_owned(),
            sha256: Hash::of(bytes),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        });
        Ok(())
    }
}
