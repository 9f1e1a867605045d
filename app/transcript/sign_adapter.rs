//! Between the signing page and the feature: reading, the pad, refusal, lock, and receipts.
//!
//! The page shows one thing to sign at a time: a transcript of the visit or a document's receipt.

use std::rc::Rc;

use slint::{ComponentHandle, Model};
use sync_model::id::TranscriptId;
use sync_model::record::transcript::ReadBackWay;

use super::sign_form;
use super::sign_shown_adapter::{close_sheets, fill, say_read};
use super::{LockInput, correct, lock, pad_adapter, read_back, view};
use crate::error::{AppError, Input};
use crate::inspection::reason_of;
use crate::text::explain;
use crate::ui::{MainWindow, Page, SignAdapter, Tone};
use crate::window::Desk;
use crate::window::rows;

pub(super) fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    pad_adapter::connect(window, desk);
    let page = window.global::<SignAdapter<'_>>();
    page.set_read_modes(rows::texts(["自行阅读", "宣读给他听"]));
    page.set_refusal_reasons(rows::texts(["未说明理由", "对内容有异议", "要求律师到场"]));
    let here = Rc::clone(desk);
    page.on_previous_page(move || turn(&here, -1));
    let here = Rc::clone(desk);
    page.on_next_page(move || turn(&here, 1));
    let here = Rc::clone(desk);
    page.on_tick(move || tick(&here));
    let here = Rc::clone(desk);
    page.on_choose_read_mode(move |mode| save(&here, "read-mode", &mode.to_string(), true));
    let here = Rc::clone(desk);
    page.on_edit_closing(move |words| save(&here, "closing", &words, false));
    let here = Rc::clone(desk);
    page.on_confirm_read(move || told(&here, confirm_read(&here)));
    let here = Rc::clone(desk);
    page.on_save_correction(move |text| told(&here, save_correction(&here, &text)));
    let here = Rc::clone(desk);
    page.on_edit_refusal(move |field, text| save(&here, &field, &text, false));
    let here = Rc::clone(desk);
    page.on_choose_recording(move |index| {
        save(&here, "recording", &index.to_string(), false);
        if let Some(window) = here.window() {
            window.global::<SignAdapter<'_>>().set_recording(index);
        }
    });
    let here = Rc::clone(desk);
    page.on_set_minor(move |on| save(&here, "minor", &u8::from(on).to_string(), true));
    let here = Rc::clone(desk);
    page.on_set_capacity_doubt(move |on| save(&here, "doubt", &u8::from(on).to_string(), true));
    let here = Rc::clone(desk);
    page.on_edit_guardian(move |text| save(&here, "guardian", &text, false));
    let here = Rc::clone(desk);
    page.on_reason_edited(move |code, text| {
        save(&here, &format!("reason/{code}"), &text, false);
    });
    let here = Rc::clone(desk);
    page.on_refuse(move || pad_adapter::refuse_now(&here));
    let here = Rc::clone(desk);
    page.on_finish(move || finish(&here));
}

pub(super) fn refresh(desk: &Rc<Desk>) {
    told(desk, fill(desk, &[]));
}

pub(super) fn told(desk: &Rc<Desk>, outcome: Result<(), AppError>) {
    if let Err(error) = outcome {
        desk.fail(&error);
    }
}

/// Returns the transcript that is to be signed, if any.
pub(super) fn transcript(desk: &Rc<Desk>) -> Result<Option<TranscriptId>, AppError> {
    let at = desk.at();
    let Some(inspection) = at.inspection else { return Ok(None) };
    view::to_sign(desk.services(), inspection, at.transcript)
}

fn turn(desk: &Rc<Desk>, by: i32) {
    {
        let mut signing = desk.signing.borrow_mut();
        signing.look(desk.services().clock.now().mono_ms);
        signing.page = signing.page.saturating_add_signed(by).max(1);
    }
    refresh(desk);
}

fn tick(desk: &Rc<Desk>) {
    let mut signing = desk.signing.borrow_mut();
    // Time with the pad open is signing, not reading.
    if signing.pad.is_none() {
        signing.look(desk.services().clock.now().mono_ms);
    }
    if let Some(window) = desk.window() {
        let page = window.global::<SignAdapter<'_>>();
        if !page.get_page_label().is_empty() {
            say_read(&page, signing.read_ms());
        }
    }
}

