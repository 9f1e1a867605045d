//! Bundles made from the golden corpus, one record of every kind, by keys that the test holds: so
//! that it can play whoever forges them, the device itself included.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::path::Path;

use sync_model::canonical;
use sync_model::chain::Head;
use sync_model::cose::{self, Context, PublicKey, Signer, SoftwareKey};
use sync_model::credential::{
    CertificateStatus, Credential, DeviceCertificate, OfficerKind, issue_credential,
    issue_device_certificate,
};
use sync_model::hash::{Hash, hex};
use sync_model::id::{DocumentId, InspectionId, OfficerId};
use sync_model::log::note::Checkpoint;
use sync_model::log::tree::{self, Nodes};
use sync_model::log::{self, proof};
use sync_model::record::signature::{OfficerSignature, OfficerStatement};
use sync_model::record::{Act, BlobRef, Envelope, Record, raw_act};
use sync_model::time::Timestamp;
use uuid::Uuid;

use crate::bundle::{BUNDLE_VERSION, DEVICE, FileEntry, FiledReceipt, MANIFEST, Manifest, TRUST};
use crate::store::tests::world::{HqKeys, LOG_ORIGIN, TEN, device_id};

pub(super) type Files = BTreeMap<String, Vec<u8>>;

#[derive(Default)]
struct Memory(BTreeMap<(u32, u64), Hash>);

impl Nodes for Memory {
    type Error = Infallible;
    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        Ok(self.0[&(level, index)])
    }
}

pub(super) fn device_key() -> SoftwareKey {
    SoftwareKey::from_secret(&[41; 32])
}

fn officer(number: u8) -> (OfficerId, SoftwareKey) {
    (
        OfficerId(Uuid::from_u128(0x4000 + u128::from(number))),
        SoftwareKey::from_secret(&[number; 32]),
    )
}

pub(super) fn inspection() -> InspectionId {
    InspectionId(Uuid::from_u128(7))
}

pub(super) fn record_path(seq: u64) -> String {
    format!("records/{seq:06}.cose")
}

pub(super) fn receipt_path(seq: u64) -> String {
    format!("receipts/{seq:06}.cbor")
}

/// Returns the envelopes of the golden corpus, one act of every kind and more.
pub(super) fn corpus() -> Vec<Envelope> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("model/fixtures/records/v1");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|one| one.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "cbor"));
    paths.sort();
    paths.iter().map(|path| Record::read(&fs::read(path).unwrap()).unwrap().envelope).collect()
}

/// Puts real signatures of both officers where the act has any.
fn signed_by_officers(act: Act) -> Act {
    let sign = |document, content, pages: &[Hash]| {
        let statement = OfficerStatement { document, revision: 1, content, pages: pages.to_vec() };
        let payload = canonical::to_bytes(&statement).unwrap();
        let one = |number| {
            let (officer, key) = officer(number);
            let statement = cose::sign(Context::OfficerAct, &payload, &key).unwrap();
            OfficerSignature { officer, statement }
        };
        vec![one(1), one(2)]
    };
    match act {
        Act::TranscriptLocked(mut body) => {
            let document = DocumentId(Uuid::from_u128(3));
            body.officer_signatures = sign(document, body.content, &body.pages);
            Act::TranscriptLocked(body)
        }
        Act::DecisionIssued(mut body) => {
            body.officer_signatures = sign(body.document, body.content.sha256, &body.pages);
            Act::DecisionIssued(body)
        }
        other => other,
    }
}

/// A bundle in memory, and what its makers hold.
pub(super) struct Forged {
    pub(super) files: Files,
    pub(super) records: Vec<Record>,
}

fn certificate(hq: &HqKeys) -> Vec<u8> {
    let certificate = DeviceCertificate {
        device: device_id(),
        name: "terminal".into(),
        authority: "town".into(),
        key: device_key().public(),
        issued_at: TEN,
    };
    issue_device_certificate(&certificate, &hq.issuer).unwrap()
}

