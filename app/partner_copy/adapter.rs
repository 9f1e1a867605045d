//! The page of 搭档互存: one device waits and shows six digits, the other types them.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use slint::ComponentHandle;
use sync_core::partner::{Copied, CopyError};

use super::{Wait, join, words};
use crate::error::AppError;
use crate::ui::{CopyAdapter, MainWindow, Page, SyncAdapter, Tone};
use crate::window::{Desk, rows};

/// Connects the page's callbacks.
pub fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<CopyAdapter<'_>>();
    page.set_waiting(false);
    page.set_connecting(false);
    page.set_code("".into());
    page.set_address("".into());
    let stop: Arc<AtomicBool> = Arc::default();
    let (here, kept) = (Rc::clone(desk), Arc::clone(&stop));
    page.on_wait(move || wait(&here, &kept));
    page.on_stop(move || stop.store(true, Ordering::Relaxed));
    let here = Rc::clone(desk);
    page.on_join(move || begin_join(&here));
    let sync = window.global::<SyncAdapter<'_>>();
    let here = Rc::clone(desk);
    sync.on_open_copy(move || here.show(Page::Copy));
    let here = Rc::clone(desk);
    sync.on_set_urgent(move |urgent| set_urgent(&here, urgent));
}

/// Fills the page with what is true now.
pub fn refresh(desk: &Rc<Desk>) {
    let Some(window) = desk.window() else { return };
    let page = window.global::<CopyAdapter<'_>>();
    let visit = desk.at().inspection;
    page.set_has_visit(visit.is_some());
    let counts = desk.services().store.read(|reader| match visit {
        Some(visit) => {
            Ok((reader.records_of(visit)?.len(), reader.partner_records_of_visit(visit)?.len()))
        }
        None => Ok((0, 0)),
    });
    match counts {
        Ok((own, partner)) => page.set_facts(rows::facts(&[
            ("本机本次检查", format!("{own} 条记录")),
            ("代搭档保存", format!("{partner} 条记录")),
        ])),
        Err(error) => desk.fail(&AppError::Store(error)),
    }
}

fn wait(desk: &Rc<Desk>, stop: &Arc<AtomicBool>) {
    let (Some(window), Some(visit)) = (desk.window(), desk.at().inspection) else { return };
    let page = window.global::<CopyAdapter<'_>>();
    if page.get_waiting() || page.get_connecting() {
        return;
    }
    let waiting = match Wait::begin(visit, None) {
        Ok(waiting) => waiting,
        Err(error) => return desk.fail(&error),
    };
    let places: Vec<String> = waiting.addresses().iter().map(ToString::to_string).collect();
    page.set_own_code(spaced(waiting.code()).into());
    page.set_own_address(if places.is_empty() {
        "本机没有连接任何网络：请打开一台终端的热点，另一台连上后再试。".into()
    } else {
        format!("搭档找不到本机时输入：{}", places.join("　或　")).into()
    });
    page.set_waiting(true);
    stop.store(false, Ordering::Relaxed);
    let seen = Arc::clone(stop);
    desk.background(
        // No busy layer: the officer may stop waiting, or go on with the visit.
        "",
        move |services| Ok(waiting.copy(services, &|| seen.load(Ordering::Relaxed))),
        {
            let stop = Arc::clone(stop);
            move |desk, outcome| {
                let Some(window) = desk.window() else { return };
                window.global::<CopyAdapter<'_>>().set_waiting(false);
                let nobody = matches!(outcome, Err(AppError::Copy(CopyError::Nobody)));
                if !(nobody && stop.load(Ordering::Relaxed)) {
                    settle(desk, outcome);
                }
            }
        },
    );
}

fn begin_join(desk: &Rc<Desk>) {
    let Some(window) = desk.window() else { return };
    let page = window.global::<CopyAdapter<'_>>();
    if page.get_waiting() || page.get_connecting() {
        return;
    }
    let (code, address) = (page.get_code().to_string(), page.get_address().to_string());
    page.set_connecting(true);
    desk.background(
        "",
        move |services| Ok(join(services, &code, &address)),
        |desk, outcome| {
            let Some(window) = desk.window() else { return };
            let page = window.global::<CopyAdapter<'_>>();
            page.set_connecting(false);
            if outcome.is_ok() {
                page.set_code("".into());
            }
            settle(desk, outcome);
        },
    );
}

fn settle(desk: &Rc<Desk>, outcome: Result<Copied, AppError>) {
    match outcome {
        Ok(copied) => desk.tell(Tone::Good, "已与搭档互存", &words::copied(&copied)),
        Err(error) => desk.fail(&error),
    }
    refresh(desk);
}

fn set_urgent(desk: &Rc<Desk>, urgent: bool) {
    let Some(visit) = desk.at().inspection else { return };
    if let Err(error) = desk.services().store.mark_urgent(visit, urgent) {
        desk.fail(&error.into());
    }
    desk.refresh(Page::Sync);
}

/// Returns `123 456`, as digits are read out.
fn spaced(code: &str) -> String {
    let (first, rest) = code.split_at_checked(3).unwrap_or((code, ""));
    format!("{first} {rest}")
}
