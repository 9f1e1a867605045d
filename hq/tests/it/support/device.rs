//! A device as HQ sees it: a key, a chain, signed requests.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_bytes::ByteBuf;
use sync_model::canonical;
use sync_model::chain::Head;
use sync_model::cose::{self, Context, Signer, SoftwareKey};
use sync_model::credential::open_device_certificate;
use sync_model::hash::Hash;
use sync_model::id::{BootId, DeviceId, OfficerId, RecordId};
use sync_model::log;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof::{Range, root_from_inclusion};
use sync_model::record::shift::DayClosed;
use sync_model::record::{Act, BlobRef, BlobRole, ENVELOPE_VERSION, Envelope, Record, raw_act};
use sync_model::time::{Moment, TimeQuality, Timestamp};
use sync_model::wire::enroll::{ActivateReply, ActivateRequest, EnrollReply, EnrollRequest, Trust};
use sync_model::wire::feed::{FeedItem, FeedPage};
use sync_model::wire::push::{BlobState, PushRequest, Receipt};
use sync_model::wire::request::RequestStatement;
use sync_model::wire::{HEADER_CHUNK_SHA256, HEADER_LENGTH, HEADER_OFFSET, HEADER_REQUEST, PREFIX};
use uuid::Uuid;

use super::World;
use super::http::{Reply, send, try_send};

/// Every id and key of the tests is another.
static NEXT: AtomicU64 = AtomicU64::new(1);

pub(crate) fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::SeqCst)
}

pub(crate) fn key() -> SoftwareKey {
    SoftwareKey::from_secret(&Hash::of(&next().to_be_bytes()).0)
}

pub(crate) struct Device {
    pub(crate) address: SocketAddr,
    pub(crate) id: DeviceId,
    pub(crate) key: SoftwareKey,
    pub(crate) trust: Trust,
    pub(crate) certificate: Vec<u8>,
    pub(crate) head: Head,
    pub(crate) records: Vec<Record>,
    pub(crate) officers: Vec<OfficerId>,
    pub(crate) wall_at: Timestamp,
    pub(crate) rulebook: Option<Hash>,
    pub(crate) inspection: Option<sync_model::id::InspectionId>,
}

pub(crate) fn enroll_request(key: &SoftwareKey, code: &str) -> EnrollRequest {
    EnrollRequest { code: code.into(), device_key: key.public() }
}

/// Posts `value`, signed by `key` for `device`.
pub(crate) fn post<T: Serialize>(
    address: SocketAddr,
    device: Option<DeviceId>,
    key: &SoftwareKey,
    path: &str,
    value: &T,
) -> Reply {
    let body = canonical::to_bytes(value).unwrap();
    signed(address, device, key, "POST", path, &[], &body)
}

pub(crate) fn signed(
    address: SocketAddr,
    device: Option<DeviceId>,
    key: &SoftwareKey,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: &[u8],
) -> Reply {
    let path = format!("{PREFIX}{path}");
    let mut headers = headers.to_vec();
    headers.push((HEADER_REQUEST, statement(device, key, method, &path, body)));
    send(address, method, &path, &headers, body)
}

pub(crate) fn statement(
    device: Option<DeviceId>,
    key: &SoftwareKey,
    method: &str,
    path: &str,
    body: &[u8],
) -> String {
    let statement = RequestStatement {
        device,
        method: method.into(),
        path: path.into(),
        body: Hash::of(body),
        nonce: *Uuid::from_u128(u128::from(next())).as_bytes(),
    };
    let payload = canonical::to_bytes(&statement).unwrap();
    STANDARD.encode(cose::sign(Context::Request, &payload, key).unwrap())
}

impl Device {
    /// Enrolls a new device without officers.
    pub(crate) fn enroll(world: &World) -> Self {
        let codes = world.hq().issue_enrollment("xh-zhzf", "一号机", &[]).unwrap();
        Self::enroll_with(world, &codes.enrollment)
    }

    pub(crate) fn enroll_with(world: &World, code: &str) -> Self {
        let key = key();
        let request = enroll_request(&key, code);
        let reply: EnrollReply = post(world.address(), None, &key, "/enroll", &request).ok();
        Self::from_reply(world.address(), key, &reply)
    }

