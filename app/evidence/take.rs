//! Taking one photograph with the handheld's camera, and listing files that may be imported.
//!
//! Which camera is a setting of the device; without one the first video device is taken, and no
//! camera is said plainly, never replaced by something else.

use std::path::{Path, PathBuf};

use sync_core::store::Store;
use sync_model::hash::Hash;
use sync_model::id::InspectionId;
use sync_model::record::evidence::{EvidenceKind, EvidenceOrigin};

use super::capture::{CaptureInput, Captured, capture};
use crate::device::camera::{CameraChoice, CameraError, PHOTO_BYTES_MAX, PhotoSource, find_camera};
use crate::error::AppError;
use crate::services::Services;

/// Draft scope of the device's settings.
pub const SETTINGS: &str = "settings";
/// Field that names the camera.
pub const CAMERA: &str = "camera";

/// Returns the camera that the settings name: `none`, `device:/dev/video0`, `inbox:/folder`,
/// `folder:/folder` or `command:program {file}`.
///
/// # Errors
/// [`AppError::Store`].
pub fn camera_choice(store: &Store) -> Result<CameraChoice, AppError> {
    let rows = store.read(|r| r.draft(SETTINGS))?;
    let set = rows.into_iter().find(|row| row.field == CAMERA).map(|row| row.value);
    Ok(set.as_deref().map_or(CameraChoice::Automatic, parse_choice))
}

fn parse_choice(text: &str) -> CameraChoice {
    match text.split_once(':') {
        Some(("device", path)) => CameraChoice::Device(PathBuf::from(path)),
        Some(("inbox", path)) => CameraChoice::Inbox(PathBuf::from(path)),
        Some(("folder", path)) => CameraChoice::Folder(PathBuf::from(path)),
        Some(("command", template)) => CameraChoice::Command(template.to_owned()),
        _ if text == "none" => CameraChoice::Absent,
        _ => CameraChoice::Automatic,
    }
}

/// Takes one photograph and makes it evidence; `None` if the device has no camera.
///
/// # Errors
/// [`AppError::Camera`] if the camera gives none, else see [`capture`].
pub fn take(
    services: &Services,
    inspection: InspectionId,
    kind: EvidenceKind,
    description: &str,
) -> Result<Option<Captured>, AppError> {
    let failed = |error: CameraError| AppError::Camera(error.to_string());
    let rows = services.store.read(|r| r.evidence_of(inspection))?;
    let known: Vec<Hash> = rows.into_iter().map(|row| row.captured.original.sha256).collect();
    let seen = known.clone();
    let choice = camera_choice(&services.store)?;
    let camera = find_camera(&choice, Box::new(move |hash| seen.contains(hash))).map_err(failed)?;
    let Some(mut camera) = camera else { return Ok(None) };
    // A folder of prepared photographs begins anew each time: what is evidence already is skipped.
    let bytes = loop {
        let bytes = camera.capture().map_err(failed)?;
        if !known.contains(&Hash::of(&bytes)) {
            break bytes;
        }
    };
    let origin = match camera.source() {
        PhotoSource::OwnCamera => EvidenceOrigin::Captured,
        PhotoSource::ImportedFile => EvidenceOrigin::Imported,
    };
    let input = CaptureInput {
        kind,
        origin,
        source: camera.describe(),
        description: description.to_owned(),
    };
    capture(services, inspection, &bytes, &input).map(Some)
}

/// Returns the folder that files for import are put into, made at the first call.
///
/// # Errors
/// [`AppError::Io`].
pub fn import_folder(store: &Store) -> Result<PathBuf, AppError> {
    let folder = store.folder().join("import");
    std::fs::create_dir_all(&folder).map_err(AppError::io("make import folder"))?;
    Ok(folder)
}

/// Returns the files of a folder by name; links and folders are left out.
///
/// # Errors
/// [`AppError::Io`].
pub fn files_in(folder: &Path) -> Result<Vec<PathBuf>, AppError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(AppError::io("list import folder"))? {
        let entry = entry.map_err(AppError::io("list import folder"))?;
        let kind = entry.file_type().map_err(AppError::io("list import folder"))?;
        if kind.is_file() && !entry.file_name().to_string_lossy().starts_with('.') {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Makes one file evidence; it stays where it is.
///
/// # Errors
/// [`AppError::Io`], else see [`capture`].
// 《最高人民法院关于行政诉讼证据若干问题的规定》第十二条: 视听资料应当注明制作方法、制作时间、制作人.
pub fn import(
    services: &Services,
    inspection: InspectionId,
    path: &Path,
    kind: EvidenceKind,
    description: &str,
) -> Result<Captured, AppError> {
    let bytes = std::fs::metadata(path).map_err(AppError::io("look up import file"))?.len();
    if bytes > PHOTO_BYTES_MAX {
        let path = path.to_owned();
        return Err(AppError::Camera(CameraError::TooLarge { path, bytes }.to_string()));
    }
    let bytes = std::fs::read(path).map_err(AppError::io("read import file"))?;
    let name =
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let input = CaptureInput {
        kind,
        origin: EvidenceOrigin::Imported,
        source: name,
        description: description.to_owned(),
    };
    capture(services, inspection, &bytes, &input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_setting_names_exactly_one_camera() {
        assert_eq!(parse_choice("none"), CameraChoice::Absent);
        assert_eq!(parse_choice("folder:/p"), CameraChoice::Folder(PathBuf::from("/p")));
        let command = "libcamera-still -o {file}";
        assert_eq!(
            parse_choice(&format!("command:{command}")),
            CameraChoice::Command(command.to_owned())
        );
        assert_eq!(parse_choice(""), CameraChoice::Automatic);
    }
}