fn save(desk: &Rc<Desk>, field: &str, value: &str, anew: bool) {
    let outcome = transcript(desk).and_then(|found| match found {
        Some(transcript) => sign_form::save(desk.services(), transcript, field, value),
        None => Ok(()),
    });
    told(desk, outcome);
    if anew {
        refresh(desk);
    }
}

fn confirm_read(desk: &Rc<Desk>) -> Result<(), AppError> {
    let transcript = transcript(desk)?.ok_or(AppError::NotFound("transcript"))?;
    let Some(window) = desk.window() else { return Ok(()) };
    let page = window.global::<SignAdapter<'_>>();
    let way = if page.get_read_mode() == 1 { ReadBackWay::ReadAloud } else { ReadBackWay::Read };
    let readings = {
        let mut signing = desk.signing.borrow_mut();
        signing.look(desk.services().clock.now().mono_ms);
        signing.readings()
    };
    read_back(desk.services(), transcript, way, readings, &page.get_closing())?;
    refresh(desk);
    Ok(())
}

fn save_correction(desk: &Rc<Desk>, text: &str) -> Result<(), AppError> {
    let transcript = transcript(desk)?.ok_or(AppError::NotFound("transcript"))?;
    let made = correct(desk.services(), transcript, text)?;
    sign_form::save(desk.services(), transcript, "correction", "")?;
    if let Some(window) = desk.window() {
        close_sheets(&window.global::<SignAdapter<'_>>());
    }
    refresh(desk);
    let said = format!("已生成第 {} 稿，请重新核对和签名", made.revision);
    desk.tell(Tone::Info, &said, "");
    Ok(())
}

fn finish(desk: &Rc<Desk>) {
    let outcome = lock_now(desk);
    match outcome {
        Ok(()) => {}
        Err(AppError::Blocked(found) | AppError::NeedsReason(found)) => {
            let said = if sync_model::rule::blocks(&found) {
                "还不能锁定，见页面上的说明"
            } else {
                "请写明继续的理由，再点锁定"
            };
            told(desk, fill(desk, &found));
            desk.tell(Tone::Warn, said, "");
        }
        Err(error) => desk.fail(&error),
    }
}

fn lock_now(desk: &Rc<Desk>) -> Result<(), AppError> {
    let services = desk.services();
    let transcript = transcript(desk)?.ok_or(AppError::NotFound("transcript"))?;
    let typed = sign_form::typed(services, transcript)?;
    let on = |field: &str| typed.get(field).is_some_and(|value| value == "1");
    // One reason never covers another warning: each that is shown wants its own.
    let open = desk.window().is_some_and(|window| {
        let shown = window.global::<SignAdapter<'_>>().get_findings();
        let reason =
            |code: &str| typed.get(&format!("reason/{code}")).map_or("", |text| text.trim());
        shown.iter().any(|row| row.asks_reason && reason(&row.key).is_empty())
    });
    if open {
        return Err(AppError::Input(Input::Empty("每一项提醒的理由")));
    }
    let guardian = typed.get("guardian").map(|text| text.trim().to_owned());
    let input = LockInput {
        is_minor: on("minor"),
        guardian_note: guardian.filter(|text| !text.is_empty()),
        capacity_doubt: on("doubt"),
        override_reason: reason_of(&typed),
    };
    lock(services, transcript, &input)?;
    sign_form::forget(services, transcript)?;
    *desk.signing.borrow_mut() = super::signing::Signing::default();
    desk.set_at(|at| at.transcript = None);
    desk.show(Page::Assignment);
    desk.tell(Tone::Good, "笔录已锁定", "");
    Ok(())
}

/// Says why something is not possible, on the refusal sheet.
pub(super) fn say_refusal(desk: &Rc<Desk>, error: &AppError) {
    if let Some(window) = desk.window() {
        window.global::<SignAdapter<'_>>().set_refusal_error(explain(error).into());
    }
}
