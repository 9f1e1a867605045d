//! Entering the practice profile: HQ on loopback, device enrolled there, officers activated.

use std::path::PathBuf;
use std::sync::Arc;

use sync_core::sync::HqClient;

use super::{activate, enroll};
use crate::error::AppError;
use crate::practice::{self, Practice};
use crate::services::Services;
use crate::sync_status::sync_now;

/// Where the practice HQ of a device lies, below its data folder.
const FOLDER: &str = "practice-hq";
/// How addresses of a practice HQ begin.
const LOOPBACK: &str = "http://127.0.0.1:";

fn folder(services: &Services) -> PathBuf {
    services.store.folder().join(FOLDER)
}

/// Says whether this device belongs to a practice HQ, which then runs whenever the window does.
///
/// # Errors
/// [`AppError::Store`].
pub fn is_practice(services: &Services) -> Result<bool, AppError> {
    let enrollment = services.store.read(|reader| reader.enrollment())?;
    let at_home = enrollment.is_some_and(|one| one.hq.starts_with(LOOPBACK));
    Ok(at_home && folder(services).is_dir())
}

/// Starts the practice HQ and makes this device ready; goes on where an earlier start was cut.
///
/// # Errors
/// [`AppError::Practice`] if the device belongs to a real HQ: practice never mixes with it.
pub fn enter_practice(services: &Services) -> Result<Practice, AppError> {
    let enrolled = services.store.read(|reader| reader.enrollment())?.is_some();
    if enrolled && !is_practice(services)? {
        return Err(AppError::Practice("device is enrolled elsewhere".to_owned()));
    }
    let practice = practice::start(&folder(services), Arc::clone(&services.clock))?;
    let (hq, codes) = (practice.address(), practice.codes()?);
    if enrolled {
        // The practice HQ listens on another port each time.
        services.store.set_hq(&hq)?;
    } else {
        enroll(services, &hq, &codes.device)?;
    }
    let client = HqClient::of(&services.store, &hq)?;
    for code in &codes.officers {
        let row = services.store.read(|reader| reader.officer(code.officer))?;
        if row.ok_or(AppError::NotFound("officer"))?.credential.is_none() {
            activate(services, &client, code.officer, &code.code, &code.pin)?;
        }
    }
    sync_now(services, &mut |_| {})?;
    Ok(practice)
}
