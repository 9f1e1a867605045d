//! From a photograph's file to its committed record (hash, EXIF, thumbnail, watermarked copy),
//! beside the usual chain of tools where they are installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use sync_core::clock::Clock;
use sync_core::disk::RealDisk;
use sync_core::key::Hardness;
use sync_core::sync::{self, HqClient};
use sync_model::id::InspectionId;
use sync_model::record::credential::PartyReaction;
use sync_model::record::evidence::{EvidenceKind, EvidenceOrigin};
use xunzheng::credential::{DisplayInput, display};
use xunzheng::evidence::{CaptureInput, capture};
use xunzheng::inspection::{BeginInput, begin};
use xunzheng::rehearse::RehearsalClock;
use xunzheng::services::Services;
use xunzheng::{assignment, practice, session};

use crate::line::{line, percentile_us};

/// Captures measured.
const ROUNDS: usize = 11;
/// The largest photograph of the sample data.
const LARGEST: &str = "../shared/data/photos/mobile/HMD_Nokia_8.3_5G.jpg";

pub(crate) fn run(file: Option<String>) -> anyhow::Result<Vec<String>> {
    let file = PathBuf::from(file.unwrap_or_else(|| LARGEST.to_owned()));
    let bytes = std::fs::read(&file).with_context(|| format!("read {}", file.display()))?;
    let folder = tempfile::tempdir_in(".").context("make a folder on this disk")?;
    let clock = Arc::new(RehearsalClock::new());
    let practice = practice::start(&folder.path().join("hq"), clock.clone())?;
    let services = Services::open(
        &folder.path().join("device"),
        clock as Arc<dyn Clock>,
        Arc::new(RealDisk),
        Hardness::REHEARSAL,
    )?;
    let inspection = visit(&services, &practice)?;
    let (mut ours, mut chain) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        ours.push(ingest(&services, inspection, &bytes, round)?);
        chain.extend(tools(&file, folder.path()));
    }
    practice.stop();
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let note = format!("{}, {} bytes", name.unwrap_or_default(), bytes.len());
    let ms = |times: &mut Vec<Duration>, percent| percentile_us(times, percent) / 1000.0;
    let mut lines = vec![
        line("photo", "ingest_12mp_ms", ms(&mut ours, 50), "ms", &note, ""),
        line("photo", "ingest_12mp_min_ms", ms(&mut ours, 0), "ms", &note, ""),
    ];
    let peer = "sha256sum + exiftool + vipsthumbnail + vips composite";
    if chain.is_empty() {
        eprintln!("peer not installed: {peer}");
    } else {
        lines.push(line("photo", "ingest_12mp_ms", ms(&mut chain, 50), "ms", &note, peer));
    }
    Ok(lines)
}

fn visit(services: &Services, practice: &practice::Practice) -> anyhow::Result<InspectionId> {
    let codes = practice.codes()?;
    session::enroll(services, &practice.address(), &codes.device)?;
    let client = HqClient::new(&practice.address())?;
    for code in &codes.officers {
        session::activate(services, &client, code.officer, &code.code, &code.pin)?;
        session::unlock(services, code.officer, &code.pin)?;
    }
    sync::round(&services.store, &client, &mut |_| {})?;
    session::begin_shift(services)?;
    let list = assignment::list(services)?;
    let first = list.first().context("an assignment")?;
    let input = BeginInput {
        on_site_reason: "须现场查看".to_owned(),
        override_reason: "测量".to_owned(),
    };
    let (inspection, _) = begin(services, first.assignment.assignment, &input)?;
    let shown =
        DisplayInput { shown_ms: 4000, physical_card_shown: true, reaction: PartyReaction::Seen };
    display(services, inspection, &shown)?;
    Ok(inspection)
}

/// Captures the photograph with bytes appended that no decoder reads, so that each round stores a
/// file of its own.
fn ingest(
    services: &Services,
    inspection: InspectionId,
    bytes: &[u8],
    round: usize,
) -> anyhow::Result<Duration> {
    let mut bytes = bytes.to_vec();
    bytes.extend_from_slice(&round.to_be_bytes());
    let input = CaptureInput {
        kind: EvidenceKind::AudiovisualMaterial,
        origin: EvidenceOrigin::Captured,
        source: "bench".to_owned(),
        description: "测量".to_owned(),
    };
    let began = Instant::now();
    capture(services, inspection, &bytes, &input)?;
    Ok(began.elapsed())
}

/// Runs the usual tools one after the other; `None` where one is missing or fails.
fn tools(file: &Path, folder: &Path) -> Option<Duration> {
    let (thumbnail, large) = (folder.join("t.jpg"), folder.join("l.jpg"));
    let (label, marked) = (folder.join("label.png"), folder.join("w.jpg"));
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let (file, thumbnail, large) = (text(file), text(&thumbnail), text(&large));
    let (label, marked) = (text(&label), text(&marked));
    let began = Instant::now();
    run_tool("sha256sum", &[&file])?;
    run_tool("exiftool", &[&file])?;
    run_tool("vipsthumbnail", &[&file, "-s", "320", "-o", &thumbnail])?;
    run_tool("vipsthumbnail", &[&file, "-s", "1920", "-o", &large])?;
    run_tool("vips", &["text", &label, "2026年11月24日 09时05分", "--dpi", "150"])?;
    run_tool("vips", &["composite2", &large, &label, &marked, "over", "--x", "20", "--y", "20"])?;
    Some(began.elapsed())
}

fn run_tool(name: &str, arguments: &[&str]) -> Option<()> {
    let quiet = Stdio::null;
    let status =
        Command::new(name).args(arguments).stdout(quiet()).stderr(quiet()).status().ok()?;
    status.success().then_some(())
}
