//! Between the signing page and the feature: reading, the pad, refusal, lock, and receipts.
//!
//! The page shows one thing to sign at a time: a transcript of the visit or a document's receipt.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc};
use sync_core::store::TranscriptState;
use sync_model::id::TranscriptId;
use sync_model::record::signature::SignerRole;
use sync_model::record::transcript::ReadBackWay;
use sync_model::rule::Finding;

use super::pad_adapter;
use super::sign_form::{self, FIELDS};
use super::signing::Target;
use super::view::{self, SignView, Signer};
use super::{LockInput, correct, lock, read_back};
use crate::document;
use crate::error::AppError;
use crate::glyph::shown;
use crate::inspection::reason_of;
use crate::text::explain;
use crate::ui::{MainWindow, Page, SignAdapter, SignerRow, Tone};
use crate::window::Desk;
use crate::window::rows;

/// Reading a page faster than this is remarked on, never forbidden here; the rules judge.
const READ_MS: u64 = 3_000;

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

fn fill(desk: &Rc<Desk>, findings: &[Finding]) -> Result<(), AppError> {
    let Some(window) = desk.window() else { return Ok(()) };
    let page = window.global::<SignAdapter<'_>>();
    let receipt = match &desk.signing.borrow().target {
        Some(Target::Receipt { document, recipient }) => Some((*document, recipient.clone())),
        _ => None,
    };
    if let Some((document, recipient)) = receipt {
        return fill_receipt(desk, &page, document, &recipient);
    }
    let Some(transcript) = transcript(desk)? else {
        clear(&page);
        return Ok(());
    };
    let seen = view::sign_view(desk.services(), transcript)?;
    let target = Target::Transcript(transcript, seen.row.prepared.revision);
    desk.signing.borrow_mut().open(target, seen.pages.len());
    let typed = sign_form::typed(desk.services(), transcript)?;
    let text = |field: &str| typed.get(field).cloned().unwrap_or_default();
    page.set_is_receipt(false);
    page.set_title(seen.title.as_str().into());
    show_page(desk, &page, &seen.pages);
    page.set_read_mode(i32::from(text("read-mode") == "1"));
    page.set_closings(rows::texts(seen.closings.iter().map(String::as_str)));
    let closing = text("closing");
    let first = seen.closings.first().cloned().unwrap_or_default();
    page.set_closing(if closing.is_empty() { first } else { closing }.into());
    let is_read = seen.row.state != TranscriptState::Prepared;
    page.set_is_read(is_read);
    page.set_read_text(if is_read { "已核对" } else { "未核对" }.into());
    page.set_can_confirm(seen.row.state == TranscriptState::Prepared);
    page.set_signers(rows::model(seen.signers.iter().map(signer_row)));
    page.set_hint(hint(&seen).into());
    page.set_can_refuse(
        seen.row.state == TranscriptState::ReadBack
            && seen.signers.first().is_some_and(|party| !party.is_done()),
    );
    page.set_can_finish(seen.may_lock());
    page.set_minor(text("minor") == "1");
    page.set_capacity_doubt(text("doubt") == "1");
    page.set_guardian(text("guardian").into());
    let shown =
        findings.iter().map(|found| rows::finding(found, &text(&format!("reason/{}", found.code))));
    rows::renew(&page.get_findings(), shown.collect(), |rows| page.set_findings(rows));
    page.set_correction(text("correction").into());
    let [reason, name, number, unit] = FIELDS.map(text);
    page.set_refusal_reason(reason.into());
    page.set_witness_name(name.into());
    page.set_witness_number(number.into());
    page.set_witness_unit(unit.into());
    let recordings = sign_form::recordings(desk.services(), seen.row.prepared.inspection)?;
    let names = recordings.iter().map(|(name, _)| name.clone());
    page.set_recordings(rows::texts(std::iter::once("无".to_owned()).chain(names)));
    page.set_recording(text("recording").parse().unwrap_or(0));
    pad_adapter::fill(desk, &page);
    Ok(())
}

