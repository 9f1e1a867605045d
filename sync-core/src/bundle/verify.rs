//! Checking a bundle offline, from its bytes alone; names the first thing that is wrong.
//!
//! The steps and their order are those of `FORMAT.md`, section 3, so that other verifiers name the
//! same first item.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use sync_model::canonical;
use sync_model::chain::Head;
use sync_model::cose::{self, Context, PublicKey, Unverified};
use sync_model::credential::{self, DeviceCertificate};
use sync_model::hash::Hash;
use sync_model::id::{DocumentId, OfficerId};
use sync_model::log::note::Checkpoint;
use sync_model::log::{self, proof};
use sync_model::record::signature::{OfficerSignature, OfficerStatement};
use sync_model::record::{Act, Record};
use sync_model::wire::enroll::Trust;
use thiserror::Error;

use super::{BUNDLE_VERSION, DEVICE, FiledReceipt, MANIFEST, MANIFEST_BYTES_MAX, Manifest, TRUST};

/// The first thing that is wrong with a bundle.
#[derive(Debug, Error)]
pub enum BundleError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something does not hold.
    #[error("{what} ({item}): {why}")]
    Wrong {
        /// Path of the file within the bundle; every verifier names the same (`FORMAT.md`).
        item: String,
        /// The file or record, by the manifest's label.
        what: String,
        /// What does not hold.
        why: String,
    },
}

/// What was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Records whose signature, chain link and citations hold.
    pub records: usize,
    /// Records with a receipt whose inclusion proof holds.
    pub receipts: usize,
    /// Files whose hash holds.
    pub blobs: usize,
    /// Officers' signatures over documents that hold.
    pub officer_signatures: usize,
    /// SHA-256 of HQ's issuing key, to compare with the published one.
    pub issuer_fingerprint: String,
}

impl BundleError {
    /// Returns the path of the first file at which the bundle fails.
    #[must_use]
    pub fn item(&self) -> &str {
        match self {
            Self::Io { path, .. } => path,
            Self::Wrong { item, .. } => item,
        }
    }
}

/// A file of the bundle or a record, as it is called.
struct Named<'a> {
    item: &'a str,
    label: &'a str,
}

impl Named<'_> {
    fn wrong(&self, why: impl ToString) -> BundleError {
        BundleError::Wrong {
            item: self.item.to_owned(),
            what: self.label.to_owned(),
            why: why.to_string(),
        }
    }
}

fn wrong(item: &str, why: impl ToString) -> BundleError {
    Named { item, label: item }.wrong(why)
}

/// A record of the bundle with its path and label.
struct Filed {
    path: String,
    label: String,
    record: Record,
}

impl Filed {
    fn wrong(&self, why: impl ToString) -> BundleError {
        Named { item: &self.path, label: &self.label }.wrong(why)
    }
}

struct Bundle {
    files: BTreeMap<String, (String, Vec<u8>)>,
}

impl Bundle {
    fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(|(_, bytes)| bytes.as_slice())
    }

    fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (Named<'a>, &'a [u8])> {
        self.files
            .iter()
            .filter(move |(path, _)| path.starts_with(folder))
            .map(|(path, (label, bytes))| (Named { item: path, label }, bytes.as_slice()))
    }
}

/// Checks the bundle in `folder`.
///
/// # Errors
/// [`BundleError`] naming the first thing that is wrong.
pub fn verify(folder: &Path) -> Result<Verified, BundleError> {
    let signed = read(folder, MANIFEST)?;
    let manifest: Manifest = {
        let object = Unverified::parse(&signed).map_err(|error| wrong(MANIFEST, error))?;
        canonical::from_bytes(object.payload(), MANIFEST_BYTES_MAX)
            .map_err(|error| wrong(MANIFEST, error))?
    };
    if manifest.version != BUNDLE_VERSION {
        return Err(wrong(MANIFEST, "format of a later program: use a newer verifier"));
    }
    // Keys first: without them nothing that the manifest says about other files is worth reading.
    let trust: Trust =
        canonical::from_bytes(&listed(folder, &manifest, TRUST)?, MANIFEST_BYTES_MAX)
            .map_err(|error| wrong(TRUST, error))?;
    let certificate = listed(folder, &manifest, DEVICE)?;
    let device = credential::open_device_certificate(&certificate, &trust.issuer_key)
        .map_err(|error| wrong(DEVICE, error))?;
    cose::verify(Context::Bundle, &signed, &device.key).map_err(|error| wrong(MANIFEST, error))?;
    if manifest.device != device.device {
        return Err(wrong(MANIFEST, "names another device"));
    }
    let bundle = load(folder, &manifest)?;
    let officers = open_credentials(&bundle, &trust.issuer_key)?;
    let mut verified =
        Verified { issuer_fingerprint: Hash::of(&trust.issuer_key.0).hex(), ..Verified::default() };
    let records = open_records(&bundle, &device, &mut verified)?;
    check_links(&bundle, &records)?;
    check_receipts(&bundle, &trust, &records, &mut verified)?;
    check_documents(&records, &officers, &mut verified)?;
    Ok(verified)
}

