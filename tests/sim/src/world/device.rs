//! One handheld of the world: the real store on a folder of its own, a clock that can be wrong, and
//! what its user was told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use sync_core::clock::{Clock, ManualClock, Reading};
use sync_core::disk::RealDisk;
use sync_core::store::Scope;
use sync_core::sync::HqClient;
use sync_core::{Store, StoreError, SyncError};
use sync_model::hash::Hash;
use sync_model::id::{BootId, CaseId, DeviceId, DocumentId, EvidenceId};
use sync_model::record::document::NumberReserved;
use sync_model::record::evidence::{
    EvidenceCaptured, EvidenceKind, EvidenceOrigin, EvidencePhase, LeadRecorded,
};
use sync_model::record::{Act, BlobRole};
use uuid::Uuid;

use super::Violation;
use super::network::{Line, Net};
use super::template::copy_folder;

/// The world's clock as one device shows it.
struct DeviceClock {
    world: Arc<ManualClock>,
    wrong_by_ms: AtomicI64,
    boots: AtomicU64,
    booted_mono_ms: AtomicU64,
}

impl Clock for DeviceClock {
    fn now(&self) -> Reading {
        let reading = self.world.now();
        let booted = self.booted_mono_ms.load(Ordering::SeqCst);
        Reading {
            wall_at: reading.wall_at.plus_ms(self.wrong_by_ms.load(Ordering::SeqCst)),
            boot: BootId(Uuid::from_u128(self.boots.load(Ordering::SeqCst).into())),
            mono_ms: reading.mono_ms.saturating_sub(booted),
        }
    }
}

/// One handheld.
pub(super) struct Device {
    pub(super) folder: PathBuf,
    pub(super) id: DeviceId,
    clock: Arc<DeviceClock>,
    store: Option<Store>,
    client: HqClient,
    /// Records that an act returned: they survive any crash.
    pub(super) committed: BTreeMap<u64, Hash>,
    /// Log index of each receipt shown.
    pub(super) receipted: BTreeMap<u64, u64>,
    /// Why the last round stopped.
    pub(super) last: Option<SyncError>,
    /// Rounds that found HQ's proofs wrong.
    pub(super) alarms: u64,
    /// Its chain was stopped, since HQ holds another one or a longer one.
    pub(super) stopped: bool,
    /// Distinguishes what this machine makes from what a copy of it makes.
    made: u64,
    name: u64,
}

impl Device {
    pub(super) fn open(
        folder: PathBuf,
        world: &Arc<ManualClock>,
        net: &Arc<Mutex<Net>>,
        number: usize,
    ) -> Result<Self, Violation> {
        let name = u64::try_from(number).unwrap_or(u64::MAX);
        let clock = DeviceClock {
            world: Arc::clone(world),
            wrong_by_ms: AtomicI64::new(0),
            boots: AtomicU64::new(1 + name * 1000),
            booted_mono_ms: AtomicU64::new(0),
        };
        let line = Line { net: Arc::clone(net), device: number };
        let mut device = Self {
            folder,
            id: DeviceId(Uuid::nil()),
            clock: Arc::new(clock),
            store: None,
            client: HqClient::over("http://hq.simulated", Box::new(line)),
            committed: BTreeMap::new(),
            receipted: BTreeMap::new(),
            last: None,
            alarms: 0,
            stopped: false,
            made: 0,
            name,
        };
        device.start()?;
        device.id = device.id()?;
        device.remember()?;
        Ok(device)
    }

    /// Returns which device this is; nobody before it is enrolled.
    pub(super) fn id(&self) -> Result<DeviceId, Violation> {
        let enrollment = self.store()?.read(|r| r.enrollment());
        let enrollment = enrollment.map_err(Violation::of("I1 device opens"))?;
        Ok(enrollment.map_or(DeviceId(Uuid::nil()), |found| found.certificate.device))
    }

    pub(super) fn store(&self) -> Result<&Store, Violation> {
        self.store.as_ref().ok_or_else(|| Violation::new("simulator", "device is off"))
    }

    pub(super) fn client(&self) -> &HqClient {
        &self.client
    }