fn fill_receipt(
    desk: &Rc<Desk>,
    page: &SignAdapter<'_>,
    document: sync_model::id::DocumentId,
    recipient: &str,
) -> Result<(), AppError> {
    let services = desk.services();
    let row = services.store.read(|r| r.document(document))?;
    let row = row.ok_or(AppError::NotFound("document"))?;
    let pages = document::load_pages(services.store.blobs(), &row.text)?;
    clear(page);
    page.set_is_receipt(true);
    page.set_title(format!("{}　{}", row.title, row.number).into());
    show_page(desk, page, &pages);
    let open = row.delivery.is_none();
    page.set_signers(rows::model(vec![SignerRow {
        key: "recipient".into(),
        role: "受送达人".into(),
        name: recipient.into(),
        state: if open { "待签收" } else { "已签收" }.into(),
        tone: if open { Tone::Info } else { Tone::Good },
        can_sign: open,
    }]));
    page.set_hint("签在文书末页".into());
    pad_adapter::fill(desk, page);
    Ok(())
}

/// Leaves nothing of an earlier transcript on the page.
fn clear(page: &SignAdapter<'_>) {
    page.set_is_receipt(false);
    page.set_title("".into());
    page.set_page_label("".into());
    page.set_page_text("还没有生成页面。请先在“笔录”里写好并生成页面。".into());
    page.set_can_previous(false);
    page.set_can_next(false);
    page.set_read_mode(0);
    page.set_dwell_text("".into());
    page.set_dwell_tone(Tone::Neutral);
    page.set_closings(ModelRc::default());
    page.set_closing("".into());
    page.set_is_read(false);
    page.set_read_text("".into());
    page.set_can_confirm(false);
    page.set_signers(ModelRc::default());
    page.set_hint("".into());
    page.set_can_refuse(false);
    page.set_can_finish(false);
    page.set_minor(false);
    page.set_capacity_doubt(false);
    page.set_guardian("".into());
    page.set_findings(ModelRc::default());
    close_sheets(page);
    page.set_recordings(ModelRc::default());
    page.set_pad_open(false);
}

/// Sheets close by what was done in them; a refresh in between leaves them open.
pub(super) fn close_sheets(page: &SignAdapter<'_>) {
    page.set_correction("".into());
    page.set_correction_open(false);
    page.set_refuse_open(false);
    page.set_refusal_error("".into());
}

fn show_page(desk: &Rc<Desk>, page: &SignAdapter<'_>, pages: &[String]) {
    let mut signing = desk.signing.borrow_mut();
    signing.look(desk.services().clock.now().mono_ms);
    let count = u32::try_from(pages.len()).unwrap_or(u32::MAX);
    signing.page = signing.page.clamp(1, count.max(1));
    let index = usize::try_from(signing.page.saturating_sub(1)).unwrap_or_default();
    page.set_page_text(shown(pages.get(index).map_or("", String::as_str)).into());
    page.set_page_label(format!("第 {} 页　共 {count} 页", signing.page).into());
    page.set_can_previous(signing.page > 1);
    page.set_can_next(signing.page < count);
    say_read(page, signing.read_ms());
}

fn say_read(page: &SignAdapter<'_>, read_ms: u64) {
    page.set_dwell_text(format!("本页已停留 {} 秒", read_ms / 1000).into());
    page.set_dwell_tone(if read_ms < READ_MS { Tone::Warn } else { Tone::Good });
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

fn hint(seen: &SignView) -> &'static str {
    match seen.row.state {
        TranscriptState::Prepared => "核对后才能签名",
        TranscriptState::ReadBack if seen.may_lock() => "都已签名，可以锁定",
        TranscriptState::ReadBack => "当事人逐页签，执法人员签末页",
        TranscriptState::Locked => "已锁定",
    }
}

/// Returns the key of a role on the page.
pub(super) fn key_of(role: SignerRole) -> &'static str {
    match role {
        SignerRole::FirstOfficer => "first",
        SignerRole::SecondOfficer => "second",
        _ => "party",
    }
}

fn signer_row(signer: &Signer) -> SignerRow {
    let (state, tone) = match (signer.refused, signer.next) {
        (true, _) => ("已记录拒签".to_owned(), Tone::Warn),
        (false, None) => ("已签".to_owned(), Tone::Good),
        (false, Some(page)) if signer.may_sign => (format!("第 {page} 页待签"), Tone::Info),
        (false, Some(_)) => ("待签".to_owned(), Tone::Neutral),
    };
    SignerRow {
        key: key_of(signer.role).into(),
        role: signer.label.as_str().into(),
        name: signer.name.as_str().into(),
        state: state.into(),
        tone,
        can_sign: signer.may_sign,
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
