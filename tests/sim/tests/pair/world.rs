//! Handhelds and HQ in one process on one clock.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hq::{Hq, HqClock, InProcess};
use sync_core::clock::{Clock, ManualClock};
use sync_core::disk::RealDisk;
use sync_core::store::{Scope, Store};
use sync_core::sync::{Exchange, HqClient, Progress, Reply, Transport, enroll, round};
use sync_core::{StoreError, SyncError};
use sync_model::hash::Hash;
use sync_model::id::{AssignmentId, CaseId, DeviceId, EvidenceId, InspectionId, OfficerId};
use sync_model::record::case::{CaseFiled, DecisionIssued, DefenseHeard, PriorNoticeGiven};
use sync_model::record::evidence::{
    EvidenceCaptured, EvidenceKind, EvidenceOrigin, EvidencePhase, LeadRecorded,
};
use sync_model::record::inspection::{AssignmentAccepted, InspectionBegun};
use sync_model::record::shift::DayClosed;
use sync_model::record::{Act, BlobRole, Record};
use sync_model::rule::on_spot::PartyKind;
use sync_model::time::Timestamp;
use sync_model::wire::assignment::{Party, Premises};
use uuid::Uuid;

/// 2026-11-24 09:00 in Hangzhou.
pub(crate) const MORNING: Timestamp = Timestamp(1_795_482_000_000);

struct Time(Arc<ManualClock>);

impl HqClock for Time {
    fn now(&self) -> Timestamp {
        self.0.now().wall_at
    }
}

/// The line between a handheld and HQ.
struct Line(InProcess);

impl Transport for Line {
    fn call(&self, exchange: Exchange) -> Result<Reply, SyncError> {
        let answered = self
            .0
            .call(exchange.method.name(), &exchange.path, &exchange.headers, exchange.body)
            .map_err(|error| SyncError::Unreachable(error.to_string()))?;
        let (status, headers, body) = (answered.status, answered.headers, answered.body);
        Ok(Reply { status, headers, body })
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) hq: Hq,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(MORNING));
        let time = Arc::new(Time(Arc::clone(&clock)));
        let hq = Hq::open_or_init(&folder.path().join("hq"), time).unwrap();
        Self { clock, hq, folder }
    }

    pub(crate) fn device(&self, name: &str) -> Device {
        self.device_of("xh-zhzf", name)
    }

    pub(crate) fn device_of(&self, authority: &str, name: &str) -> Device {
        let codes = self.hq.issue_enrollment(authority, name, &[]).unwrap();
        let mut device = self.open(&self.folder.path().join(name));
        let enrolled = enroll(device.store(), &device.client, &codes.enrollment).unwrap();
        device.id = enrolled.certificate.device;
        device
    }

    /// Opens the handheld in `folder`.
    pub(crate) fn open(&self, folder: &Path) -> Device {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let store = Store::open(folder, clock, Arc::new(RealDisk)).unwrap();
        let line = Line(InProcess::new(&self.hq).unwrap());
        let client = HqClient::over("http://hq.test", Box::new(line));
        let enrollment = store.read(|r| r.enrollment()).unwrap();
        let id = enrollment.map_or(DeviceId(Uuid::nil()), |found| found.certificate.device);
        Device { folder: folder.to_owned(), id, client, store: Some(store) }
    }
}

pub(crate) struct Device {
    pub(crate) folder: PathBuf,
    pub(crate) id: DeviceId,
    pub(crate) client: HqClient,
    store: Option<Store>,
}

impl Device {
    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    pub(crate) fn sync(&self) -> Result<Progress, SyncError> {
        round(self.store(), &self.client, &mut |_| {})
    }

    /// Puts the device away; its folder stays.
    pub(crate) fn close(mut self) -> PathBuf {
        self.store = None;
        self.folder.clone()
    }

    pub(crate) fn act(&self, scope: &Scope, act: impl Into<Act>) -> Record {
        self.try_act(scope, act).unwrap()
    }

    pub(crate) fn try_act(&self, scope: &Scope, act: impl Into<Act>) -> Result<Record, StoreError> {
        let act = act.into();
        self.store().act(scope, |_, _| Ok::<_, StoreError>(act))
    }

    pub(crate) fn lead(&self, text: &str) -> Record {
        let lead = LeadRecorded {
            place: "演练路".into(),
            description: text.into(),
            hand_to: "消防".into(),
            evidence: vec![],
        };
        self.act(&Scope::default(), lead)
    }