    pub(super) fn start(&mut self) -> Result<(), Violation> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let opened = Store::open(&self.folder, clock, Arc::new(RealDisk));
        self.store = Some(opened.map_err(Violation::of("I1 device opens"))?);
        Ok(())
    }

    pub(super) fn stop(&mut self) {
        self.store = None;
    }

    /// Ends the program and boots again.
    pub(super) fn restart(&mut self) -> Result<(), Violation> {
        self.stop();
        self.clock.boots.fetch_add(1, Ordering::SeqCst);
        self.clock.booted_mono_ms.store(self.clock.world.now().mono_ms, Ordering::SeqCst);
        self.start()
    }

    /// Moves the device's wall clock alone.
    pub(super) fn jump_minutes(&self, minutes: i32) {
        self.clock.wrong_by_ms.fetch_add(i64::from(minutes) * 60_000, Ordering::SeqCst);
    }

    /// Puts the folder back to `backup`; what was committed since is known to be gone.
    pub(super) fn restore(&mut self, backup: &Path) -> Result<(), Violation> {
        self.stop();
        std::fs::remove_dir_all(&self.folder).map_err(Violation::of("simulator"))?;
        copy_folder(backup, &self.folder)?;
        self.committed.clear();
        self.receipted.clear();
        self.start()?;
        self.remember()
    }

    fn next(&mut self) -> u128 {
        self.made += 1;
        u128::from(self.name + 1) << 64 | u128::from(self.made)
    }

    fn act(
        &mut self,
        decide: impl FnOnce(&sync_core::store::Reader<'_>) -> Result<Option<Act>, StoreError>,
    ) -> Result<(), Violation> {
        let nothing = StoreError::BadStored("nothing to do");
        let acted = self.store()?.act(&Scope::default(), |reader, _| {
            decide(reader)?.ok_or(StoreError::BadStored("nothing to do"))
        });
        match acted {
            Ok(_) => self.remember(),
            // A restored chain takes nothing more; the check knows who was restored.
            Err(StoreError::ChainStopped(_)) => {
                self.stopped = true;
                Ok(())
            }
            Err(error) if error.to_string() == nothing.to_string() => Ok(()),
            Err(error) => Err(Violation::new("officer is blocked", error.to_string())),
        }
    }

    pub(super) fn lead(&mut self) -> Result<(), Violation> {
        let number = self.next();
        let lead = LeadRecorded {
            place: "北山路".to_owned(),
            description: format!("线索 {number:x}"),
            hand_to: "消防".to_owned(),
            evidence: vec![],
        };
        self.act(|_| Ok(Some(lead.into())))
    }

    pub(super) fn photo(&mut self, length: u32) -> Result<(), Violation> {
        let number = self.next();
        let mut bytes = number.to_be_bytes().to_vec();
        // The same few bytes again and again still make another file for each photograph.
        bytes.resize(usize::try_from(length).unwrap_or(16).max(16), 0xd8);
        let put = self.store()?.blobs().put(&bytes, "image/jpeg", BlobRole::Original);
        let original = put.map_err(Violation::of("officer is blocked"))?;
        let captured = EvidenceCaptured {
            evidence: EvidenceId(Uuid::from_u128(number)),
            inspection: None,
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
        };
        self.act(|_| Ok(Some(captured.into())))
    }

    /// Takes a number from the lease, if there is one.
    pub(super) fn number(&mut self, authority: &str, year: i32) -> Result<(), Violation> {
        let number = self.next();
        self.act(|reader| {
            let lease = reader.open_lease(authority, year)?;
            Ok(lease.map(|lease| {
                Act::from(NumberReserved {
                    lease: lease.lease,
                    number: lease.next,
                    document_number: format!("{}〔{}〕{}", lease.word, lease.year, lease.next),
                    document: DocumentId(Uuid::from_u128(number)),
                    case: CaseId(Uuid::from_u128(number)),
                })
            }))
        })
    }

    /// A sync round; whatever stops it is remembered, damage is a violation.
    pub(super) fn sync(&mut self) -> Result<(), Violation> {
        let round = sync_core::sync::round(self.store()?, &self.client, &mut |_| {});
        self.last = round.err();
        match &self.last {
            Some(SyncError::Store(error)) => {
                return Err(Violation::new("I7 a round fails here", error.to_string()));
            }
            Some(SyncError::BadProof(_)) => self.alarms += 1,
            _ => {}
        }
        self.remember()
    }

    /// Notes what the store has committed and shows as received since the last time.
    pub(super) fn remember(&mut self) -> Result<(), Violation> {
        let next = self.committed.keys().last().map_or(1, |seq| seq + 1);
        let store = self.store()?;
        let rows = store.read(|r| r.records_from(next, 100_000)).map_err(Violation::of("I1"))?;
        let committed: Vec<(u64, Hash)> = rows.iter().map(|row| (row.seq, row.hash)).collect();
        self.committed.extend(committed);
        let mut found = Vec::new();
        for seq in self.committed.keys().filter(|seq| !self.receipted.contains_key(seq)) {
            let receipt = self.store()?.read(|r| r.receipt(*seq)).map_err(Violation::of("I4"))?;
            found.extend(receipt.map(|receipt| (*seq, receipt.log_index)));
        }
        self.receipted.extend(found);
        Ok(())
    }
}
