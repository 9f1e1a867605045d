//! The status bar and the calls every page may make: back, navigate, dismiss.

use std::rc::Rc;

use slint::ComponentHandle;

use super::Desk;
use crate::glyph::shown;
use crate::sync_status;
use crate::ui::{App, MainWindow, Page, StatusAdapter};

pub(super) fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let app = window.global::<App<'_>>();
    let here = Rc::clone(desk);
    app.on_navigate(move |page| here.show(page));
    let here = Rc::clone(desk);
    app.on_back(move || here.back());
    let here = Rc::clone(desk);
    app.on_dismiss_toast(move || {
        if let Some(window) = here.window() {
            window.global::<App<'_>>().set_toast_text("".into());
        }
    });
    let here = Rc::clone(desk);
    window.global::<StatusAdapter<'_>>().on_open_sync(move || here.show(Page::Sync));
}

pub(super) fn refresh(desk: &Rc<Desk>) {
    let Some(window) = desk.window() else { return };
    let bar = window.global::<StatusAdapter<'_>>();
    match sync_status::status(desk.services()) {
        Ok(status) => {
            bar.set_online(status.online);
            bar.set_online_text(status.online_text.into());
            bar.set_pending_text(status.pending_text.into());
            bar.set_receipted_text(status.receipted_text.into());
            bar.set_parked_text(status.parked_text.into());
            bar.set_has_parked(status.has_parked);
            bar.set_synced_text(status.synced_text.into());
            bar.set_officers_text(shown(&status.officers_text).into());
            bar.set_clock_warning(status.clock_warning.into());
        }
        Err(error) => desk.fail(&error),
    }
    let practice = desk.practice.borrow().is_some();
    bar.set_practice_text(if practice { "演练" } else { "" }.into());
}
