//! Getting ready: enrolled, activated, unlocked, pulled.

use serde::{Deserialize, Serialize};
use sync_core::sync::{self, HqClient};
use sync_model::id::OfficerId;

use super::Rehearsal;
use crate::error::AppError;
use crate::session;

/// The codes HQ gave for one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codes {
    /// For the device.
    pub device: String,
    /// For each officer.
    pub officers: Vec<OfficerCode>,
}

/// An officer's activation code, and the PIN that the rehearsal sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerCode {
    /// The officer.
    pub officer: OfficerId,
    /// Activation code.
    pub code: String,
    /// PIN to set and use.
    pub pin: String,
}

/// Enrols and activates what is not yet, unlocks both officers, begins the shift, pulls.
pub(super) fn ready(
    rehearsal: &mut Rehearsal<'_>,
    hq: &str,
    codes: &Codes,
) -> Result<HqClient, AppError> {
    let services = rehearsal.services;
    if services.store.read(|r| r.enrollment())?.is_none() {
        session::enroll(services, hq, &codes.device)?;
    } else {
        // The practice HQ listens on another port each time.
        services.store.set_hq(hq)?;
    }
    let client = HqClient::of(&services.store, hq)?;
    rehearsal.step("开通终端")?;
    for code in &codes.officers {
        let row = services.store.read(|r| r.officer(code.officer))?;
        if row.ok_or(AppError::NotFound("officer"))?.credential.is_none() {
            session::activate(services, &client, code.officer, &code.code, &code.pin)?;
        }
        session::unlock(services, code.officer, &code.pin)?;
    }
    rehearsal.step("两名执法人员各自解锁")?;
    session::begin_shift(services)?;
    rehearsal.step("值班开始")?;
    sync::round(&services.store, &client, &mut |_| {})?;
    rehearsal.step("下载任务、规则库和文号")?;
    Ok(client)
}