    pub(crate) fn from_reply(address: SocketAddr, key: SoftwareKey, reply: &EnrollReply) -> Self {
        let certificate =
            open_device_certificate(&reply.device_certificate, &reply.trust.issuer_key).unwrap();
        assert_eq!(certificate.key, key.public());
        Self {
            address,
            id: certificate.device,
            key,
            trust: reply.trust.clone(),
            certificate: reply.device_certificate.clone(),
            head: Head::genesis(&reply.device_certificate),
            records: vec![],
            officers: reply.officers.iter().map(|officer| officer.officer).collect(),
            wall_at: reply.hq_at,
            rulebook: None,
            inspection: None,
        }
    }

    /// Forgets the records after the first `count`, as a device that was set back.
    pub(crate) fn forget_after(&mut self, count: usize) {
        self.records.truncate(count);
        let last = self.records.last().unwrap();
        self.head = Head { seq: last.envelope.seq, hash: last.hash };
    }

    pub(crate) fn activate(&self, officer: OfficerId, code: &str, key: &SoftwareKey) -> Reply {
        let request = ActivateRequest { officer, code: code.into(), officer_key: key.public() };
        self.post("/activate", &request)
    }

    pub(crate) fn activated(&self, officer: OfficerId, code: &str) -> (SoftwareKey, Vec<u8>) {
        let key = key();
        let reply: ActivateReply = self.activate(officer, code, &key).ok();
        (key, reply.credential)
    }

    pub(crate) fn post<T: Serialize>(&self, path: &str, value: &T) -> Reply {
        post(self.address, Some(self.id), &self.key, path, value)
    }

    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> Reply {
        signed(self.address, Some(self.id), &self.key, method, path, headers, body)
    }

    pub(crate) fn envelope(&self, act: &Act, blobs: Vec<BlobRef>) -> Envelope {
        Envelope {
            version: ENVELOPE_VERSION,
            record: RecordId(Uuid::from_u128(u128::from(next()))),
            device: self.id,
            seq: self.head.seq + 1,
            previous: self.head.hash,
            recorded: Moment {
                wall_at: self.wall_at,
                mono_ms: self.head.seq,
                boot: BootId(Uuid::from_u128(9)),
                quality: TimeQuality::ServerSynced,
            },
            hq_seen: None,
            rulebook: self.rulebook,
            inspection: self.inspection,
            visit_previous: None,
            case: None,
            officers: self.officers.clone(),
            blobs,
            salt: *Uuid::from_u128(u128::from(next())).as_bytes(),
            act: raw_act(act).unwrap(),
        }
    }

    /// Appends an act to the device's own chain.
    pub(crate) fn act(&mut self, act: impl Into<Act>, blobs: Vec<BlobRef>) -> Record {
        let record = Record::seal(self.envelope(&act.into(), blobs), &self.key).unwrap();
        self.head = self.head.follow(&record.envelope, record.hash).unwrap();
        self.records.push(record.clone());
        record
    }

    /// Appends an act that no rule judges.
    pub(crate) fn any(&mut self) -> Record {
        let seq = self.head.seq;
        let act = DayClosed { last_seq: seq, head: self.head.hash, blobs: 0, blob_bytes: 0 };
        self.act(act, vec![])
    }

    pub(crate) fn cite(&mut self, files: &[&[u8]]) -> Record {
        let blobs = files
            .iter()
            .map(|file| BlobRef {
                sha256: Hash::of(file),
                bytes: file.len() as u64,
                media: "image/jpeg".into(),
                role: BlobRole::Original,
            })
            .collect();
        let seq = self.head.seq;
        let act = DayClosed { last_seq: seq, head: self.head.hash, blobs: 0, blob_bytes: 0 };
        self.act(act, blobs)
    }

    pub(crate) fn push(&self, records: &[Record]) -> Reply {
        self.push_bytes(records.iter().map(|record| record.bytes.clone()).collect())
    }

    pub(crate) fn push_bytes(&self, records: Vec<Vec<u8>>) -> Reply {
        let records = records.into_iter().map(ByteBuf::from).collect();
        self.post("/push", &PushRequest { records, seen_size: None })
    }

