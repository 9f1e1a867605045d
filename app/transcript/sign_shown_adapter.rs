//! What the signing page shows: every property of its adapter, for a transcript or for a receipt.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc};
use sync_core::store::TranscriptState;
use sync_model::id::DocumentId;
use sync_model::record::signature::SignerRole;
use sync_model::rule::Finding;

use super::pad_adapter;
use super::sign_adapter::transcript;
use super::sign_form::{self, FIELDS};
use super::signing::Target;
use super::view::{self, SignView, Signer};
use crate::document;
use crate::error::AppError;
use crate::glyph::shown;
use crate::ui::{SignAdapter, SignerRow, Tone};
use crate::window::Desk;
use crate::window::rows;

/// Reading a page faster than this is remarked on, never forbidden here; the rules judge.
const READ_MS: u64 = 3_000;

pub(super) fn fill(desk: &Rc<Desk>, findings: &[Finding]) -> Result<(), AppError> {
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
    document: DocumentId,
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

pub(super) fn say_read(page: &SignAdapter<'_>, read_ms: u64) {
    page.set_dwell_text(format!("本页已停留 {} 秒", read_ms / 1000).into());
    page.set_dwell_tone(if read_ms < READ_MS { Tone::Warn } else { Tone::Good });
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
