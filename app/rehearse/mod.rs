//! The whole day without a screen, through the features the pages use: enrol, unlock, pull, show
//! credentials, inspect, capture, write, read back, sign, decide, hand over, push, check, export.
//!
//! Resumable: stopped anywhere (a pulled battery, SIGKILL) and started on the same folder, it goes
//! on from what is on record. Deployers run it to prove a device and an HQ before a shift.

mod clock;
mod day;
mod enroll;
mod ink;
mod papers;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use sync_core::bundle::{self, Verified};
use sync_core::clock::Clock;
use sync_core::disk::RealDisk;
use sync_core::key::Hardness;
use sync_core::sync::{self, HqClient};
use sync_model::id::InspectionId;

use crate::error::AppError;
use crate::services::Services;

pub use clock::RehearsalClock;
pub use enroll::{Codes, OfficerCode};
pub use ink::signature_strokes;

/// What to rehearse with.
#[derive(Clone, Debug)]
pub struct RehearseInput {
    /// Photographs to capture, in name order.
    pub photos: PathBuf,
    /// Where device, practice HQ and bundle go.
    pub out: PathBuf,
    /// An HQ elsewhere with the codes it gave; `None` starts the practice HQ.
    pub hq: Option<(String, Codes)>,
}

/// What the rehearsal reached.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RehearseReport {
    /// Joint inspections concluded.
    pub joint_inspections: usize,
    /// Photographs captured.
    pub photos: usize,
    /// Files that are no photographs and were refused.
    pub photos_refused: usize,
    /// Transcripts locked with the party's signature.
    pub transcripts_signed: usize,
    /// Transcripts locked after a refusal with witness.
    pub transcripts_refused: usize,
    /// On-the-spot decisions issued.
    pub decisions: usize,
    /// Documents handed over.
    pub documents_delivered: usize,
    /// Records on the device.
    pub records: u64,
    /// Records with a verified receipt.
    pub records_receipted: u64,
    /// Files at HQ, whole.
    pub blobs_received: u64,
    /// Whether the exported bundle verifies.
    pub bundle_verified: bool,
    /// What the verification counted.
    pub bundle: Option<Verified>,
    /// Where the bundle lies.
    pub bundle_path: Option<PathBuf>,
    /// Milliseconds per step.
    pub timings_ms: Vec<(String, u128)>,
    /// Peak resident memory, in KiB, where the system tells.
    pub peak_rss_kib: Option<u64>,
}

impl RehearseReport {
    /// Says whether everything that must hold does.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.joint_inspections >= 1
            && self.photos >= 1
            && self.transcripts_signed >= 1
            && self.transcripts_refused >= 1
            && self.decisions >= 1
            && self.records > 0
            && self.records == self.records_receipted
            && self.bundle_verified
    }
}

/// Something worth a line while it runs.
pub enum Event<'a> {
    /// A step of the day is done.
    Step(&'a str),
    /// A record is committed: its place and hash.
    Committed(u64, sync_model::hash::Hash),
}

/// A rehearsal under way.
pub(crate) struct Rehearsal<'a> {
    pub(crate) services: &'a Services,
    pub(crate) clock: &'a RehearsalClock,
    pub(crate) photos: &'a Path,
    pub(crate) report: RehearseReport,
    tell: &'a mut dyn FnMut(Event<'_>),
    told_seq: u64,
    step_began: Instant,
}

impl Rehearsal<'_> {
    /// Tells of every record committed since the last call.
    pub(crate) fn tell_committed(&mut self) -> Result<(), AppError> {
        let rows = self.services.store.read(|r| r.records_from(self.told_seq + 1, 1000))?;
        for row in rows {
            (self.tell)(Event::Committed(row.seq, row.hash));
            self.told_seq = row.seq;
        }
        Ok(())
    }

    /// Tells of a step that is done and how long it took.
    pub(crate) fn step(&mut self, text: &str) -> Result<(), AppError> {
        self.tell_committed()?;
        let took = self.step_began.elapsed().as_millis();
        self.report.timings_ms.push((text.to_owned(), took));
        self.step_began = Instant::now();
        (self.tell)(Event::Step(text));
        Ok(())
    }
}

/// Rehearses the day.
///
/// # Errors
/// The first step that does not hold.
pub fn rehearse(
    input: &RehearseInput,
    tell: &mut dyn FnMut(Event<'_>),
) -> Result<RehearseReport, AppError> {
    std::fs::create_dir_all(&input.out).map_err(AppError::io("make output folder"))?;
    let clock = Arc::new(RehearsalClock::new());
    let practice = match &input.hq {
        Some(_) => None,
        None => Some(crate::practice::start(&input.out.join("hq"), clock.clone())?),
    };
    let (hq, codes) = match (&input.hq, &practice) {
        (Some((hq, codes)), _) => (hq.clone(), codes.clone()),
        (None, Some(practice)) => (practice.address(), practice.codes()?),
        (None, None) => return Err(AppError::NotFound("hq")),
    };
    let services = Services::open(
        &input.out.join("device"),
        clock.clone() as Arc<dyn Clock>,
        Arc::new(RealDisk),
        Hardness::REHEARSAL,
    )?;
    clock.never_before(last_recorded(&services)?);
    let mut rehearsal = Rehearsal {
        services: &services,
        clock: &clock,
        photos: &input.photos,
        report: RehearseReport::default(),
        tell,
        told_seq: 0,
        step_began: Instant::now(),
    };
    let client = enroll::ready(&mut rehearsal, &hq, &codes)?;
    let inspection = day::run(&mut rehearsal)?;
    push_and_check(&mut rehearsal, &client)?;
    export(&mut rehearsal, inspection, &input.out)?;
    let mut report = rehearsal.report;
    report.peak_rss_kib = peak_rss_kib();
    if let Some(practice) = practice {
        practice.stop();
    }
    Ok(report)
}

fn last_recorded(services: &Services) -> Result<sync_model::time::Timestamp, AppError> {
    let head = services.store.read(|r| r.head())?;
    let rows = match head {
        Some(head) => services.store.read(|r| r.records_from(head.seq, 1))?,
        None => vec![],
    };
    Ok(rows.last().map_or(sync_model::time::Timestamp(0), |row| row.recorded_at))
}

/// Pushes everything, twice (acceptance comes with the second pull), and counts the receipts.
fn push_and_check(rehearsal: &mut Rehearsal<'_>, client: &HqClient) -> Result<(), AppError> {
    let services = rehearsal.services;
    sync::round(&services.store, client, &mut |_| {})?;
    sync::round(&services.store, client, &mut |_| {})?;
    let counts = services.store.read(|r| r.outbox_counts())?;
    rehearsal.report.records = services.store.check_chain()?;
    rehearsal.report.records_receipted = counts.received;
    rehearsal.report.blobs_received = counts.received_blobs;
    if counts.pending + counts.parked + counts.pending_blobs > 0 {
        return Err(AppError::NotFound("receipt of every record"));
    }
    rehearsal.step("上报：每条记录都有总部回执")
}

fn export(
    rehearsal: &mut Rehearsal<'_>,
    inspection: InspectionId,
    out: &Path,
) -> Result<(), AppError> {
    let path = bundle::export(&rehearsal.services.store, inspection, out)?;
    let verified = bundle::verify(&path).map_err(AppError::Bundle)?;
    rehearsal.report.bundle_verified =
        verified.records > 0 && verified.receipts == verified.records;
    rehearsal.report.bundle = Some(verified);
    rehearsal.report.bundle_path = Some(path);
    rehearsal.step("导出案卷并核验")
}

fn peak_rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
