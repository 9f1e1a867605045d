//! The settings page: look, self-check, export, leaving the device.
//! Rule: ending a shift says what has not reached HQ yet, and never drops it.

mod damaged;

use std::rc::Rc;

use slint::ComponentHandle;

use super::{CheckState, CheckView, Look, TEXT_FACTORS};
use crate::error::AppError;
use crate::services::Services;
use crate::session::{self, close_day, end_shift};
use crate::ui::{CheckRow, MainWindow, Page, SettingsAdapter, Theme, ThemeKind, Tone};
use crate::window::{Desk, rows};

pub use damaged::show_damaged;

/// In the order of the page's choices.
const THEMES: [(&str, ThemeKind); 3] =
    [("日间", ThemeKind::Day), ("户外", ThemeKind::Sun), ("夜间", ThemeKind::Dark)];

/// Connects the page's callbacks and gives the screen the look chosen before.
pub fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<SettingsAdapter<'_>>();
    page.set_themes(rows::texts(THEMES.map(|(name, _)| name)));
    page.set_text_sizes(rows::texts(["标准", "大字", "特大"]));
    page.set_checks(rows::model([]));
    wear(desk);
    let here = Rc::clone(desk);
    page.on_choose_theme(move |index| choose(&here, index, super::save_theme));
    let here = Rc::clone(desk);
    page.on_choose_text_size(move |index| choose(&here, index, super::save_text_size));
    let here = Rc::clone(desk);
    page.on_check_self(move || {
        here.background("正在自检", super::check_self, |desk, checks| {
            show_checks(desk, &checks)
        });
    });
    let here = Rc::clone(desk);
    page.on_export_bundle(move || export(&here));
    let here = Rc::clone(desk);
    page.on_hand_over(move || leave(&here, "交接班", false));
    let here = Rc::clone(desk);
    page.on_end_shift(move || leave(&here, "下班", true));
}

fn choose(desk: &Rc<Desk>, index: i32, save: fn(&Services, usize) -> Result<(), AppError>) {
    let Ok(place) = usize::try_from(index) else { return };
    if let Err(error) = save(desk.services(), place) {
        desk.fail(&error);
    }
    wear(desk);
}

/// Gives the screen its look.
fn wear(desk: &Rc<Desk>) {
    let look = super::load_look(desk.services()).unwrap_or_else(|error| {
        desk.fail(&error);
        Look::default()
    });
    let Some(window) = desk.window() else { return };
    let page = window.global::<SettingsAdapter<'_>>();
    page.set_theme(i32::try_from(look.theme).unwrap_or_default());
    page.set_text_size(i32::try_from(look.text_size).unwrap_or_default());
    let theme = window.global::<Theme<'_>>();
    if let Some((_, kind)) = THEMES.get(look.theme) {
        theme.set_kind(*kind);
    }
    if let Some(factor) = TEXT_FACTORS.get(look.text_size) {
        theme.set_text_factor(*factor);
    }
}

/// Fills the page with what is true now.
pub fn refresh(desk: &Rc<Desk>) {
    let Some(window) = desk.window() else { return };
    let page = window.global::<SettingsAdapter<'_>>();
    let services = desk.services();
    let outcome = super::about(services).and_then(|about| {
        page.set_about(rows::facts(&about));
        page.set_hand_over_warning(unsent(services)?.into());
        super::quick_checks(services)
    });
    match outcome {
        Ok(mut checks) => {
            let detail = "点“重新自检”，逐条核对全部记录".to_owned();
            let unchecked =
                CheckView { name: "本机数据", detail, state: CheckState::Attention };
            checks.insert(0, unchecked);
            show_checks(desk, &checks);
        }
        Err(error) => desk.fail(&error),
    }
}

fn unsent(services: &Services) -> Result<String, AppError> {
    services.store.read(|reader| {
        let counts = reader.outbox_counts()?;
        let waiting = counts.pending.saturating_add(counts.pending_blobs);
        let visits = reader.inspections()?;
        let open = visits.iter().filter(|visit| visit.concluded_at.is_none()).count();
        let mut told = Vec::new();
        if open > 0 {
            told.push(format!("还有 {open} 项检查没有结束"));
        }
        if waiting > 0 {
            told.push(format!("还有 {waiting} 条待上报，交接后由接班人继续上报"));
        }
        Ok(told.join("；"))
    })
}

fn show_checks(desk: &Rc<Desk>, checks: &[CheckView]) {
    let Some(window) = desk.window() else { return };
    let shown = checks.iter().map(|check| {
        let (state, tone) = match check.state {
            CheckState::Fine => ("正常", Tone::Good),
            CheckState::Attention => ("注意", Tone::Warn),
            CheckState::Bad => ("异常", Tone::Bad),
        };
        CheckRow {
            name: check.name.into(),
            detail: check.detail.as_str().into(),
            state: state.into(),
            tone,
        }
    });
    window.global::<SettingsAdapter<'_>>().set_checks(rows::model(shown));
}

fn export(desk: &Rc<Desk>) {
    let inspection = desk.at().inspection;
    desk.background(
        "正在导出案卷",
        move |services| match super::export_bundle(services, inspection) {
            Err(AppError::NotFound(_)) => Ok(None),
            other => other.map(Some),
        },
        |desk, exported| match exported {
            None => desk.tell(Tone::Warn, "还没有检查可以导出", ""),
            Some(exported) => {
                let counted = exported.verified;
                let detail = format!(
                    "记录 {}，回执 {}，附件 {}。位置：{}",
                    counted.records,
                    counted.receipts,
                    counted.blobs,
                    exported.path.display()
                );
                desk.tell(Tone::Good, "案卷已导出并核验一致", &detail);
            }
        },
    );
}

fn leave(desk: &Rc<Desk>, note: &str, day_is_over: bool) {
    let services = desk.services();
    let ended = match end_shift(services, note) {
        // Nobody had begun a shift: the device is locked all the same.
        Err(AppError::NoShift) => {
            session::lock(services);
            Ok(())
        }
        other => other.map(drop),
    };
    // The day's statement comes last, so that it covers the end of the shift too.
    let closed = ended.and_then(|()| match (day_is_over, services.store.read(|r| r.head())?) {
        (true, Some(_)) => close_day(services).map(drop),
        _ => Ok(()),
    });
    match (closed, unsent(services)) {
        (Ok(()), Ok(told)) => {
            desk.restart_at(Page::Unlock);
            desk.tell(if told.is_empty() { Tone::Good } else { Tone::Warn }, "值班已结束", &told);
        }
        (Err(error), _) | (_, Err(error)) => desk.fail(&error),
    }
}
