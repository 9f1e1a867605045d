//! The page that is shown instead of all others when the store cannot be opened.
//! Rule: it deletes nothing and promises nothing that is not on the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use slint::ComponentHandle;
use sync_core::StoreError;
use sync_core::clock::SystemClock;
use sync_core::disk::RealDisk;
use sync_core::key::Hardness;
use sync_core::store::QUARANTINE_FOLDER;

use crate::error::AppError;
use crate::services::Services;
use crate::settings_page::export_quarantine;
use crate::text;
use crate::ui::{App, DamagedAdapter, MainWindow, Page, Tone};
use crate::window::{self, Work, rows};

/// Fills and shows the page that says what is damaged and what to do.
pub fn show_damaged(window: &MainWindow, error: &AppError, folder: &Path) {
    let page = window.global::<DamagedAdapter<'_>>();
    tell_damage(&page, error, folder);
    let (weak, place) = (window.as_weak(), folder.to_owned());
    page.on_export_quarantine(move || {
        let Some(window) = weak.upgrade() else { return };
        let (tone, text) = match export_quarantine(&place) {
            Ok(path) => (Tone::Good, format!("封存件已复制到 {}", path.display())),
            Err(error) => (Tone::Bad, text::explain(&error)),
        };
        say(&window, tone, &text);
    });
    let (weak, place) = (window.as_weak(), folder.to_owned());
    page.on_try_again(move || {
        if let Some(window) = weak.upgrade() {
            try_again(&window, &place);
        }
    });
    let weak = window.as_weak();
    window.global::<App<'_>>().on_dismiss_toast(move || {
        if let Some(window) = weak.upgrade() {
            window.global::<App<'_>>().set_toast_text("".into());
        }
    });
    window.global::<App<'_>>().set_page(Page::Damaged);
}

fn tell_damage(page: &DamagedAdapter<'_>, error: &AppError, folder: &Path) {
    let aside = match error {
        AppError::Store(StoreError::Corrupt { quarantine, .. }) => quarantine.clone(),
        _ => None,
    };
    page.set_title("本机数据无法打开".into());
    page.set_what_happened(text::explain(error).into());
    let kept = if aside.is_some() {
        "什么都没有删除。打开前的数据已原样复制封存；总部已回执的记录在总部有副本。"
    } else {
        "什么都没有删除，数据文件原样未动；总部已回执的记录在总部有副本。"
    };
    page.set_kept(kept.into());
    page.set_advice(rows::texts([
        "不要重装程序，不要清除数据",
        "关机后带回单位，交信息技术人员取出封存件",
        "今天的检查改用备用终端或者纸质文书",
    ]));
    let path = aside.unwrap_or_else(|| PathBuf::from(folder));
    page.set_facts(rows::model([
        rows::fact("原因", error.to_string()),
        rows::fact("位置", path.display().to_string()),
        rows::fact("程序版本", env!("CARGO_PKG_VERSION")),
    ]));
    page.set_can_export(folder.join(QUARANTINE_FOLDER).is_dir());
}

fn say(window: &MainWindow, tone: Tone, text: &str) {
    let app = window.global::<App<'_>>();
    app.set_toast_tone(tone);
    app.set_toast_text(text.into());
    app.set_toast_detail("".into());
}

fn try_again(window: &MainWindow, folder: &Path) {
    let clock = Arc::new(SystemClock::new());
    match Services::open(folder, clock, Arc::new(RealDisk), Hardness::DEVICE) {
        Ok(services) => {
            // The callbacks of the pages hold the desk from here on.
            drop(window::connect(window, services, Work::Threads));
        }
        Err(error) => {
            tell_damage(&window.global::<DamagedAdapter<'_>>(), &error, folder);
            say(window, Tone::Bad, &text::explain(&error));
        }
    }
}
