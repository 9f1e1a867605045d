//! An enrolled device in a scratch folder, with the keys of the HQ that enrolled it.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use sync_model::canonical;
use sync_model::cose::{self, Context, Signer, SoftwareKey};
use sync_model::credential::{DeviceCertificate, issue_device_certificate};
use sync_model::hash::Hash;
use sync_model::id::{AssignmentId, DeviceId, EvidenceId, InspectionId, OfficerId, ShiftId};
use sync_model::record::evidence::{
    EvidenceCaptured, EvidenceKind, EvidenceOrigin, EvidencePhase, LeadRecorded,
};
use sync_model::record::inspection::{
    ChecklistAnswered, EntryAnswer, EntryResult, InspectionBegun, InspectionConcluded, NoticeGiven,
};
use sync_model::record::shift::ShiftBegun;
use sync_model::record::{Act, BlobRef, BlobRole, Record};
use sync_model::rule::on_spot::PartyKind;
use sync_model::time::Timestamp;
use sync_model::wire::assignment::{Assignment, AssignmentSource, Party, Premises};
use sync_model::wire::enroll::{EnrollReply, ExpectedOfficer, Trust};
use sync_model::wire::feed::{FeedBody, FeedItem, FeedPage};
use uuid::Uuid;

use crate::clock::ManualClock;
use crate::disk::{Disk, RealDisk};
use crate::error::StoreError;
use crate::store::{Scope, Store, lock};
use crate::vault;

/// 2026-11-24 10:00 in Shanghai.
pub(crate) const TEN: Timestamp = Timestamp(1_795_485_600_000);
pub(crate) const HOUR_MS: i64 = 3_600_000;
pub(crate) const LOG_ORIGIN: &str = "hq.test/log";

/// Ids start at different offsets, so that mixing them up fails.
pub(crate) fn device_id() -> DeviceId {
    DeviceId(Uuid::from_u128(0x1000))
}
pub(crate) fn inspection(number: u128) -> InspectionId {
    InspectionId(Uuid::from_u128(0x2000 + number))
}
pub(crate) fn assignment_id(number: u128) -> AssignmentId {
    AssignmentId(Uuid::from_u128(0x3000 + number))
}
pub(crate) fn officer(number: u128) -> OfficerId {
    OfficerId(Uuid::from_u128(0x4000 + number))
}
pub(crate) fn evidence(number: u128) -> EvidenceId {
    EvidenceId(Uuid::from_u128(0x5000 + number))
}

/// The keys of an HQ.
pub(crate) struct HqKeys {
    pub(crate) issuer: SoftwareKey,
    pub(crate) log: SoftwareKey,
    pub(crate) feed: SoftwareKey,
}

impl HqKeys {
    pub(crate) fn new(seed: u8) -> Self {
        let key = |offset| SoftwareKey::from_secret(&[seed.wrapping_add(offset); 32]);
        Self { issuer: key(1), log: key(2), feed: key(3) }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust {
            log_origin: LOG_ORIGIN.to_owned(),
            log_key: self.log.public(),
            issuer_key: self.issuer.public(),
            feed_key: self.feed.public(),
            tls_ca: None,
        }
    }

    pub(crate) fn item(&self, index: u64, device: Option<DeviceId>, body: FeedBody) -> Vec<u8> {
        let item = FeedItem { index, device, issued_at: TEN, body };
        let payload = canonical::to_bytes(&item).unwrap();
        cose::sign(Context::Feed, &payload, &self.feed).unwrap()
    }
}

pub(crate) fn page(items: Vec<Vec<u8>>) -> FeedPage {
    let head = u64::try_from(items.len()).unwrap();
    FeedPage { items: items.into_iter().map(Into::into).collect(), head, hq_at: TEN }
}

/// A device, its clock and its folder.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) hq: HqKeys,
    store: Option<Store>,
}

impl World {
    pub(crate) fn enrolled() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(TEN));
        let store = Store::open(folder.path(), clock.clone(), Arc::new(RealDisk)).unwrap();
        let hq = HqKeys::new(10);
        enroll(&store, &hq);
        Self { folder, clock, hq, store: Some(store) }
    }

    /// Connects to this world's database behind the store's back.
    pub(crate) fn keyed(&self, database: &Path) -> Connection {
        let connection = Connection::open(database).unwrap();
        let key = vault::open_without_pin(self.path()).unwrap().unwrap();
        connection.execute_batch(&key.database_pragma()).unwrap();
        connection
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn close(&mut self) {
        self.store = None;
    }

    pub(crate) fn open_with(&self, disk: Arc<dyn Disk>) -> Result<Store, StoreError> {
        Store::open(self.path(), self.clock.clone(), disk)
    }

    pub(crate) fn reopen(&mut self) {
        self.store = None;
        self.store = Some(self.open_with(Arc::new(RealDisk)).unwrap());
    }

    /// A connection beside the store, as somebody with a tool would open one; the store is closed.
    pub(crate) fn raw(&mut self) -> Connection {
        self.close();
        self.keyed(&self.path().join("xunzheng.db"))
    }

    pub(crate) fn act(&self, act: impl Into<Act>) -> Record {
        self.act_in(&Scope::default(), act)
    }

    pub(crate) fn act_in(&self, scope: &Scope, act: impl Into<Act>) -> Record {
        let act = act.into();
        self.store().act(scope, |_, _| Ok::<_, StoreError>(act)).unwrap()
    }

    /// A small visit: shift, arrival, notice, answers, a photograph, departure; 6 records.
    pub(crate) fn visit(&self, number: u128) -> Vec<Record> {
        let scope = scope(number);
        let shift = self.act(shift(number));
        let photo = self.photo(number, &[0xd8; 5000]);
        vec![
            shift.clone(),
            self.act_in(&scope, begun(number, shift.hash)),
            self.act_in(&scope, noticed(number)),
            self.act_in(&scope, answered(number, "地面清洁")),
            self.act_in(&scope, photo),
            self.act_in(&scope, concluded(number)),
        ]
    }

    /// Stores a file and returns the act that cites it.
    pub(crate) fn photo(&self, number: u128, bytes: &[u8]) -> EvidenceCaptured {
        let original = self.store().blobs().put(bytes, "image/jpeg", BlobRole::Original).unwrap();
        captured(number, original)
    }
}

