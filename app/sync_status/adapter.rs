//! The sync page, and the rounds that run by themselves while the window is open.
//! Rule: a round of its own accord fails quietly and waits longer each time; one that was asked
//! for says why it failed. Nothing is ever lost by a failed round.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use slint::{ComponentHandle, SharedString, Timer, TimerMode, Weak};
use sync_core::random;
use sync_core::sync::{Progress, schedule};

use super::{ReturnedView, sync_until, sync_view};
use crate::error::AppError;
use crate::glyph::shown;
use crate::text;
use crate::ui::{App, MainWindow, Page, ParkedRow, ReceiptLevel, SyncAdapter, Tone};
use crate::window::{Desk, rows};

/// How often it is looked whether a round is due.
const LOOK: Duration = Duration::from_secs(1);
/// From one round that worked to the next.
const BETWEEN_MS: u64 = 60_000;

/// When the next round of its own accord is due.
#[derive(Default)]
struct Schedule {
    running: Cell<bool>,
    paused: Cell<bool>,
    /// Ends the round under way after its present request.
    stop: Arc<AtomicBool>,
    failures: Cell<u32>,
    due_mono_ms: Cell<u64>,
}

/// Connects the page's callbacks and starts looking after due rounds.
pub fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<SyncAdapter<'_>>();
    say(&page, "", "");
    page.set_running(false);
    let schedule: Rc<Schedule> = Rc::default();
    // The first look at HQ is a round away: start-up belongs to the officer.
    schedule.due_mono_ms.set(desk.services().clock.now().mono_ms.saturating_add(LOOK_FIRST_MS));
    let timer = Timer::default();
    let (here, kept) = (Rc::clone(desk), Rc::clone(&schedule));
    timer.start(TimerMode::Repeated, LOOK, move || {
        let due = here.services().clock.now().mono_ms >= kept.due_mono_ms.get();
        if due && !kept.paused.get() && is_enrolled(&here) {
            run(&here, &kept, false);
        }
    });
    let (here, kept) = (Rc::clone(desk), Rc::clone(&schedule));
    page.on_sync_now(move || {
        // The timer lives as long as the page can be opened.
        debug_assert!(timer.running());
        kept.paused.set(false);
        run(&here, &kept, true);
    });
    let (here, kept) = (Rc::clone(desk), Rc::clone(&schedule));
    page.on_stop(move || {
        kept.paused.set(true);
        kept.stop.store(true, Ordering::Relaxed);
        let detail = "正在传的一小段传完即停；点“立即同步”后恢复自动同步。";
        here.tell(Tone::Info, "已暂停自动同步", detail);
    });
    let (here, kept) = (Rc::clone(desk), schedule);
    page.on_resume_parked(move |key| resume(&here, &kept, &key));
}

/// How long after the start the first round of its own accord is due.
const LOOK_FIRST_MS: u64 = 3_000;

fn is_enrolled(desk: &Rc<Desk>) -> bool {
    desk.services().store.read(|reader| reader.enrollment()).is_ok_and(|one| one.is_some())
}

fn say(page: &SyncAdapter<'_>, error: &str, advice: &str) {
    page.set_error(error.into());
    page.set_error_advice(advice.into());
}

/// Fills the page with what is true now.
pub fn refresh(desk: &Rc<Desk>) {
    let found = match sync_view(desk.services()) {
        Ok(found) => found,
        Err(error) => return desk.fail(&error),
    };
    let Some(window) = desk.window() else { return };
    let page = window.global::<SyncAdapter<'_>>();
    let level = |code: &str, name: &str, meaning: &str, count: u64, tone| ReceiptLevel {
        code: code.into(),
        name: name.into(),
        meaning: meaning.into(),
        count: count.to_string().into(),
        tone,
    };
    page.set_levels(rows::model(vec![
        level("R0", "本机", "已在本机保存并签名，尚未离开终端", found.local, Tone::Info),
        level("R1", "总部已收", "总部签发回执，记录已入日志", found.held, Tone::Good),
        level("R2", "附件齐全", "照片等附件逐件核对一致", found.complete, Tone::Good),
        level("R3", "已归档", "总部双份归档，到期后本机可清理原图", found.archived, Tone::Good),
    ]));
    show_visit(desk, &page);
    page.set_waiting(rows::facts(&found.waiting));
    page.set_last_round(rows::facts(&found.last_round));
    page.set_parked(rows::model(found.returned.iter().map(returned_row)));
}

/// The visit at hand, and whether its photographs may go over any network.
fn show_visit(desk: &Rc<Desk>, page: &SyncAdapter<'_>) {
    let Some(visit) = desk.at().inspection else { return page.set_visit(SharedString::default()) };
    let found = desk.services().store.read(|r| Ok((r.inspection(visit)?, r.is_urgent(visit)?)));
    match found {
        Ok((row, urgent)) => {
            let name = row.map_or_else(String::new, |row| row.begun.party.name);
            page.set_visit(shown(&name).into());
            page.set_urgent(urgent);
        }
        Err(error) => desk.fail(&AppError::Store(error)),
    }
}

