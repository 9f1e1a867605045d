//! What trust costs: bytes and versions of codes, times to make and check a credential, a record, a
//! receipt, a slip and a bundle, and the key from a PIN. Goals stand in the notes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use sync_core::clock::{Clock, SystemClock};
use sync_core::disk::RealDisk;
use sync_core::key::{Hardness, SealedKey};
use sync_core::sync::{self, HqClient};
use sync_core::{StoreError, bundle};
use sync_model::cose::{Signer, SoftwareKey};
use sync_model::credential_code::{Options, check_text};
use sync_model::id::InspectionId;
use sync_model::log::note::Checkpoint;
use sync_model::log::{self, proof};
use sync_model::record::Record;
use sync_model::record::evidence::LeadRecorded;
use sync_model::slip::Slip;
use uuid::Uuid;
use xunzheng::credential::{live_code, qr};
use xunzheng::services::Services;
use xunzheng::{practice, session};

use crate::line::{line, percentile_us};

/// Runs of everything that takes microseconds.
const RUNS: usize = 2_000;
/// Runs of the key from a PIN.
const PIN_RUNS: usize = 10;
/// Modules around a code that carry nothing.
const QUIET: u32 = 8;

/// Measures; `folder` is an exported bundle, best one of 200 photographs.
pub(crate) fn run(folder: Option<String>) -> anyhow::Result<Vec<String>> {
    let room = tempfile::tempdir_in(".").context("make a folder on this disk")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let practice = practice::start(&room.path().join("hq"), Arc::clone(&clock))?;
    let device = room.path().join("device");
    let services = Services::open(&device, clock, Arc::new(RealDisk), Hardness::REHEARSAL)?;
    let codes = practice.codes()?;
    session::enroll(&services, &practice.address(), &codes.device)?;
    let client = HqClient::new(&practice.address())?;
    let mut lines = Vec::new();
    for (unlocked, code) in (1..).zip(&codes.officers) {
        session::activate(&services, &client, code.officer, &code.code, &code.pin)?;
        session::unlock(&services, code.officer, &code.pin)?;
        lines.extend(credential(&services, unlocked)?);
    }
    sync::round(&services.store, &client, &mut |_| {})?;
    session::begin_shift(&services)?;
    let lead = LeadRecorded {
        place: "北山街道演练路1号".to_owned(),
        description: "门前堆放杂物".to_owned(),
        hand_to: "西湖区综合行政执法局".to_owned(),
        evidence: vec![],
    };
    let scope = services.scope(None, None);
    let record = services.store.act::<StoreError>(&scope, |_, _| Ok(lead.into()))?;
    sync::round(&services.store, &client, &mut |_| {})?;
    lines.extend(records(&services, &record)?);
    practice.stop();
    lines.extend(pin()?);
    if let Some(folder) = folder {
        lines.extend(whole(Path::new(&folder))?);
    }
    Ok(lines)
}

fn timed<T>(runs: usize, mut work: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<f64> {
    let mut took: Vec<Duration> = Vec::with_capacity(runs);
    for _ in 0..runs {
        let began = Instant::now();
        work()?;
        took.push(began.elapsed());
    }
    Ok(percentile_us(&mut took, 50))
}

fn told(measure: &str, value: f64, unit: &str, note: &str) -> String {
    line("trust", measure, value, unit, note, "")
}

fn credential(services: &Services, officers: u32) -> anyhow::Result<Vec<String>> {
    let visit = InspectionId(Uuid::from_u128(1));
    let code = live_code(services, visit, "")?;
    let digits = code.split_once('#').map_or(0, |(_, digits)| digits.len());
    let version = (qr(&code)?.side - QUIET - 17) / 4;
    let enrollment = services.store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?;
    let (issuer, now) = (enrollment.trust.issuer_key, services.clock.now().wall_at);
    let make = timed(RUNS, || Ok(live_code(services, visit, "")?))?;
    let check = timed(RUNS, || Ok(check_text(&code, &issuer, now, &Options::default())))?;
    let note = match officers {
        1 => "1 officer; goal 340 bytes, version 15",
        _ => "2 officers in one code; studied: 605 bytes, version 17",
    };
    let bytes = f64::from(u32::try_from(digits / 17 * 7)?);
    Ok(vec![
        told("credential_bytes", bytes, "bytes", note),
        told("credential_qr_version", f64::from(version), "version", note),
        told("credential_make", make, "us", note),
        told("credential_check", check, "us", note),
    ])
}

fn records(services: &Services, record: &Record) -> anyhow::Result<Vec<String>> {
    let key = services.store.device_key();
    let enrollment = services.store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?;
    let seq = record.envelope.seq;
    let receipt = services.store.read(|r| r.receipt(seq))?.context("no receipt")?;
    let seal = timed(RUNS, || Ok(Record::seal(record.envelope.clone(), key)?))?;
    let open = timed(RUNS, || Ok(Record::open(&record.bytes, &key.public())?))?;
    let (origin, log_key) = (&enrollment.trust.log_origin, &enrollment.trust.log_key);
    let check = timed(RUNS, || {
        let note = Checkpoint::open(&receipt.checkpoint, origin, log_key)?;
        let leaf = log::leaf(&record.hash, record.envelope.device, seq);
        let root = proof::root_from_inclusion(leaf, receipt.log_index, note.size, &receipt.proof);
        (root == Some(note.root)).then_some(()).ok_or_else(|| anyhow!("proof"))
    })?;
    let bytes = f64::from(u32::try_from(receipt.checkpoint.len() + 32 * receipt.proof.len())?);
    let seen = services.store.read(|r| r.log_head())?;
    let slip = Slip::of(record, seen);
    let certificate = &enrollment.device_certificate;
    let url = slip.to_url(&enrollment.hq, certificate, key)?;
    let version = (qr(&url)?.side - QUIET - 17) / 4;
    let made = timed(RUNS, || Ok(slip.to_url(&enrollment.hq, certificate, key)?))?;
    let opened = timed(RUNS, || Ok(Slip::open(&url, &enrollment.trust.issuer_key)?))?;
    let size = format!("record of {} bytes", record.bytes.len());
    let slip_note = "with the device's certificate; studied without it: version 11";
    Ok(vec![
        told("record_make", seal, "us", &size),
        told("record_check", open, "us", &size),
        told("receipt_bytes", bytes, "bytes", "small log; goal 1,500"),
        told("receipt_check", check, "us", "goal 1,000"),
        told("slip_qr_version", f64::from(version), "version", slip_note),
        told("slip_make", made, "us", slip_note),
        told("slip_check", opened, "us", slip_note),
    ])
}

fn pin() -> anyhow::Result<Vec<String>> {
    let key = SoftwareKey::from_secret(&[7; 32]);
    let sealed = SealedKey::seal(&key, "246810", b"owner", Hardness::DEVICE)?;
    let took = timed(PIN_RUNS, || Ok(sealed.open("246810", b"owner")?))?;
    let note = "Argon2id, 3 passes; about 700 ms wanted on the handheld";
    Ok(vec![
        told("pin_open", took / 1000.0, "ms", note),
        told("pin_memory", f64::from(Hardness::DEVICE.memory_kib) / 1024.0, "MiB", note),
    ])
}

fn whole(folder: &Path) -> anyhow::Result<Vec<String>> {
    let found = bundle::verify(folder)?;
    let took = timed(3, || Ok(bundle::verify(folder)?))?;
    let note = format!(
        "{} records, {} receipts, {} files; goal 2,000 for 200 photographs",
        found.records, found.receipts, found.blobs
    );
    Ok(vec![told("bundle_check", took / 1000.0, "ms", &note)])
}
