//! What the targets start from: small objects of every kind, the same in every run.

use serde::Serialize;
use serde_bytes::ByteBuf;
use sync_core::SyncError;
use sync_core::audit::compare;
use sync_model::canonical;
use sync_model::cose::{self, Context, PublicKey, Signer};
use sync_model::credential::{DeviceCertificate, issue_device_certificate};
use sync_model::hash::Hash;
use sync_model::id::{BootId, DeviceId, RecordId};
use sync_model::log;
use sync_model::log::note::Checkpoint;
use sync_model::log::tile::push_entry;
use sync_model::record::evidence::LeadRecorded;
use sync_model::record::shift::DayClosed;
use sync_model::record::{Act, BlobRef, BlobRole, ENVELOPE_VERSION, Envelope, Record, raw_act};
use sync_model::time::{Moment, TimeQuality, Timestamp};
use sync_model::wire::audit::{AuditReply, AuditRequest, ChainHead, SeqRun};
use sync_model::wire::enroll::EnrollRequest;
use sync_model::wire::feed::{CommandMessage, FeedBody, FeedItem, FeedPage};
use sync_model::wire::pack::pack;
use sync_model::wire::partner::{
    CopyMessage, CustodyRequest, Have, Hello, PartnerRecords, PlacedRecord,
};
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::push::{BlobState, NeedReply, NeedRequest, PushRequest, ReceiptRun};
use sync_model::wire::request::RequestStatement;
use uuid::Uuid;

use super::{key, peers};

const NOW: Timestamp = Timestamp(1_795_500_000_000);

fn device() -> DeviceId {
    DeviceId(Uuid::from_u128(0x1000))
}

fn cbor<T: Serialize>(value: &T) -> Vec<u8> {
    canonical::to_bytes(value).unwrap()
}

fn sealed(seq: u64, act: &Act, blobs: Vec<BlobRef>) -> Vec<u8> {
    let envelope = Envelope {
        version: ENVELOPE_VERSION,
        record: RecordId(Uuid::from_u128(u128::from(seq))),
        device: device(),
        seq,
        previous: Hash::of(&seq.to_be_bytes()),
        recorded: Moment {
            wall_at: NOW,
            mono_ms: seq,
            boot: BootId(Uuid::from_u128(9)),
            quality: TimeQuality::ServerSynced,
        },
        hq_seen: None,
        rulebook: Some(Hash::ZERO),
        inspection: None,
        visit_previous: None,
        case: None,
        officers: vec![],
        blobs,
        salt: [3; 16],
        act: raw_act(act).unwrap(),
    };
    Record::seal(envelope, &key()).unwrap().bytes
}

fn records() -> Vec<Vec<u8>> {
    let lead = LeadRecorded {
        place: "北山路".to_owned(),
        description: "占道经营".to_owned(),
        hand_to: "消防".to_owned(),
        evidence: vec![],
    };
    let closed = DayClosed { last_seq: 1, head: Hash::ZERO, blobs: 1, blob_bytes: 5 };
    let cited = BlobRef {
        sha256: Hash::of(b"photo"),
        bytes: 5,
        media: "image/jpeg".to_owned(),
        role: BlobRole::Original,
    };
    vec![sealed(1, &lead.into(), vec![]), sealed(2, &closed.into(), vec![cited])]
}

/// Keys as the first released HQ gave them: later fields are optional.
#[derive(Serialize)]
struct FirstTrust {
    log_origin: String,
    log_key: PublicKey,
    issuer_key: PublicKey,
    feed_key: PublicKey,
}

#[derive(Serialize)]
struct FirstEnrollReply {
    #[serde(with = "serde_bytes")]
    device_certificate: Vec<u8>,
    trust: FirstTrust,
    officers: Vec<()>,
    hq_at: Timestamp,
}

#[derive(Serialize)]
struct FirstReceipt {
    checkpoint: String,
    runs: Vec<ReceiptRun>,
    received_at: Timestamp,
    feed_head: u64,
    wanted: Vec<Hash>,
}

fn trust() -> FirstTrust {
    let key = key().public();
    FirstTrust {
        log_origin: "hq.test/log".to_owned(),
        log_key: key,
        issuer_key: key,
        feed_key: key,
    }
}

fn certificate() -> Vec<u8> {
    let certificate = DeviceCertificate {
        device: device(),
        name: "一号机".to_owned(),
        authority: "xh-zhzf".to_owned(),
        key: key().public(),
        issued_at: NOW,
    };
    issue_device_certificate(&certificate, &key()).unwrap()
}

fn feed() -> Vec<Vec<u8>> {
    let message = CommandMessage { title: "通知".to_owned(), text: "收到请回复".to_owned() };
    let item =
        FeedItem { index: 1, device: None, issued_at: NOW, body: FeedBody::Command(message) };
    let signed = cose::sign(Context::Feed, &cbor(&item), &key()).unwrap();
    let page = FeedPage { items: vec![ByteBuf::from(signed)], head: 1, hq_at: NOW };
    vec![cbor(&page), cbor(&item)]
}

fn proofs() -> Vec<Vec<u8>> {
    [(0_u64, 1_u64, 1_u8, 0_usize), (0, 2, 1, 1), (2, 7, 3, 3), (5, 1 << 40, 200, 30)]
        .into_iter()
        .map(|(start, size, count, hashes)| {
            let path = (0..hashes).flat_map(|number| Hash::of(&number.to_be_bytes()).0);
            start
                .to_be_bytes()
                .into_iter()
                .chain(size.to_be_bytes())
                .chain([count])
                .chain(path)
                .collect()
        })
        .collect()
}