    /// Takes a photograph with a preview.
    pub(crate) fn photograph(&self, scope: &Scope, number: u8) -> Record {
        let blobs = self.store().blobs();
        let original = blobs.put(&vec![number; 70_000], "image/jpeg", BlobRole::Original).unwrap();
        let preview = [number, 1, 2, 3].repeat(100);
        let thumbnail = blobs.put(&preview, "image/jpeg", BlobRole::Thumbnail).unwrap();
        let captured = EvidenceCaptured {
            evidence: EvidenceId(Uuid::from_u128(0xe000 + u128::from(number))),
            inspection: scope.inspection,
            ordinal: u32::from(number),
            kind: EvidenceKind::ElectronicData,
            origin: EvidenceOrigin::Captured,
            phase: EvidencePhase::Visit,
            description: "门前".into(),
            source: "camera".into(),
            original,
            thumbnail: Some(thumbnail),
            watermarked: None,
            width: 1,
            height: 1,
            exif_taken: None,
            exif_camera: None,
            position: None,
            problems: vec![],
        };
        self.act(scope, captured)
    }

    pub(crate) fn close_day(&self) -> Record {
        let closed = |reader: &sync_core::store::Reader<'_>| {
            let head = reader.head()?.unwrap();
            let (blobs, blob_bytes) = reader.blob_totals()?;
            Ok::<_, StoreError>(DayClosed {
                last_seq: head.seq,
                head: head.hash,
                blobs,
                blob_bytes,
            })
        };
        self.store()
            .act::<StoreError>(&Scope::default(), |reader, _| Ok(closed(reader)?.into()))
            .unwrap()
    }

    pub(crate) fn pending(&self) -> u64 {
        let counts = self.store().read(|r| r.outbox_counts()).unwrap();
        counts.pending + counts.pending_blobs + counts.parked
    }
}

pub(crate) fn inspection() -> InspectionId {
    InspectionId(Uuid::from_u128(0x2001))
}

pub(crate) fn case() -> CaseId {
    CaseId(Uuid::from_u128(0xca5e))
}

/// The scope of an act in the visit, and in the case.
pub(crate) fn scope(officer: u128, in_case: bool) -> Scope {
    Scope {
        officers: vec![OfficerId(Uuid::from_u128(0x4000 + officer))],
        inspection: Some(inspection()),
        case: in_case.then(case),
    }
}

fn party() -> Party {
    Party {
        kind: PartyKind::SoleProprietor,
        name: "演练小吃店".into(),
        credit_code: None,
        identity_number: None,
        person_in_charge: None,
        phone: None,
        address: "演练路1号".into(),
    }
}

pub(crate) fn accepted() -> AssignmentAccepted {
    AssignmentAccepted { assignment: AssignmentId(Uuid::from_u128(0x1001)), revision: 1 }
}

pub(crate) fn begun() -> InspectionBegun {
    InspectionBegun {
        inspection: inspection(),
        assignment: accepted().assignment,
        shift: Hash::ZERO,
        premises: Premises {
            name: "演练小吃店".into(),
            address: "演练路1号".into(),
            region_code: "330106002".into(),
        },
        party: party(),
        participations: vec![],
        on_site_reason: "需要现场查看".into(),
        overrides: vec![],
    }
}

pub(crate) fn filed(violation: &str, evidence: &[u128]) -> CaseFiled {
    CaseFiled {
        case: case(),
        inspection: inspection(),
        matter: "330217A01".into(),
        authority: "xh-zhzf".into(),
        party: party(),
        violation: violation.into(),
        acted_at: MORNING,
        place: "演练路1号".into(),
        evidence: evidence.iter().map(|n| EvidenceId(Uuid::from_u128(0xe000 + n))).collect(),
    }
}

pub(crate) fn noticed() -> PriorNoticeGiven {
    PriorNoticeGiven {
        case: case(),
        benchmark: None,
        tier: None,
        warning: true,
        fine_fen: 0,
        told: Hash::of(b"told"),
    }
}

pub(crate) fn heard(content: &str) -> DefenseHeard {
    DefenseHeard {
        case: case(),
        content: content.into(),
        waived: false,
        adopted: false,
        reply: "已复核".into(),
    }
}

/// A decision of the released corpus, made one of this case.
pub(crate) fn decided(device: &Device, number: u128) -> DecisionIssued {
    let bytes = include_bytes!(
        "../../../../sync-core/model/fixtures/records/v1/24_decision_issued_bare.cbor"
    );
    let Act::DecisionIssued(mut decision) = Record::read(bytes).unwrap().envelope.act() else {
        panic!("another act")
    };
    let blobs = device.store().blobs();
    let text = format!("决定 {number}");
    decision.case = case();
    decision.document = sync_model::id::DocumentId(Uuid::from_u128(0x7000 + number));
    decision.document_number = format!("西综执当罚字〔2026〕第{number:05}号");
    decision.content = blobs.put(text.as_bytes(), "text/plain", BlobRole::Content).unwrap();
    decision.text = blobs.put(text.as_bytes(), "text/plain", BlobRole::Text).unwrap();
    decision
}
