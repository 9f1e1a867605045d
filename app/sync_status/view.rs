//! The status bar's words.

use sync_core::store::Reader;
use sync_model::time::TimeQuality;

use crate::error::AppError;
use crate::services::Services;

/// What the status bar says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether the last round reached HQ.
    pub online: bool,
    /// 在线 or 离线.
    pub online_text: String,
    /// 待上报 n.
    pub pending_text: String,
    /// 已回执 n.
    pub receipted_text: String,
    /// 退回 n.
    pub parked_text: String,
    /// Whether something is parked or not accepted.
    pub has_parked: bool,
    /// 最近同步 时:分.
    pub synced_text: String,
    /// Who is unlocked.
    pub officers_text: String,
    /// Empty while the clock is trusted.
    pub clock_warning: String,
}

/// Returns the status bar's words.
///
/// # Errors
/// [`AppError::Store`].
pub fn status(services: &Services) -> Result<Status, AppError> {
    let online = services.online();
    let officers_text = {
        let session = services.session();
        let names: Vec<&str> =
            session.unlocked().iter().map(|one| one.credential.name.as_str()).collect();
        if names.is_empty() { "未解锁".to_owned() } else { names.join("、") }
    };
    services.store.read(|reader| {
        let counts = reader.outbox_counts()?;
        let refused = u64::try_from(reader.refusals()?.len()).unwrap_or(u64::MAX);
        let parked = counts.parked.saturating_add(refused);
        let synced = reader.last_round_at()?;
        Ok(Status {
            online,
            online_text: if online { "在线" } else { "离线" }.to_owned(),
            pending_text: format!("待上报 {}", counts.pending + counts.pending_blobs),
            receipted_text: format!("已回执 {}", counts.received),
            parked_text: format!("退回 {parked}"),
            has_parked: parked > 0,
            synced_text: synced
                .map_or_else(|| "尚未同步".to_owned(), |at| format!("最近同步 {}", at.clock())),
            officers_text,
            clock_warning: clock_warning(reader)?,
        })
    })
}

fn clock_warning(reader: &Reader<'_>) -> Result<String, AppError> {
    let suspect = reader.last_quality()? == Some(TimeQuality::Suspect);
    Ok(if suspect { "终端时钟存疑，请联网校时".to_owned() } else { String::new() })
}
