//! A province's devices and what each of them made today, ready to be sent before the clock starts.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use base64::{Engine, engine::general_purpose::STANDARD};
use hq::{Database, Hq, NewDevice, NewOfficer, PROVISIONED_MAX, ProvisionedDevice, SystemClock};
use serde_bytes::ByteBuf;
use sync_model::canonical;
use sync_model::chain::Head;
use sync_model::cose::{self, Context, PublicKey, Signer, SoftwareKey};
use sync_model::credential::OfficerKind;
use sync_model::hash::Hash;
use sync_model::id::{BootId, InspectionId, RecordId};
use sync_model::record::shift::DayClosed;
use sync_model::record::{Act, ENVELOPE_VERSION, Envelope, Record, raw_act};
use sync_model::time::{Moment, TimeQuality, Timestamp};
use sync_model::wire::encoding::{ENCODING_ZSTD, compress};
use sync_model::wire::pack::{MEDIA_PACKED, pack};
use sync_model::wire::push::PushRequest;
use sync_model::wire::request::RequestStatement;
use sync_model::wire::{HEADER_PROTOCOL, HEADER_REQUEST, PREFIX};

use crate::crew::{Crew, Member, id};

/// Records of one device's day: a shift, one visit, the close.
pub(crate) const DAY_RECORDS: u64 = 13;
const AUTHORITY: &str = "xh-zhzf";
const DAY_MS: i64 = 24 * 3600 * 1000;
const YEARS_MS: i64 = 3 * 365 * DAY_MS;

/// One device's push, and what its receipt must prove.
pub(crate) struct Parcel {
    /// The whole HTTP request.
    pub(crate) request: Vec<u8>,
    /// Leaves of its records in order.
    pub(crate) leaves: Vec<Hash>,
}

fn key(what: &str, number: u64) -> SoftwareKey {
    SoftwareKey::from_secret(&Hash::of_parts(&[what.as_bytes(), &number.to_be_bytes()]).0)
}

fn officer(number: u64, now: Timestamp) -> NewOfficer {
    NewOfficer {
        name: format!("演练{number}"),
        kind: OfficerKind::Officer,
        certificate_number: format!("YL33{number:08}"),
        authority: AUTHORITY.to_owned(),
        authority_name: "西湖区综合行政执法局".to_owned(),
        valid_from: now.plus_ms(-DAY_MS),
        valid_to: now.plus_ms(YEARS_MS),
    }
}

/// Makes an HQ in `data` and enrolls `count` devices by [`Hq::provision`], two officers each.
pub(crate) fn enroll(
    data: &Path,
    database: &Database,
    count: u64,
) -> anyhow::Result<Vec<ProvisionedDevice>> {
    let options = hq::InitOptions::default();
    let hq = Hq::init_on(data, database, &options, Arc::new(SystemClock))?;
    let now = hq.now();
    let mut enrolled = Vec::new();
    let numbers: Vec<u64> = (0..count).collect();
    for list in numbers.chunks(PROVISIONED_MAX) {
        let list = list
            .iter()
            .map(|number| NewDevice {
                name: format!("终端{number}"),
                authority: AUTHORITY.to_owned(),
                key: key("device", *number).public(),
                officers: [2 * number, 2 * number + 1]
                    .into_iter()
                    .map(|one| (officer(one, now), public("officer", one)))
                    .collect(),
            })
            .collect();
        enrolled.extend(hq.provision(list)?);
    }
    Ok(enrolled)
}

fn public(what: &str, number: u64) -> PublicKey {
    key(what, number).public()
}