fn credential(number: u8, hq: &HqKeys) -> Vec<u8> {
    let (officer, key) = officer(number);
    let credential = Credential {
        officer,
        name: "officer".into(),
        kind: OfficerKind::Officer,
        certificate_number: format!("3301061200{number}"),
        authority: "town".into(),
        authority_name: "Town".into(),
        valid_from: Timestamp(0),
        valid_to: TEN.plus_ms(1),
        status: CertificateStatus::Active,
        issued_at: TEN,
        key: key.public(),
    };
    issue_credential(&credential, &hq.issuer).unwrap()
}

/// Returns the bundle of these acts as one visit, every record receipted.
pub(super) fn bundle(envelopes: &[Envelope], salt: u8) -> Forged {
    let hq = HqKeys::new(60);
    let certificate = certificate(&hq);
    let mut files = Files::new();
    let mut head = Head::genesis(&certificate);
    let mut visit = None;
    let mut records = Vec::new();
    for envelope in envelopes {
        let seq = head.seq + 1;
        let mut envelope = envelope.clone();
        (envelope.device, envelope.seq, envelope.previous) = (device_id(), seq, head.hash);
        (envelope.inspection, envelope.visit_previous) = (Some(inspection()), visit);
        envelope.salt = [salt; 16];
        for (number, blob) in envelope.blobs.iter_mut().enumerate() {
            let content = format!("file {number} of {seq}").into_bytes();
            let bytes = u64::try_from(content.len()).unwrap();
            *blob = BlobRef { sha256: Hash::of(&content), bytes, ..blob.clone() };
            files.insert(format!("blobs/{}", hex(&blob.sha256.0)), content);
        }
        envelope.act = raw_act(&signed_by_officers(envelope.act())).unwrap();
        let record = Record::seal(envelope, &device_key()).unwrap();
        head = head.follow(&record.envelope, record.hash).unwrap();
        visit = Some(record.hash);
        files.insert(record_path(seq), record.bytes.clone());
        records.push(record);
    }
    receipts(&records, &hq, &mut files);
    files.insert(DEVICE.into(), certificate);
    files.insert(TRUST.into(), canonical::to_bytes(&hq.trust()).unwrap());
    for number in 1..=2 {
        let (officer, _) = officer(number);
        files.insert(format!("credentials/{officer}.cose"), credential(number, &hq));
    }
    list(&mut files, &device_key());
    Forged { files, records }
}

fn receipts(records: &[Record], hq: &HqKeys, files: &mut Files) {
    let mut nodes = Memory::default();
    let mut size = 0;
    for record in records {
        let leaf = log::leaf(&record.hash, device_id(), record.envelope.seq);
        let Ok(made) = tree::append(&nodes, size, leaf);
        nodes.0.extend(made.into_iter().map(|(level, index, hash)| ((level, index), hash)));
        size += 1;
    }
    let Ok(root) = tree::root(&nodes, size);
    let checkpoint = Checkpoint { origin: LOG_ORIGIN.into(), size, root }.sign(&hq.log);
    for (log_index, record) in (0..).zip(records) {
        let Ok(proof) = proof::inclusion(&nodes, log_index, size);
        let checkpoint = checkpoint.clone();
        let filed = FiledReceipt { checkpoint, log_index, proof, received_at: TEN };
        files.insert(receipt_path(record.envelope.seq), canonical::to_bytes(&filed).unwrap());
    }
}

/// Makes the manifest say what the files are, signed by `key`.
pub(super) fn list(files: &mut Files, key: &SoftwareKey) {
    files.remove(MANIFEST);
    let entry = |(path, bytes): (&String, &Vec<u8>)| FileEntry {
        path: path.clone(),
        label: path.clone(),
        sha256: Hash::of(bytes),
        bytes: u64::try_from(bytes.len()).unwrap(),
    };
    let manifest = Manifest {
        version: BUNDLE_VERSION,
        device: device_id(),
        inspection: inspection(),
        exported_at: TEN,
        files: files.iter().map(entry).collect(),
    };
    let payload = canonical::to_bytes(&manifest).unwrap();
    files.insert(MANIFEST.into(), cose::sign(Context::Bundle, &payload, key).unwrap());
}

/// Returns the device's public key.
pub(super) fn device_public() -> PublicKey {
    device_key().public()
}
