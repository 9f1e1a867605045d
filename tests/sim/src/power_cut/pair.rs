//! A handheld and its HQ at work in one folder, and what each of them has promised so far.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine, engine::general_purpose::STANDARD};
use hq::{Hq, HqClock, HqError, InProcess};
use sync_core::clock::{Clock, ManualClock, SystemClock};
use sync_core::disk::RealDisk;
use sync_core::error::{StoreError, SyncError};
use sync_core::store::Scope;
use sync_core::sync::{Exchange, HqClient, Progress, Reply, Transport, enroll, round};
use sync_core::{Store, random};
use sync_model::canonical;
use sync_model::cose::{self, Context};
use sync_model::hash::Hash;
use sync_model::id::{EvidenceId, InspectionId};
use sync_model::record::evidence::{
    EvidenceCaptured, EvidenceKind, EvidenceOrigin, EvidencePhase, LeadRecorded,
};
use sync_model::record::{Act, BlobRole};
use sync_model::time::Timestamp;
use sync_model::wire::feed::CommandMessage;
use sync_model::wire::push::{BlobState, NeedReply, NeedRequest};
use sync_model::wire::request::RequestStatement;
use sync_model::wire::{HEADER_REQUEST, PREFIX};
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
    /// HQ has issued a code for the handheld.
    Code(String),
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
    /// HQ answered something else.
    #[error("hq answered {0}")]
    Answer(String),
    /// A step that needs HQ or the handheld while it does not run.
    #[error("not running")]
    Off,
}

/// HQ as a function; nothing between it and the handheld is cut here but power.
struct NoNetwork(Mutex<InProcess>);

impl Transport for NoNetwork {
    fn call(&self, exchange: Exchange) -> Result<Reply, SyncError> {
        let Exchange { method, path, headers, body, .. } = exchange;
        let hq = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = hq
            .call(method.name(), &path, &headers, body)
            .map_err(|error| SyncError::Unreachable(error.to_string()))?;
        Ok(Reply { status: answered.status, headers: answered.headers, body: answered.body })
    }
}

/// A handheld and its HQ.
pub struct Pair {
    root: PathBuf,
    /// HQ's clock, which is right.
    clock: Arc<ManualClock>,
    device_clock: Arc<ManualClock>,
    store: Option<Store>,
    hq: Option<Hq>,
    /// Where HQ is if it is another process; time is the machine's then.
    address: Option<String>,
}

impl Pair {
    /// Returns the pair of this folder; nothing runs yet.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        let clock = Arc::new(ManualClock::at(TEN));
        let device_clock = Arc::new(ManualClock::at(TEN));
        Self { root: root.to_owned(), clock, device_clock, store: None, hq: None, address: None }
    }

    /// Returns the handheld of this folder, whose HQ is another process.
    #[must_use]
    pub fn over(root: &Path, address: &str) -> Self {
        Self { address: Some(address.to_owned()), ..Self::at(root) }
    }

    /// Starts HQ, which makes itself at the first time.
    ///
    /// # Errors
    /// [`StepError::Hq`].
    pub fn start_hq(&mut self) -> Result<(), StepError> {
        self.hq = None;
        let clock = Arc::new(Time(Arc::clone(&self.clock)));
        self.hq = Some(Hq::open_or_init(&self.root.join(HQ), clock)?);
        Ok(())
    }

    /// Starts the handheld.
    ///
    /// # Errors
    /// [`StepError::Store`].
    pub fn start_device(&mut self) -> Result<(), StepError> {
        self.store = None;
        let clock: Arc<dyn Clock> = match self.address {
            Some(_) => Arc::new(SystemClock::new()),
            None => Arc::clone(&self.device_clock) as Arc<dyn Clock>,
        };
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
        self.hq.as_ref().ok_or(StepError::Off)
    }

    fn client(&self) -> Result<HqClient, StepError> {
        if let Some(address) = &self.address {
            return Ok(HqClient::new(address)?);
        }
        let hq = NoNetwork(Mutex::new(InProcess::new(self.hq()?)?));
        Ok(HqClient::over("http://hq.test", Box::new(hq)))
    }

    /// Lets a minute pass.
    fn pass_time(&self) {
        self.clock.advance_ms(60_000);
        self.device_clock.advance_ms(60_000);
    }

    /// Moves the handheld's wall clock alone.
    pub fn jump_ms(&self, ms: i64) {
        self.device_clock.jump_ms(ms);
    }

    /// Enrolls the handheld if it is not, with the code HQ once gave for it or with a first one.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn enroll(
        &self,
        code: Option<String>,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), StepError> {
        if self.store()?.read(|r| r.enrollment())?.is_none() {
            let code = match code {
                Some(code) => code,
                None => self.hq()?.issue_enrollment("xh-zhzf", "一号机", &[])?.enrollment,
            };
            tell(Told::Code(code.clone()));
            enroll(self.store()?, &self.client()?, &code)?;
        }
        tell(Told::Enrolled);
        Ok(())
    }

    /// Asks HQ how much it has of files, as the handheld asks.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn ask(&self, blobs: Vec<Hash>) -> Result<Vec<BlobState>, StepError> {
        let wrong = |what: &dyn std::fmt::Debug| StepError::Answer(format!("{what:?}"));
        let enrollment = self.store()?.read(|r| r.enrollment())?.ok_or(StepError::Off)?;
        let body = canonical::to_bytes(&NeedRequest { blobs }).map_err(|error| wrong(&error))?;
        let path = format!("{PREFIX}/blobs/need");
        let statement = RequestStatement {
            device: Some(enrollment.certificate.device),
            method: "POST".to_owned(),
            path: path.clone(),
            body: Hash::of(&body),
            nonce: random::bytes(),
        };
        let payload = canonical::to_bytes(&statement).map_err(|error| wrong(&error))?;
        let signed = cose::sign(Context::Request, &payload, self.store()?.device_key())
            .map_err(|error| wrong(&error))?;
        let headers = [(HEADER_REQUEST, STANDARD.encode(signed))];
        let answered = InProcess::new(self.hq()?)?.call("POST", &path, &headers, body)?;
        let reply: NeedReply =
            canonical::from_bytes(&answered.body, 1 << 20).map_err(|_| wrong(&answered))?;
        Ok(reply.blobs)
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