    /// Pushes to one of several HQs, any of which may be dead or dying.
    pub(crate) fn try_push(
        &self,
        address: SocketAddr,
        records: &[Record],
    ) -> std::io::Result<Reply> {
        let records = records.iter().map(|record| ByteBuf::from(record.bytes.clone())).collect();
        let body = canonical::to_bytes(&PushRequest { records, seen_size: None }).unwrap();
        let path = format!("{PREFIX}/push");
        let statement = statement(Some(self.id), &self.key, "POST", &path, &body);
        try_send(address, "POST", &path, &[(HEADER_REQUEST, statement)], &body)
    }

    /// Checks that the receipt proves each record; returns their log indices in order of seq.
    pub(crate) fn verify(&self, receipt: &Receipt, records: &[Record]) -> Vec<u64> {
        let note =
            Checkpoint::open(&receipt.checkpoint, &self.trust.log_origin, &self.trust.log_key)
                .unwrap();
        let mut indices = Vec::new();
        let mut rest = records;
        for run in &receipt.runs {
            let (these, after) = rest.split_at(run.count as usize);
            rest = after;
            assert_eq!(these[0].envelope.seq, run.first_seq);
            let leaves: Vec<Hash> = these
                .iter()
                .map(|record| log::leaf(&record.hash, self.id, record.envelope.seq))
                .collect();
            let range = Range::build(run.log_index, &leaves, note.size, &run.proof).unwrap();
            assert_eq!(range.root(), Some(note.root));
            for (leaf, index) in leaves.iter().zip(run.log_index..) {
                let path = range.inclusion(index).unwrap();
                assert_eq!(root_from_inclusion(*leaf, index, note.size, &path), Some(note.root));
                indices.push(index);
            }
        }
        assert!(rest.is_empty(), "receipt leaves out {} records", rest.len());
        indices
    }

    pub(crate) fn chunk(&self, file: &[u8], offset: usize, end: usize) -> Reply {
        let chunk = &file[offset..end];
        self.chunk_of(&Hash::of(file), file.len(), offset, chunk, &Hash::of(chunk))
    }

    /// Sends a chunk to an HQ that may be killed meanwhile; `None` if no answer came.
    pub(crate) fn try_chunk(&self, file: &[u8], start: usize, end: usize) -> Option<BlobState> {
        let answered =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.chunk(file, start, end)));
        answered.ok().filter(|reply| reply.status == 200).map(|reply| reply.ok())
    }

    pub(crate) fn chunk_of(
        &self,
        name: &Hash,
        length: usize,
        offset: usize,
        chunk: &[u8],
        chunk_hash: &Hash,
    ) -> Reply {
        let headers = [
            (HEADER_OFFSET, offset.to_string()),
            (HEADER_LENGTH, length.to_string()),
            (HEADER_CHUNK_SHA256, chunk_hash.hex()),
        ];
        self.call("PATCH", &format!("/blobs/{name}"), &headers, chunk)
    }

    /// Sends a whole file in chunks.
    pub(crate) fn upload(&self, file: &[u8], chunk: usize) {
        let mut offset = 0;
        loop {
            let end = file.len().min(offset + chunk);
            let state: BlobState = self.chunk(file, offset, end).ok();
            offset = end;
            assert_eq!(state.offset as usize, end);
            if state.complete {
                return;
            }
        }
    }

    pub(crate) fn feed(&self, after: u64, limit: u64) -> (FeedPage, Vec<FeedItem>) {
        self.feed_page(&[], after, limit)
    }

    /// Reads the feed as a device that speaks this range of protocols.
    pub(crate) fn feed_as(
        &self,
        protocol: &str,
        after: u64,
        limit: u64,
    ) -> (FeedPage, Vec<FeedItem>) {
        self.feed_page(&[("xunzheng-protocol", protocol.to_owned())], after, limit)
    }

    fn feed_page(
        &self,
        headers: &[(&str, String)],
        after: u64,
        limit: u64,
    ) -> (FeedPage, Vec<FeedItem>) {
        let path = format!("/feed?after={after}&limit={limit}");
        let page: FeedPage = self.call("GET", &path, headers, &[]).ok();
        let items = page
            .items
            .iter()
            .map(|bytes| {
                let payload = cose::verify(Context::Feed, bytes, &self.trust.feed_key).unwrap();
                canonical::from_bytes(&payload, 32 << 20).unwrap()
            })
            .collect();
        (page, items)
    }
}