pub(crate) fn enroll(store: &Store, hq: &HqKeys) {
    let certificate = DeviceCertificate {
        device: device_id(),
        name: "terminal".to_owned(),
        authority: "town".to_owned(),
        key: store.device_key().public(),
        issued_at: TEN,
    };
    let names = ["王建国", "李梅"];
    let officers = (1..).zip(names).map(|(number, name)| ExpectedOfficer {
        officer: officer(number),
        name: name.to_owned(),
        certificate_number: format!("3301000{number}"),
    });
    let reply = EnrollReply {
        device_certificate: issue_device_certificate(&certificate, &hq.issuer).unwrap(),
        trust: hq.trust(),
        officers: officers.collect(),
        hq_at: TEN,
    };
    store.enroll("http://127.0.0.1:1", &reply).unwrap();
}

/// Runs SQL on the store's own writer.
pub(crate) fn sql<T>(store: &Store, run: impl FnOnce(&Connection) -> T) -> T {
    run(&lock(&store.writer))
}

pub(crate) fn count(store: &Store, table: &str) -> i64 {
    sql(store, |c| c.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |r| r.get(0)).unwrap())
}

pub(crate) fn scope(number: u128) -> Scope {
    Scope {
        officers: vec![officer(1), officer(2)],
        inspection: Some(inspection(number)),
        case: None,
    }
}

pub(crate) fn party() -> Party {
    Party {
        kind: PartyKind::SoleProprietor,
        name: "北山小吃店".to_owned(),
        credit_code: None,
        identity_number: None,
        person_in_charge: None,
        phone: None,
        address: "北山路1号".to_owned(),
    }
}

fn premises() -> Premises {
    Premises {
        name: "北山小吃店".to_owned(),
        address: "北山路1号".to_owned(),
        region_code: "330106002".to_owned(),
    }
}

pub(crate) fn shift(number: u128) -> ShiftBegun {
    let shift = ShiftId(Uuid::from_u128(0x6000 + number));
    ShiftBegun { shift, authority: "town".to_owned(), officers: vec![] }
}

pub(crate) fn begun(number: u128, shift: Hash) -> InspectionBegun {
    InspectionBegun {
        inspection: inspection(number),
        assignment: assignment_id(number),
        shift,
        premises: premises(),
        party: party(),
        participations: vec![],
        on_site_reason: "需要现场查看".to_owned(),
        overrides: vec![],
    }
}

pub(crate) fn noticed(number: u128) -> NoticeGiven {
    NoticeGiven {
        inspection: inspection(number),
        told: vec![],
        recusal_requested: false,
        reply: "不申请回避".to_owned(),
    }
}

pub(crate) fn answered(number: u128, entry: &str) -> ChecklistAnswered {
    let answer = EntryAnswer {
        entry: entry.to_owned(),
        matters: vec![],
        result: EntryResult::Pass,
        note: String::new(),
        evidence: vec![],
    };
    ChecklistAnswered { inspection: inspection(number), answers: vec![answer] }
}

pub(crate) fn captured(number: u128, original: BlobRef) -> EvidenceCaptured {
    EvidenceCaptured {
        evidence: evidence(number),
        inspection: Some(inspection(number)),
        ordinal: 1,
        kind: EvidenceKind::ElectronicData,
        origin: EvidenceOrigin::Captured,
        phase: EvidencePhase::Visit,
        description: "操作间".to_owned(),
        source: "camera".to_owned(),
        original,
        thumbnail: None,
        watermarked: None,
        width: 1,
        height: 1,
        exif_taken: None,
        exif_camera: None,
        position: None,
        problems: vec![],
    }
}

pub(crate) fn concluded(number: u128) -> InspectionConcluded {
    InspectionConcluded {
        inspection: inspection(number),
        results: vec![],
        departed_at: TEN,
        overrides: vec![],
    }
}

pub(crate) fn lead(text: &str) -> LeadRecorded {
    LeadRecorded {
        place: "北山路".to_owned(),
        description: text.to_owned(),
        hand_to: "消防".to_owned(),
        evidence: vec![],
    }
}

pub(crate) fn assignment(number: u128, revision: u32, title: &str) -> Assignment {
    Assignment {
        assignment: assignment_id(number),
        revision,
        title: title.to_owned(),
        source: AssignmentSource::Routine,
        premises: premises(),
        party: party(),
        participations: vec![],
        approval: None,
        visit_code: None,
        visits: None,
        officers: vec![officer(1), officer(2)],
        not_before: TEN,
        due: TEN.plus_ms(HOUR_MS),
        note: String::new(),
    }
}
