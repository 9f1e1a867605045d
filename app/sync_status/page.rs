//! The sync page: what waits, what HQ holds and how surely, what it gave back and why.

use sync_core::store::{Level, Reader};
use sync_core::sync::{self, Allowed, Held, Waiting};
use sync_model::time::Timestamp;
use sync_model::wire::policy::NetworkKind;

use crate::error::AppError;
use crate::services::Services;
use crate::text;

/// How many of the newest records are looked up for "with every file".
const LEVELS_LOOKED_AT: u64 = 200;

/// Something HQ did not take, or did not accept as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnedView {
    /// Its place in the chain.
    pub seq: u64,
    /// What it is.
    pub title: String,
    /// Why, as an officer reads it.
    pub reason: String,
    /// Whether sending it again can help.
    pub can_resend: bool,
}

/// What the sync page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncView {
    /// R0: only here.
    pub local: u64,
    /// R1: HQ holds it.
    pub held: u64,
    /// R2 among the newest [`LEVELS_LOOKED_AT`]: with every file.
    pub complete: u64,
    /// R3: HQ has archived it twice.
    pub archived: u64,
    /// Name and value.
    pub waiting: Vec<(&'static str, String)>,
    /// What came back.
    pub returned: Vec<ReturnedView>,
    /// Name and value.
    pub last_round: Vec<(&'static str, String)>,
}

/// Returns what the sync page shows.
///
/// # Errors
/// [`AppError::Store`].
pub fn sync_view(services: &Services) -> Result<SyncView, AppError> {
    // As the last round found it: the system may take seconds to answer, and a page must not wait.
    let network = services.network().known();
    let now = services.clock.now().wall_at;
    services.store.read(|reader| {
        let counts = reader.outbox_counts()?;
        Ok(SyncView {
            local: counts.pending,
            held: counts.received,
            complete: complete(reader)?,
            archived: reader.archived_seq()?,
            waiting: waiting(reader, network, now)?,
            returned: returned(reader)?,
            last_round: last_round(reader)?,
        })
    })
}

fn complete(reader: &Reader<'_>) -> Result<u64, AppError> {
    let counts = reader.outbox_counts()?;
    if counts.pending_blobs == 0 && counts.parked == 0 {
        return Ok(counts.received);
    }
    let head = reader.head()?.map_or(0, |head| head.seq);
    let first = head.saturating_sub(LEVELS_LOOKED_AT).saturating_add(1);
    // What is older than the newest records has had its files sent before theirs.
    let mut complete = counts.received.saturating_sub(head.saturating_sub(first).saturating_add(1));
    for seq in first..=head {
        if reader.level(seq)? >= Level::Complete {
            complete = complete.saturating_add(1);
        }
    }
    Ok(complete.min(counts.received))
}

fn waiting(
    reader: &Reader<'_>,
    network: NetworkKind,
    now: Timestamp,
) -> Result<Vec<(&'static str, String)>, AppError> {
    let counts = reader.outbox_counts()?;
    let files = format!("{} 件，{}", counts.pending_blobs, megabytes(counts.pending_blob_bytes));
    let mut facts = vec![("记录", format!("{} 条", counts.pending)), ("照片附件", files)];
    let allowed = Allowed::on(reader, network, now)?;
    let found = sync::waiting(reader, &allowed)?;
    if let Some(why) = found.why {
        facts.push((held_name(why), held_text(&found)));
    }
    if let Some(seq) = reader.first_pending()? {
        for row in reader.records_from(seq, 1)? {
            let what = text::act(&row.kind);
            facts.push(("最早一条", format!("{} {what}", row.recorded_at.chinese())));
        }
    }
    Ok(facts)
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

/// Returns what held files wait for.
fn held_name(why: Held) -> &'static str {
    match why {
        Held::Metered => "等待无流量限制网络",
        Held::DaySpent => "今日流量已用完，等明日或无流量限制网络",
    }
}

/// Returns `12 张原图，4.8 MB`.
fn held_text(found: &Waiting) -> String {
    let previews = found.held_files.saturating_sub(found.held_originals);
    let mut parts = Vec::new();
    if found.held_originals > 0 {
        parts.push(format!("{} 张原图", found.held_originals));
    }
    if previews > 0 {
        parts.push(format!("{previews} 件文书和缩略图"));
    }
    parts.push(megabytes(found.held_bytes));
    parts.join("，")
}

fn returned(reader: &Reader<'_>) -> Result<Vec<ReturnedView>, AppError> {
    let mut all = Vec::new();
    for row in reader.parked()? {
        let what = if row.kind == "blob" { "附件" } else { text::act(&row.kind) };
        all.push(ReturnedView {
            seq: row.seq,
            title: format!("记录 {} {what}", row.seq),
            reason: row.reason,
            can_resend: true,
        });
    }
    for refusal in reader.refusals()? {
        let rows = reader.records_from(refusal.seq, 1)?;
        let what = rows.first().map_or("记录", |row| text::act(&row.kind));
        all.push(ReturnedView {
            seq: refusal.seq,
            title: format!("记录 {} {what}", refusal.seq),
            reason: format!("总部已收存，未予采纳：{}", text::findings_text(&refusal.findings)),
            can_resend: false,
        });
    }
    Ok(all)
}

fn last_round(reader: &Reader<'_>) -> Result<Vec<(&'static str, String)>, AppError> {
    let when = reader.last_round_at()?;
    let mut facts = vec![(
        "最近同步",
        when.map_or_else(|| "尚未同步".to_owned(), |at| format!("{}，成功", at.chinese())),
    )];
    let assignments = reader.assignments()?.len();
    let rulebook = reader.rulebook()?.map_or_else(
        || "没有规则库".to_owned(),
        |one| format!("规则库第 {} 版（{}）", one.version, one.issued_on),
    );
    facts.push(("本机现有", format!("任务 {assignments} 项，{rulebook}")));
    let (removed, bytes) = reader.removed_totals()?;
    if removed > 0 {
        let text = format!("{removed} 张，{}，总部已归档，点开即可取回", megabytes(bytes));
        facts.push(("本机已清理原图", text));
    }
    facts.push(("可用文号", format!("{} 个", reader.free_numbers()?)));
    for message in reader.command_messages()?.into_iter().take(3) {
        facts.push(("总部通知", format!("{}：{}", message.title, message.text)));
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_said_as_officers_say_it() {
        let found = Waiting {
            held_files: 12,
            held_bytes: 4_800_000,
            held_originals: 12,
            why: Some(Held::Metered),
            ..Waiting::default()
        };
        assert_eq!(held_name(Held::Metered), "等待无流量限制网络");
        assert_eq!(held_text(&found), "12 张原图，4.8 MB");
        let both = Waiting { held_files: 15, ..found };
        assert_eq!(held_text(&both), "12 张原图，3 件文书和缩略图，4.8 MB");
        assert_eq!(megabytes(1), "0.1 MB", "never nothing where something waits");
    }
}