fn read(folder: &Path, path: &str) -> Result<Vec<u8>, BundleError> {
    fs::read(folder.join(path)).map_err(|source| BundleError::Io { path: path.to_owned(), source })
}

/// Reads one file of the manifest and compares it.
fn listed(folder: &Path, manifest: &Manifest, path: &str) -> Result<Vec<u8>, BundleError> {
    let entry = manifest
        .files
        .iter()
        .find(|entry| entry.path == path)
        .ok_or_else(|| wrong(path, "not in the manifest"))?;
    let bytes = read(folder, path)?;
    if Hash::of(&bytes) == entry.sha256 {
        Ok(bytes)
    } else {
        Err(Named { item: path, label: &entry.label }.wrong("bytes differ from the manifest"))
    }
}

/// Reads every file of the manifest and compares it; finds files that are in no manifest.
fn load(folder: &Path, manifest: &Manifest) -> Result<Bundle, BundleError> {
    let mut files = BTreeMap::new();
    for entry in &manifest.files {
        let escapes = entry.path.split('/').any(|part| matches!(part, "" | "." | ".."));
        if escapes || files.contains_key(&entry.path) {
            return Err(wrong(MANIFEST, format!("names {:?}", entry.path)));
        }
        let bytes = listed(folder, manifest, &entry.path)?;
        files.insert(entry.path.clone(), (entry.label.clone(), bytes));
    }
    let mut found = walk(folder, "")?;
    found.sort();
    match found.iter().find(|path| *path != MANIFEST && !files.contains_key(*path)) {
        Some(stray) => Err(wrong(stray, "is in no manifest")),
        None => Ok(Bundle { files }),
    }
}

