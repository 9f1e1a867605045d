//! A handheld and its HQ at work in one folder, and what each of them has promised so far.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hq::{Config, Hq, HqClock, HqError, Running};
use sync_core::clock::{Clock, ManualClock};
use sync_core::disk::RealDisk;
use sync_core::error::{StoreError, SyncError};
use sync_core::store::Scope;
use sync_core::sync::{HqClient, Progress, enroll, round};
use sync_core::{Store, random};
use sync_model::hash::Hash;
use sync_model::id::{EvidenceId, InspectionId};
use sync_model::record::evidence::{
    EvidenceCaptured, EvidenceKind, EvidenceOrigin, EvidencePhase, LeadRecorded,
};
use sync_model::record::{Act, BlobRole};
use sync_model::time::Timestamp;
use sync_model::wire::feed::CommandMessage;
use uuid::Uuid;

/// 2026-11-24 10:00 in Shanghai.
const TEN: Timestamp = Timestamp(1_795_485_600_000);

/// HQ's folder below the folder of the pair.
pub const HQ: &str = "hq";
/// The handheld's folder below the folder of the pair.
pub const DEVICE: &str = "device";

/// Something that was said to be done; no power cut may take it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The handheld is enrolled.
    Enrolled,
    /// An act was committed.
    Act { seq: u64, hash: Hash },
    /// A draft was saved.
    Draft(String),
    /// HQ's receipt was kept.
    Receipt { seq: u64 },
    /// HQ holds a file whole.
    Held(Hash),
    /// HQ has taken so many bytes of a file.
    Reached(Hash, u64),
    /// HQ sent a message.
    Command(String),
}

struct Time(Arc<ManualClock>);

impl HqClock for Time {
    fn now(&self) -> Timestamp {
        self.0.now().wall_at
    }
}

