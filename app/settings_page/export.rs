//! Exporting: a visit's bundle, checked after writing; and what was set aside as damaged.

use std::fs;
use std::path::{Path, PathBuf};

use sync_core::bundle::{self, Verified};
use sync_core::disk::{Disk, RealDisk};
use sync_core::store::QUARANTINE_FOLDER;
use sync_model::id::InspectionId;

use crate::error::AppError;
use crate::services::Services;
use crate::sync_status;

/// Where exports lie, below the data folder.
const FOLDER: &str = "export";

/// A bundle that was written and verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Where it lies.
    pub path: PathBuf,
    /// What was checked.
    pub verified: Verified,
}

/// Exports the bundle of a visit, of the last one if none is named, and verifies it as written.
///
/// # Errors
/// [`AppError::NotFound`] before the first visit; [`AppError::Bundle`] if it does not verify.
pub fn export_bundle(
    services: &Services,
    inspection: Option<InspectionId>,
) -> Result<Exported, AppError> {
    let last = || -> Result<Option<InspectionId>, AppError> {
        let all = services.store.read(|reader| reader.inspections())?;
        Ok(all.first().map(|visit| visit.begun.inspection))
    };
    let chosen = match inspection {
        Some(id) => Some(id),
        None => last()?,
    };
    let id = chosen.ok_or(AppError::NotFound("inspection"))?;
    // What was removed here after HQ archived it belongs into the bundle all the same.
    sync_status::fetch_removed(services, id)?;
    let path = bundle::export(&services.store, id, &services.store.folder().join(FOLDER))?;
    let verified = bundle::verify(&path)?;
    Ok(Exported { path, verified })
}

/// Copies what was set aside as damaged out of the data folder's way; returns where to.
///
/// # Errors
/// [`AppError::Io`]; the copies that were set aside stay as they are.
pub fn export_quarantine(folder: &Path) -> Result<PathBuf, AppError> {
    let from = folder.join(QUARANTINE_FOLDER);
    let to = folder.join(FOLDER).join(QUARANTINE_FOLDER);
    copy_folder(&from, &to)?;
    Ok(to)
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), AppError> {
    let doing = "export what was set aside";
    fs::create_dir_all(to).map_err(AppError::io(doing))?;
    for entry in fs::read_dir(from).map_err(AppError::io(doing))? {
        let entry = entry.map_err(AppError::io(doing))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            let bytes = fs::read(&path).map_err(AppError::io(doing))?;
            RealDisk.write(&target, &bytes).map_err(AppError::io(doing))?;
        }
    }
    Ok(())
}