fn walk(folder: &Path, below: &str) -> Result<Vec<String>, BundleError> {
    let io = |source| BundleError::Io { path: below.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.join(below)).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type().map_err(io)?.is_dir() {
            found.extend(walk(folder, &path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

fn open_credentials(
    bundle: &Bundle,
    issuer: &PublicKey,
) -> Result<BTreeMap<OfficerId, PublicKey>, BundleError> {
    bundle
        .below("credentials/")
        .map(|(named, bytes)| {
            let opened = credential::open_credential(bytes, issuer);
            opened.map(|found| (found.officer, found.key)).map_err(|error| named.wrong(error))
        })
        .collect()
}

fn open_records(
    bundle: &Bundle,
    device: &DeviceCertificate,
    verified: &mut Verified,
) -> Result<Vec<Filed>, BundleError> {
    let mut records: Vec<Filed> = Vec::new();
    let mut cited = BTreeSet::new();
    for (named, bytes) in bundle.below("records/") {
        let record = Record::open(bytes, &device.key).map_err(|error| named.wrong(error))?;
        let expected = format!("records/{:06}.cose", record.envelope.seq);
        if record.envelope.device != device.device || named.item != expected {
            return Err(named.wrong("record of another device or place"));
        }
        for blob in &record.envelope.blobs {
            let file = format!("blobs/{}", blob.sha256);
            let same = bundle.file(&file).is_some_and(|bytes| {
                Hash::of(bytes) == blob.sha256 && u64::try_from(bytes.len()) == Ok(blob.bytes)
            });
            if !same {
                return Err(
                    named.wrong(format!("cited file {} differs or is missing", blob.sha256))
                );
            }
            cited.insert(file);
        }
        verified.records += 1;
        let (path, label) = (named.item.to_owned(), named.label.to_owned());
        records.push(Filed { path, label, record });
    }
    // Paths ascend as text, seqs as numbers; they part at the millionth record.
    records.sort_by_key(|filed| filed.record.envelope.seq);
    verified.blobs = cited.len();
    match bundle.below("blobs/").find(|(named, _)| !cited.contains(named.item)) {
        Some((named, _)) => Err(named.wrong("no record cites this file")),
        None if records.is_empty() => Err(wrong("records", "the bundle holds no record")),
        None => Ok(records),
    }
}

/// Checks the visit's own chain, and the device's chain where records stand side by side.
fn check_links(bundle: &Bundle, records: &[Filed]) -> Result<(), BundleError> {
    let genesis = Head::genesis(bundle.file(DEVICE).unwrap_or_default());
    let mut visit: Option<Hash> = None;
    let mut previous: Option<Head> = None;
    for filed in records {
        let record = &filed.record;
        let envelope = &record.envelope;
        let before = previous.filter(|head| head.seq + 1 == envelope.seq);
        let before = if envelope.seq == 1 { Some(genesis) } else { before };
        let after = match before {
            Some(head) => head.follow(envelope, record.hash).map_err(|error| filed.wrong(error))?,
            None => Head { seq: envelope.seq, hash: record.hash },
        };
        if envelope.inspection.is_some() {
            if envelope.visit_previous != visit {
                return Err(filed.wrong("a record of this visit is missing before it"));
            }
            visit = Some(record.hash);
        }
        previous = Some(after);
    }
    Ok(())
}

fn check_receipts(
    bundle: &Bundle,
    trust: &Trust,
    records: &[Filed],
    verified: &mut Verified,
) -> Result<(), BundleError> {
    let receipt_of = |filed: &Filed| format!("receipts/{:06}.cbor", filed.record.envelope.seq);
    let wanted: BTreeSet<String> = records.iter().map(receipt_of).collect();
    if let Some((named, _)) =
        bundle.below("receipts/").find(|(named, _)| !wanted.contains(named.item))
    {
        return Err(named.wrong("belongs to no record of this bundle"));
    }
    for filed in records {
        let (record, path) = (&filed.record, receipt_of(filed));
        let envelope = &record.envelope;
        // A record made offline has no receipt yet; the count says so.
        let Some((label, bytes)) = bundle.files.get(&path) else { continue };
        let named = Named { item: &path, label };
        let receipt: FiledReceipt =
            canonical::from_bytes(bytes, MANIFEST_BYTES_MAX).map_err(|error| named.wrong(error))?;
        let checkpoint = Checkpoint::open(&receipt.checkpoint, &trust.log_origin, &trust.log_key)
            .map_err(|error| named.wrong(error))?;
        let leaf = log::leaf(&record.hash, envelope.device, envelope.seq);
        let root =
            proof::root_from_inclusion(leaf, receipt.log_index, checkpoint.size, &receipt.proof);
        if root != Some(checkpoint.root) {
            return Err(filed.wrong("inclusion proof does not lead to HQ's root"));
        }
        verified.receipts += 1;
    }
    Ok(())
}

fn check_documents(
    records: &[Filed],
    officers: &BTreeMap<OfficerId, PublicKey>,
    verified: &mut Verified,
) -> Result<(), BundleError> {
    for filed in records {
        let (signatures, content, pages, document): (_, _, _, Option<DocumentId>) =
            match filed.record.envelope.act() {
                Act::TranscriptLocked(body) => {
                    (body.officer_signatures, body.content, body.pages, None)
                }
                Act::DecisionIssued(body) => {
                    (body.officer_signatures, body.content.sha256, body.pages, Some(body.document))
                }
                _ => continue,
            };
        // 《行政处罚法》第四十二条: 执法人员不得少于两人.
        let signers: BTreeSet<OfficerId> = signatures.iter().map(|one| one.officer).collect();
        if signers.len() < 2 {
            return Err(filed.wrong("fewer than two officers signed"));
        }
        for signature in &signatures {
            let statement = open_statement(filed, signature, officers)?;
            let same = statement.content == content
                && statement.pages == pages
                && document.is_none_or(|document| document == statement.document);
            if !same {
                return Err(filed.wrong("an officer signed another content"));
            }
            verified.officer_signatures += 1;
        }
    }
    Ok(())
}

fn open_statement(
    filed: &Filed,
    signature: &OfficerSignature,
    officers: &BTreeMap<OfficerId, PublicKey>,
) -> Result<OfficerStatement, BundleError> {
    let key = officers
        .get(&signature.officer)
        .ok_or_else(|| filed.wrong("credential of a signing officer is missing"))?;
    let payload = cose::verify(Context::OfficerAct, &signature.statement, key)
        .map_err(|error| filed.wrong(error))?;
    canonical::from_bytes(&payload, MANIFEST_BYTES_MAX).map_err(|error| filed.wrong(error))
}