fn returned_row(view: &ReturnedView) -> ParkedRow {
    let (key, advice) = if view.can_resend {
        ("parked", "联系总部处理后，点“重新上报”。")
    } else {
        ("refused", "记录仍然保留；更正请另行制作笔录或者情况说明。")
    };
    ParkedRow {
        key: format!("{key}:{}", view.seq).into(),
        title: view.title.as_str().into(),
        reason: view.reason.as_str().into(),
        advice: advice.into(),
    }
}

fn resume(desk: &Rc<Desk>, schedule: &Rc<Schedule>, key: &str) {
    if key.starts_with("refused") {
        let detail = "更正请另行制作笔录或者情况说明。";
        return desk.tell(Tone::Info, "总部已收存这条记录，不需要重新上报", detail);
    }
    match desk.services().store.resume_parked() {
        Ok(()) => run(desk, schedule, true),
        Err(error) => desk.fail(&error.into()),
    }
}

fn run(desk: &Rc<Desk>, schedule: &Rc<Schedule>, asked: bool) {
    let Some(window) = desk.window() else { return };
    if schedule.running.replace(true) {
        return;
    }
    let page = window.global::<SyncAdapter<'_>>();
    page.set_running(true);
    page.set_progress_text("正在联系总部".into());
    page.set_bytes_text(SharedString::default());
    page.set_progress_part(0.0);
    let watching = window.as_weak();
    let schedule = Rc::clone(schedule);
    let stop = Arc::clone(&schedule.stop);
    stop.store(false, Ordering::Relaxed);
    desk.background(
        // No busy layer: the officer works on while a round runs.
        "",
        move |services| {
            let stopped = || stop.load(Ordering::Relaxed);
            Ok(sync_until(services, &stopped, &mut |progress| show(&watching, *progress)))
        },
        move |desk, outcome| {
            schedule.running.set(false);
            settle(desk, &schedule, asked, outcome);
        },
    );
}

fn show(window: &Weak<MainWindow>, progress: Progress) {
    let shown = window.upgrade_in_event_loop(move |window| {
        let page = window.global::<SyncAdapter<'_>>();
        let all = progress.records.saturating_add(progress.records_waiting).max(1);
        let text = format!("已上报记录 {}，附件 {}", progress.records, progress.blobs);
        page.set_progress_text(text.into());
        let (sent, left) = (progress.blob_bytes, progress.blob_bytes_waiting);
        let bytes = format!(
            "附件已传 {} KB，还有 {} 件 {} KB",
            sent / 1000,
            progress.blobs_waiting,
            left / 1000
        );
        page.set_bytes_text(bytes.into());
        // Records first, then bytes of files.
        let (done, all) = if progress.records_waiting > 0 {
            (progress.records, all)
        } else {
            (sent, sent.saturating_add(left).max(1))
        };
        let part = u16::try_from(done.saturating_mul(100) / all).unwrap_or(100);
        page.set_progress_part(f32::from(part) / 100.0);
    });
    if shown.is_err() {
        tracing::debug!("progress is not shown: no event loop");
    }
}

fn settle(desk: &Rc<Desk>, schedule: &Schedule, asked: bool, outcome: Result<Progress, AppError>) {
    let Some(window) = desk.window() else { return };
    let page = window.global::<SyncAdapter<'_>>();
    page.set_running(false);
    let now = desk.services().clock.now();
    match outcome {
        Ok(done) => {
            schedule.failures.set(0);
            schedule.due_mono_ms.set(now.mono_ms.saturating_add(BETWEEN_MS));
            say(&page, "", "");
            if asked {
                let detail = format!("上报记录 {} 条、附件 {} 件", done.records, done.blobs);
                desk.tell(Tone::Good, "同步完成", &detail);
            }
            let shown = window.global::<App<'_>>().get_page();
            // Only lists of what HQ sends are filled anew: nobody's typing is interrupted.
            if done.feed_items > 0 && matches!(shown, Page::Home | Page::Settings) {
                desk.refresh(shown);
            }
            refresh(desk);
        }
        Err(error) => {
            let wished_ms = match &error {
                AppError::Sync(error) => error.retry_after_ms(),
                _ => None,
            };
            let random = u64::from_le_bytes(random::bytes());
            let wait_ms = schedule::next_try_ms(schedule.failures.get(), wished_ms, random);
            schedule.failures.set(schedule.failures.get().saturating_add(1));
            schedule.due_mono_ms.set(now.mono_ms.saturating_add(wait_ms));
            tracing::info!(%error, asked, "sync round failed");
            let next = now.wall_at.plus_ms(i64::try_from(wait_ms).unwrap_or(i64::MAX));
            let advice = format!("自动重试，下次 {}。资料都在本机，可以继续检查。", next.clock());
            say(&page, &text::explain(&error), &advice);
            if asked {
                desk.fail(&error);
            }
            refresh(desk);
        }
    }
}
