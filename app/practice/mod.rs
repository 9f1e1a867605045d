//! 演练: an HQ inside this process, on loopback, with a sample authority, officers, assignments.
//!
//! Everything is the real mechanism: real enrolment, real HTTP, real receipts; only the HQ is ours.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hq::{Config, HqClock, Running};
use sync_core::clock::Clock;
use sync_core::disk::{Disk, RealDisk};
use sync_model::time::Timestamp;

use crate::error::AppError;
use crate::rehearse::{Codes, OfficerCode};

/// The sample rulebook of the practice authority.
pub const RULEBOOK: &str = include_str!("../../assets/rulebook/sample.json");
/// The PIN of both practice officers.
pub const PIN: &str = "275910";
/// Where the codes are kept between starts.
const CODES: &str = "practice-codes.json";

/// A practice HQ that runs.
pub struct Practice {
    running: Running,
    folder: PathBuf,
}

/// The device's clock as HQ reads it: both ends of a practice share one time.
struct Shared(Arc<dyn Clock>);

impl HqClock for Shared {
    fn now(&self) -> Timestamp {
        self.0.now().wall_at
    }
}

/// Starts the practice HQ on the folder, made and seeded at the first call.
///
/// # Errors
/// [`AppError::Practice`].
pub fn start(folder: &Path, clock: Arc<dyn Clock>) -> Result<Practice, AppError> {
    let config = Config::new(folder, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let running = hq::serve_with_clock(&config, Arc::new(Shared(clock))).map_err(failed)?;
    let practice = Practice { running, folder: folder.to_owned() };
    if !folder.join(CODES).exists() {
        practice.seed()?;
    }
    Ok(practice)
}

fn failed(error: impl std::fmt::Display) -> AppError {
    AppError::Practice(error.to_string())
}

impl Practice {
    /// Seeds authority, officers and assignments; a seed cut short is done again with new codes.
    fn seed(&self) -> Result<(), AppError> {
        let seeded = hq::practice::seed(&self.running.hq, RULEBOOK).map_err(failed)?;
        let codes = Codes {
            device: seeded.enrollment_code,
            officers: seeded
                .officers
                .into_iter()
                .map(|one| OfficerCode {
                    officer: one.officer,
                    code: one.code,
                    pin: PIN.to_owned(),
                })
                .collect(),
        };
        let bytes = serde_json::to_vec_pretty(&codes).map_err(failed)?;
        RealDisk.write(&self.folder.join(CODES), &bytes).map_err(AppError::io("keep codes"))
    }

    /// Returns its address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}", self.running.address)
    }

    /// Returns the codes that the seed gave, kept beside its data.
    ///
    /// # Errors
    /// [`AppError::Practice`].
    pub fn codes(&self) -> Result<Codes, AppError> {
        let bytes =
            std::fs::read(self.folder.join(CODES)).map_err(AppError::io("read practice codes"))?;
        serde_json::from_slice(&bytes).map_err(failed)
    }

    /// Returns the handle of the HQ, for tests and the practice page.
    #[must_use]
    pub fn hq(&self) -> &hq::Hq {
        &self.running.hq
    }

    /// Stops it; what it holds stays in its folder.
    pub fn stop(self) {
        self.running.shutdown();
    }
}