/// Makes every device's push, on two threads.
pub(crate) fn parcels(devices: &[ProvisionedDevice], at: Timestamp) -> anyhow::Result<Vec<Parcel>> {
    let half = devices.len().div_ceil(2).max(1);
    let mut made = Vec::with_capacity(devices.len());
    let parts = std::thread::scope(|scope| {
        let threads: Vec<_> = (0_u64..)
            .zip(devices.chunks(half))
            .map(|(part, devices)| {
                let first = part * u64::try_from(half).unwrap_or(0);
                scope.spawn(move || -> anyhow::Result<Vec<Parcel>> {
                    (first..).zip(devices).map(|(number, one)| parcel(number, one, at)).collect()
                })
            })
            .collect();
        threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    for part in parts {
        made.extend(part.map_err(|_| anyhow::anyhow!("a maker of records panicked"))??);
    }
    Ok(made)
}

fn parcel(number: u64, device: &ProvisionedDevice, at: Timestamp) -> anyhow::Result<Parcel> {
    let device_key = key("device", number);
    let records = day(number, device, &device_key, at)?;
    let leaves = records
        .iter()
        .map(|record| sync_model::log::leaf(&record.hash, device.device, record.envelope.seq))
        .collect();
    let records = records.into_iter().map(|record| ByteBuf::from(record.bytes)).collect();
    // In the form in which a device of today sends it.
    let packed = pack(&PushRequest { records, seen_size: None })?;
    let body = compress(&packed.bytes, packed.compressible, true)?;
    Ok(Parcel { request: request(number, device, &device_key, &body)?, leaves })
}

fn day(
    number: u64,
    device: &ProvisionedDevice,
    device_key: &SoftwareKey,
    at: Timestamp,
) -> anyhow::Result<Vec<Record>> {
    let members = (2 * number..)
        .zip(&device.officers)
        .map(|(one, (officer, credential))| Member {
            officer: *officer,
            name: format!("演练{one}"),
            certificate_number: format!("YL33{one:08}"),
            credential: Hash::of(credential),
            key: key("officer", one),
        })
        .collect();
    let crew = Crew { authority: AUTHORITY.to_owned(), members };
    let mut chain = Chain::new(number, device, device_key, at, &crew);
    chain.add(&crew.begin_shift(number, at)?, false)?;
    for (place, act) in crew.visit(number, at)?.into_iter().enumerate() {
        chain.add(&act, place > 0)?;
    }
    chain.add(&Crew::end_shift(number), false)?;
    let head = chain.head;
    let closed = DayClosed { last_seq: head.seq, head: head.hash, blobs: 0, blob_bytes: 0 };
    chain.add(&closed.into(), false)?;
    Ok(chain.records)
}

struct Chain<'a> {
    number: u64,
    device: &'a ProvisionedDevice,
    key: &'a SoftwareKey,
    at: Timestamp,
    crew: &'a Crew,
    head: Head,
    visit_head: Option<Hash>,
    records: Vec<Record>,
}

impl<'a> Chain<'a> {
    fn new(
        number: u64,
        device: &'a ProvisionedDevice,
        key: &'a SoftwareKey,
        at: Timestamp,
        crew: &'a Crew,
    ) -> Self {
        let head = Head::genesis(&device.certificate);
        Self { number, device, key, at, crew, head, visit_head: None, records: Vec::new() }
    }

    fn add(&mut self, act: &Act, of_visit: bool) -> anyhow::Result<()> {
        let seq = self.head.seq + 1;
        let unique = self.number * 1000 + seq;
        let passed = seq * 60_000;
        let envelope = Envelope {
            version: ENVELOPE_VERSION,
            record: RecordId(id("record", unique)),
            device: self.device.device,
            seq,
            previous: self.head.hash,
            recorded: Moment {
                wall_at: self.at.plus_ms(i64::try_from(passed)?),
                mono_ms: 40_000_000 + passed,
                boot: BootId(id("boot", self.number)),
                quality: TimeQuality::ServerSynced,
            },
            hq_seen: None,
            rulebook: None,
            inspection: of_visit.then(|| InspectionId(id("inspection", self.number))),
            visit_previous: self.visit_head.filter(|_| of_visit),
            case: None,
            officers: self.crew.ids(),
            blobs: vec![],
            salt: *id("salt", unique).as_bytes(),
            act: raw_act(act)?,
        };
        let record = Record::seal(envelope, self.key)?;
        self.head = self.head.follow(&record.envelope, record.hash)?;
        if of_visit {
            self.visit_head = Some(record.hash);
        }
        self.records.push(record);
        Ok(())
    }
}

fn request(
    number: u64,
    device: &ProvisionedDevice,
    key: &SoftwareKey,
    body: &[u8],
) -> anyhow::Result<Vec<u8>> {
    let path = format!("{PREFIX}/push");
    let statement = RequestStatement {
        device: Some(device.device),
        method: "POST".to_owned(),
        path: path.clone(),
        body: Hash::of(body),
        nonce: *id("request", number).as_bytes(),
    };
    let payload = canonical::to_bytes(&statement)?;
    let signed = cose::sign(Context::Request, &payload, key).context("sign request")?;
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nhost: hq\r\n{HEADER_REQUEST}: {}\r\n\
         {HEADER_PROTOCOL}: 1-2\r\ncontent-type: {MEDIA_PACKED}\r\n\
         content-encoding: {ENCODING_ZSTD}\r\ncontent-length: {}\r\n\r\n",
        STANDARD.encode(signed),
        body.len(),
    )
    .into_bytes();
    request.extend_from_slice(body);
    Ok(request)
}