fn signed_records() -> Vec<ByteBuf> {
    records().into_iter().map(ByteBuf::from).collect()
}

fn partners() -> Vec<Vec<u8>> {
    let certificate = ByteBuf::from(certificate());
    let head = ChainHead { seq: 2, hash: Hash::ZERO };
    let hello =
        Hello { certificate: certificate.clone(), code: "123456".to_owned(), inspection: None };
    let placed = signed_records().into_iter().zip(5..);
    vec![
        cbor(&CopyMessage::Hello(hello)),
        cbor(&CopyMessage::Have(Have { head: Some(head), wanted: vec![Hash::ZERO] })),
        cbor(&CopyMessage::Records(signed_records())),
        cbor(&CopyMessage::Done(head)),
        cbor(&CustodyRequest { device: device(), records: signed_records() }),
        cbor(&PartnerRecords {
            certificate,
            records: placed.map(|(bytes, log_index)| PlacedRecord { log_index, bytes }).collect(),
        }),
    ]
}

/// The first question about a chain of which HQ lacks two records, and three kinds of answers.
fn audits() -> Vec<Vec<u8>> {
    let own = peers::chain();
    let mut held = own.clone();
    held.remove(7);
    let mut seeds = Vec::new();
    let mut ask = |request: &AuditRequest| {
        seeds.push(cbor(request));
        let reply = hq::answer_audit(&held, None, request).map_err(SyncError::Problem)?;
        seeds.push(cbor(&reply));
        Ok(reply)
    };
    compare(&own, peers::AUDITED, &mut ask).unwrap();
    let absent = vec![SeqRun { first: 3, count: 2 }, SeqRun { first: 9, count: 1 }];
    let head = Some(ChainHead { seq: 50, hash: Hash::ZERO });
    seeds.push(cbor(&AuditReply { head, absent, frame: None }));
    seeds
}

fn tiles() -> Vec<Vec<u8>> {
    let mut bundle = Vec::new();
    for seq in 1..4_u64 {
        let record = Hash::of(&seq.to_be_bytes());
        push_entry(&mut bundle, &log::entry(&record, device(), seq)).unwrap();
    }
    let paths = ["tile/0/x001/x234/067", "tile/entries/000.p/7", "tile/5/000"];
    paths.iter().map(|path| path.as_bytes().to_vec()).chain([bundle]).collect()
}

fn statements() -> Vec<Vec<u8>> {
    let statement = RequestStatement {
        device: Some(device()),
        method: "POST".to_owned(),
        path: "/sync/v1/push".to_owned(),
        body: Hash::ZERO,
        nonce: [1; 16],
    };
    vec![cose::sign(Context::Request, &cbor(&statement), &key()).unwrap()]
}

fn packed() -> Vec<Vec<u8>> {
    [signed_records(), vec![]]
        .into_iter()
        .map(|records| pack(&PushRequest { records, seen_size: Some(3) }).unwrap().bytes)
        .collect()
}

/// Returns the seeds of a target.
#[must_use]
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let note =
        Checkpoint { origin: "hq.test/log".to_owned(), size: 3, root: Hash::ZERO }.sign(&key());
    match target {
        "push" => {
            let records: Vec<ByteBuf> = records().into_iter().map(ByteBuf::from).collect();
            vec![
                cbor(&PushRequest { records, seen_size: Some(3) }),
                cbor(&PushRequest { records: vec![], seen_size: None }),
            ]
        }
        "packed" => packed(),
        "partner" => partners(),
        "audit" => audits(),
        "tile" => tiles(),
        "record" => records(),
        "strict" => [records(), feed()].concat(),
        "feed" => feed(),
        "problem" => [ProblemCode::Gap, ProblemCode::BadOffset, ProblemCode::Revoked]
            .into_iter()
            .map(|code| {
                let mut problem = Problem::new(code, "records are missing before these");
                problem.expected_seq = Some(7);
                cbor(&problem)
            })
            .collect(),
        "need" => vec![
            cbor(&NeedRequest { blobs: vec![Hash::ZERO, Hash::of(b"photo")] }),
            cbor(&NeedReply {
                blobs: vec![BlobState { sha256: Hash::ZERO, offset: 9, complete: false }],
            }),
        ],
        "enrollment" => vec![
            cbor(&EnrollRequest { code: "ABCD-EFGH".to_owned(), device_key: key().public() }),
            cbor(&FirstEnrollReply {
                device_certificate: certificate(),
                trust: trust(),
                officers: vec![],
                hq_at: NOW,
            }),
        ],
        "statement" => statements(),
        "checkpoint" => vec![note.into_bytes()],
        "credential_code" => vec![b"https://hq.test/c#00000000000000000".to_vec()],
        "proof" => proofs(),
        "rulebook" => {
            vec![b"{\"version\":1,\"title\":\"\",\"authorities\":[],\"matters\":[]}".to_vec()]
        }
        "bundle" => vec![
            [certificate(), b"\n".to_vec(), cbor(&trust()), b"\n".to_vec(), certificate()].concat(),
        ],
        "receipt" => vec![cbor(&FirstReceipt {
            checkpoint: note,
            runs: vec![ReceiptRun {
                first_seq: 1,
                count: 2,
                log_index: 0,
                proof: vec![Hash::ZERO],
            }],
            received_at: NOW,
            feed_head: 1,
            wanted: vec![Hash::ZERO],
        })],
        _ => vec![],
    }
}
