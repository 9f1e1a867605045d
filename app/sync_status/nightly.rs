//! The night's sync: `xunzheng sync --nightly`, started by a timer or by hand, run to its end.
//!
//! Each device begins at its own minute, hash(device, date) mod window. Between tries and before its
//! minute nothing is open, so that the officer can open the handheld at any time; while a round runs,
//! the handheld asks for the folder and gets it after the request under way. A cut, a reboot or a
//! second start goes on from what is on disk: a night that is done is done once.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::NaiveDate;
use sync_core::clock::Clock;
use sync_core::sync::{Progress, schedule};
use sync_core::{Outcome, StoreError, SyncError, random};
use sync_model::id::DeviceId;
use sync_model::time::Timestamp;
use sync_model::wire::policy::Policy;
use sync_model::wire::problem::ProblemCode;

use super::sync_until;
use crate::error::AppError;
use crate::services::Services;

/// How long a night that was missed may take by day.
const CATCH_UP_MS: i64 = 3_600_000;
/// Longest sleep at a time: a device that was suspended looks at its clock again soon.
const NAP: Duration = Duration::from_secs(60);
/// In the data folder: one night at a time.
const LOCK: &str = "nightly.lock";

/// When this night's work begins and until when it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The night, named by the date on which its window opens.
    pub night: NaiveDate,
    /// Not before.
    pub begins_at: Timestamp,
    /// Tried until then.
    pub until: Timestamp,
}

/// Returns what is due at `now`, or `None` if the night is done.
#[must_use]
pub fn plan(
    policy: &Policy,
    device: DeviceId,
    done: Option<NaiveDate>,
    now: Timestamp,
) -> Option<Plan> {
    let today = now.legal_date();
    let opened = |night: &NaiveDate| now >= policy.nightly_opens(*night);
    // Before tonight's window the night before is the one that counts, also if it was missed.
    let night = Some(today).filter(opened).or_else(|| today.pred_opt()).unwrap_or(today);
    if done == Some(night) {
        return None;
    }
    let closes = policy.nightly_closes(night);
    let until = if now < closes { closes } else { now.plus_ms(CATCH_UP_MS) };
    Some(Plan { night, begins_at: policy.nightly_start(device, night).max(now), until })
}

/// How the night ended.
#[derive(Clone, Debug)]
pub enum Night {
    /// All that may go went; with what of it is parked.
    Done(Progress, u64),
    /// It had been done before.
    DoneBefore,
    /// The time is over, and HQ could not be reached to the end.
    TryLater(String),
    /// Another night's sync, or the handheld, has the folder.
    Busy,
}

/// What a night needs of the machine.
pub struct Means<'a> {
    /// The data folder.
    pub folder: PathBuf,
    /// The machine's clocks.
    pub clock: &'a dyn Clock,
    /// Opens the store.
    pub open: &'a dyn Fn() -> Result<Services, AppError>,
    /// Waits.
    pub sleep: &'a dyn Fn(Duration),
}

/// Does the night's work.
///
/// # Errors
/// [`AppError`] for what waiting does not heal; [`exit_code`] says which.
pub fn run(means: &Means<'_>) -> Result<Night, AppError> {
    let Some(_lock) = lock(&means.folder)? else { return Ok(Night::Busy) };
    let now = || means.clock.now().wall_at;
    let plan = {
        let services = match (means.open)() {
            Err(AppError::Store(StoreError::InUse(_))) => return Ok(Night::Busy),
            other => other?,
        };
        services.store.read(|r| {
            let enrollment = r.enrollment()?.ok_or(StoreError::NotEnrolled)?;
            let device = enrollment.certificate.device;
            Ok::<_, AppError>(plan(&r.policy()?, device, r.night_done()?, now()))
        })?
    };
    let Some(plan) = plan else { return Ok(Night::DoneBefore) };
    while now() < plan.begins_at {
        let left_ms = u64::try_from(plan.begins_at.since_ms(now())).unwrap_or(0);
        (means.sleep)(NAP.min(Duration::from_millis(left_ms)));
    }
    let mut failures = 0;
    loop {
        let wait_ms = match try_once(means, plan.night) {
            Ok(Some(done)) => return Ok(done),
            // The officer has the handheld open: it syncs by itself meanwhile.
            Ok(None) => u64::try_from(NAP.as_millis()).unwrap_or(u64::MAX),
            Err(error) if exit_code(&error) == EXIT_TRY_LATER => {
                let asked = match &error {
                    AppError::Sync(error) => error.retry_after_ms(),
                    _ => None,
                };
                let random = u64::from_le_bytes(random::bytes());
                let wait_ms = schedule::next_try_ms(failures, asked, random);
                failures = failures.saturating_add(1);
                if now() >= plan.until {
                    return Ok(Night::TryLater(error.to_string()));
                }
                wait_ms
            }
            Err(error) => return Err(error),
        };
        if now() >= plan.until {
            return Ok(Night::Busy);
        }
        // Never without any pause, however the dice fall.
        (means.sleep)(Duration::from_millis(wait_ms.max(200)));
    }
}