/// Why a step did not work.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The handheld's store.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// A sync round.
    #[error("sync: {0}")]
    Sync(#[from] SyncError),
    /// HQ.
    #[error("hq: {0}")]
    Hq(#[from] HqError),
    /// A step that needs HQ or the handheld while it does not run.
    #[error("not running")]
    Off,
}

/// A handheld and its HQ.
pub struct Pair {
    root: PathBuf,
    clock: Arc<ManualClock>,
    store: Option<Store>,
    hq: Option<Running>,
}

impl Pair {
    /// Returns the pair of this folder; nothing runs yet.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        let clock = Arc::new(ManualClock::at(TEN));
        Self { root: root.to_owned(), clock, store: None, hq: None }
    }

    /// Starts HQ, which makes itself at the first time.
    ///
    /// # Errors
    /// [`StepError::Hq`].
    pub fn start_hq(&mut self) -> Result<(), StepError> {
        self.hq = None;
        let listen = ([127, 0, 0, 1], 0).into();
        let config = Config { data: self.root.join(HQ), listen };
        self.hq = Some(hq::serve_with_clock(&config, Arc::new(Time(Arc::clone(&self.clock))))?);
        Ok(())
    }

    /// Starts the handheld.
    ///
    /// # Errors
    /// [`StepError::Store`].
    pub fn start_device(&mut self) -> Result<(), StepError> {
        self.store = None;
        let clock = Arc::clone(&self.clock);
        self.store = Some(Store::open(&self.root.join(DEVICE), clock, Arc::new(RealDisk))?);
        Ok(())
    }

    /// Ends both in good order.
    pub fn stop(&mut self) {
        self.store = None;
        self.hq = None;
    }

    /// Returns the handheld's store.
    ///
    /// # Errors
    /// [`StepError::Off`].
    pub fn store(&self) -> Result<&Store, StepError> {
        self.store.as_ref().ok_or(StepError::Off)
    }

    /// Returns HQ.
    ///
    /// # Errors
    /// [`StepError::Off`].
    pub fn hq(&self) -> Result<&Hq, StepError> {
        self.hq.as_ref().map(|running| &running.hq).ok_or(StepError::Off)
    }

    fn client(&self) -> Result<HqClient, StepError> {
        let running = self.hq.as_ref().ok_or(StepError::Off)?;
        Ok(HqClient::new(&format!("http://{}", running.address))?)
    }

    /// Lets a minute pass.
    fn pass_time(&self) {
        self.clock.advance_ms(60_000);
    }

    /// Enrolls the handheld if it is not.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn enroll(&self, tell: &mut dyn FnMut(Told)) -> Result<(), StepError> {
        if self.store()?.read(|r| r.enrollment())?.is_none() {
            let codes = self.hq()?.issue_enrollment("xh-zhzf", "一号机", &[])?;
            enroll(self.store()?, &self.client()?, &codes.enrollment)?;
        }
        tell(Told::Enrolled);
        Ok(())
    }

    fn act(&self, act: Act, tell: &mut dyn FnMut(Told)) -> Result<(), StepError> {
        self.pass_time();
        let record = self.store()?.act(&Scope::default(), |_, _| Ok::<_, StoreError>(act))?;
        tell(Told::Act { seq: record.envelope.seq, hash: record.hash });
        Ok(())
    }

    /// Records a lead of so many bytes.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn lead(&self, bytes: usize, tell: &mut dyn FnMut(Told)) -> Result<(), StepError> {
        let lead = LeadRecorded {
            place: "北山路".to_owned(),
            description: "长".repeat(bytes / 3),
            hand_to: "消防".to_owned(),
            evidence: vec![],
        };
        self.act(lead.into(), tell)
    }

    /// Takes a photograph of so many bytes: the file first, then the record that cites it.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn photograph(&self, bytes: usize, tell: &mut dyn FnMut(Told)) -> Result<(), StepError> {
        let file: Vec<u8> = random::bytes::<64>().into_iter().cycle().take(bytes).collect();
        let original = self.store()?.blobs().put(&file, "image/jpeg", BlobRole::Original)?;
        let captured = EvidenceCaptured {
            evidence: EvidenceId(Uuid::from_bytes(random::bytes())),
            inspection: None::<InspectionId>,
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
        self.act(captured.into(), tell)
    }

    /// Saves what was typed so far.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn draft(&self, text: &str, tell: &mut dyn FnMut(Told)) -> Result<(), StepError> {
        self.store()?.save_draft("case/1", "violation", text)?;
        tell(Told::Draft(text.to_owned()));
        Ok(())
    }

    /// Lets HQ send a message to the handheld.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn command(&self, text: &str, tell: &mut dyn FnMut(Told)) -> Result<(), StepError> {
        let enrollment = self.store()?.read(|r| r.enrollment())?.ok_or(StepError::Off)?;
        let message = CommandMessage { title: text.to_owned(), text: text.to_owned() };
        self.hq()?.command(enrollment.certificate.device, message)?;
        tell(Told::Command(text.to_owned()));
        Ok(())
    }

    /// Does a sync round; what it kept is told while it runs.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn sync(&self, tell: &mut dyn FnMut(Told)) -> Result<Progress, StepError> {
        self.pass_time();
        let (store, client) = (self.store()?, self.client()?);
        let done = round(store, &client, &mut |_| tell_held(store, tell))?;
        tell_held(store, tell);
        Ok(done)
    }

    /// Tells everything that stands on the handheld's disk as promised.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn tell_all(&self, tell: &mut dyn FnMut(Told)) -> Result<(), StepError> {
        let store = self.store()?;
        if store.read(|r| r.enrollment())?.is_some() {
            tell(Told::Enrolled);
        }
        for row in store.read(|r| r.records_from(1, 1_000_000))? {
            tell(Told::Act { seq: row.seq, hash: row.hash });
        }
        tell_held(store, tell);
        Ok(())
    }
}

/// Tells receipts and files that the handheld notes as held by HQ.
fn tell_held(store: &Store, tell: &mut dyn FnMut(Told)) {
    let last = store.read(|r| r.head()).ok().flatten().map_or(0, |head| head.seq);
    for seq in 1..=last {
        if let Ok(Some(_)) = store.read(|r| r.receipt(seq)) {
            tell(Told::Receipt { seq });
        }
    }
    let folder = store.folder().join("xunzheng.db");
    let Ok(database) = super::check::read_only(&folder) else { return };
    let Ok(files) = super::check::files(&database) else { return };
    for file in files {
        if file.held {
            tell(Told::Held(file.sha256));
        } else if file.reached > 0 {
            tell(Told::Reached(file.sha256, file.reached));
        }
    }
}
