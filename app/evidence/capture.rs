//! Capturing: hash and store the untouched file, read what it says, make copies, record.

use sync_core::random;
use sync_core::store::{CaseState, Reader};
use sync_model::id::{EvidenceId, InspectionId};
use sync_model::record::evidence::{
    EvidenceCaptured, EvidenceKind, EvidenceOrigin, EvidencePhase, Position,
};
use sync_model::record::{BlobRef, BlobRole};

use super::photo::{self, Ingested, PhotoInput, PhotoProblem};
use crate::error::AppError;
use crate::inspection::require_open;
use crate::services::Services;

/// What the officer says about a capture.
#[derive(Clone, Debug)]
pub struct CaptureInput {
    /// Which of the eight kinds.
    pub kind: EvidenceKind,
    /// Own camera or somebody else's file.
    pub origin: EvidenceOrigin,
    /// The camera, or the name of the imported file.
    pub source: String,
    /// What it shows.
    pub description: String,
}

/// A capture that is on record.
#[derive(Clone, Debug)]
pub struct Captured {
    /// The evidence.
    pub evidence: EvidenceId,
    /// Number within the visit.
    pub ordinal: u32,
    /// What was wrong with the file; it was kept all the same.
    pub problems: Vec<PhotoProblem>,
}

/// Makes the photograph in `bytes` evidence of a visit.
///
/// # Errors
/// [`AppError::NoShift`] while nobody is unlocked, [`AppError::Photo`] if it is no photograph,
/// [`AppError::Store`] when the disk is full; nothing is recorded then, and the caller still has
/// the file.
pub fn capture(
    services: &Services,
    inspection: InspectionId,
    bytes: &[u8],
    input: &CaptureInput,
) -> Result<Captured, AppError> {
    let scope = services.scope_of_officers(Some(inspection), None)?;
    let watermark = services.store.read(|r| watermark(services, r, inspection))?;
    let taken = photo::ingest(PhotoInput { bytes, watermark, font: services.font()? })?;
    let blobs = services.store.blobs();
    // The original first: whatever fails from here on, it is there.
    let original = blobs.put(bytes, &taken.media, BlobRole::Original)?;
    let copy = |bytes: &[u8], role| blobs.put(bytes, "image/jpeg", role);
    let (thumbnail, watermarked) = match &taken.derivatives {
        Some(made) => (
            Some(copy(&made.thumbnail, BlobRole::Thumbnail)?),
            Some(copy(&made.watermarked, BlobRole::Watermarked)?),
        ),
        None => (None, None),
    };
    let evidence = EvidenceId::new(services.clock.now().wall_at.0, &random::bytes());
    let mut ordinal = 0;
    services.store.act(&scope, |reader, _| {
        let phase = phase(reader, inspection)?;
        ordinal = reader.next_evidence_ordinal(inspection)?;
        let mut body = body(&taken, input, original, phase);
        body.evidence = evidence;
        body.inspection = Some(inspection);
        body.ordinal = ordinal;
        body.thumbnail = thumbnail;
        body.watermarked = watermarked;
        Ok::<_, AppError>(body.into())
    })?;
    Ok(Captured { evidence, ordinal, problems: taken.findings })
}

/// Returns whether what is captured now may be cited for the visit.
// 《最高人民法院关于行政诉讼证据若干问题的规定》第六十条: 决定之后收集的证据不能支持该决定.
fn phase(reader: &Reader<'_>, inspection: InspectionId) -> Result<EvidencePhase, AppError> {
    let row = require_open(reader, inspection)?;
    let decided = reader.cases_of(inspection)?.iter().any(|case| case.state == CaseState::Decided);
    Ok(match (row.displayed_at, decided) {
        (None, _) => EvidencePhase::PreVisit,
        (_, true) => EvidencePhase::PostDecision,
        _ => EvidencePhase::Visit,
    })
}

/// Returns the lines written on the visible copy.
fn watermark(
    services: &Services,
    reader: &Reader<'_>,
    inspection: InspectionId,
) -> Result<Vec<String>, AppError> {
    let row = require_open(reader, inspection)?;
    let ordinal = reader.next_evidence_ordinal(inspection)?;
    let session = services.session();
    let officers: Vec<&str> =
        session.unlocked().iter().map(|one| one.credential.name.as_str()).collect();
    Ok(vec![
        format!("{}  证据{ordinal:03}", services.clock.now().wall_at.chinese()),
        row.begun.premises.name.clone(),
        row.begun.premises.address.clone(),
        format!("执法人员：{}", officers.join("、")),
    ])
}

fn body(
    taken: &Ingested,
    input: &CaptureInput,
    original: BlobRef,
    phase: EvidencePhase,
) -> EvidenceCaptured {
    let camera: Vec<&str> =
        [&taken.exif.make, &taken.exif.model].into_iter().flatten().map(String::as_str).collect();
    EvidenceCaptured {
        evidence: EvidenceId(uuid::Uuid::nil()),
        inspection: None,
        ordinal: 0,
        kind: input.kind,
        origin: input.origin,
        phase,
        description: input.description.trim().to_owned(),
        source: input.source.clone(),
        original,
        thumbnail: None,
        watermarked: None,
        width: taken.width,
        height: taken.height,
        exif_taken: taken.exif.taken_text.clone(),
        exif_camera: Some(camera.join(" ")).filter(|text| !text.is_empty()),
        position: taken.exif.gps.as_ref().map(|gps| Position {
            latitude_e7: gps.latitude_e7,
            longitude_e7: gps.longitude_e7,
            accuracy_mm: None,
            // EXIF positions are WGS 84; the difference from CGCS2000 is centimetres (`domain` §7.4).
            datum: "EPSG:4490".to_owned(),
            source: "exif".to_owned(),
        }),
        problems: taken.findings.iter().map(|problem| format!("{problem:?}")).collect(),
    }
}