/// Does one round with the store opened for it alone; `None` if somebody else has or wants it.
fn try_once(means: &Means<'_>, night: NaiveDate) -> Result<Option<Night>, AppError> {
    let services = match (means.open)() {
        Err(AppError::Store(StoreError::InUse(_))) => return Ok(None),
        other => other?,
    };
    let wanted = wanted_path(&means.folder);
    let done = sync_until(&services, &|| wanted.exists(), &mut |_| {})?;
    if done.stopped {
        return Ok(None);
    }
    services.store.note_night(night)?;
    let parked = services.store.read(|r| r.outbox_counts())?.parked;
    Ok(Some(Night::Done(done, parked)))
}

fn lock(folder: &Path) -> Result<Option<File>, AppError> {
    fs::create_dir_all(folder).map_err(StoreError::io("make data folder"))?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(LOCK))
        .map_err(StoreError::io("open lock file"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => {
            Err(StoreError::io("lock data folder")(error).into())
        }
    }
}

/// Says whether a nightly sync works on, or waits with, this folder.
#[must_use]
pub fn is_under_way(folder: &Path) -> bool {
    let opened = File::open(folder.join(LOCK));
    opened.is_ok_and(|file| matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)))
}

/// Where the handheld says that it wants the folder.
#[must_use]
pub fn wanted_path(folder: &Path) -> PathBuf {
    folder.join("wanted")
}

/// `EX_DATAERR` of `sysexits.h`: HQ did not take something; it is parked.
pub const EXIT_PARKED: u8 = 65;
/// `EX_IOERR`: disk or stored data.
pub const EXIT_STORE: u8 = 74;
/// `EX_TEMPFAIL`: try again later.
pub const EXIT_TRY_LATER: u8 = 75;
/// `EX_PROTOCOL`: HQ's proofs do not hold.
pub const EXIT_PROOF: u8 = 76;
/// `EX_CONFIG`: not enrolled, or HQ does not know this device any more.
pub const EXIT_CONFIG: u8 = 78;

/// Returns the exit status for an error of a sync command.
#[must_use]
pub fn exit_code(error: &AppError) -> u8 {
    use ProblemCode::{BadCode, NotAuthentic, Revoked};
    match error {
        AppError::Store(StoreError::InUse(_)) => EXIT_TRY_LATER,
        AppError::Store(StoreError::NotEnrolled)
        | AppError::Sync(SyncError::Store(StoreError::NotEnrolled)) => EXIT_CONFIG,
        AppError::Sync(SyncError::Problem(problem))
            if matches!(problem.code, BadCode | NotAuthentic | Revoked) =>
        {
            EXIT_CONFIG
        }
        AppError::Sync(SyncError::BadProof(_)) => EXIT_PROOF,
        AppError::Sync(error) if error.outcome() == Outcome::Waiting => EXIT_TRY_LATER,
        AppError::Sync(error) if error.outcome() == Outcome::Refused => EXIT_PARKED,
        _ => EXIT_STORE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// 2026-11-24 in Shanghai.
    fn at(hour: i64) -> Timestamp {
        Timestamp::start_of(day()).plus_ms(hour * 3_600_000)
    }

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 24).unwrap()
    }

    #[test]
    fn a_night_begins_at_the_devices_own_minute_and_is_done_once() {
        let (policy, device) = (Policy::DEFAULT, DeviceId(Uuid::from_u128(7)));
        let yesterday = day().pred_opt();
        let tonight = plan(&policy, device, yesterday, at(22)).unwrap();
        assert_eq!(tonight.night, day());
        assert_eq!(tonight.begins_at, policy.nightly_start(device, day()));
        assert_eq!(tonight.until, at(26));
        // After midnight it is still the same night, and a late start begins at once.
        let late = plan(&policy, device, yesterday, at(26).plus_ms(-1)).unwrap();
        assert_eq!((late.night, late.until), (day(), at(26)));
        assert_eq!(plan(&policy, device, Some(day()), at(25)), None);
        // A night that was missed is made up for when the device is next on, for an hour at most.
        let missed = plan(&policy, device, yesterday, at(24 + 9)).unwrap();
        assert_eq!((missed.night, missed.begins_at, missed.until), (day(), at(33), at(34)));
        assert_eq!(plan(&policy, device, Some(day()), at(24 + 21)), None);
    }
}
