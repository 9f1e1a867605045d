//! Between the pad and the feature: strokes in, a signature bound to its page out.

use std::rc::Rc;

use slint::ComponentHandle;
use sync_model::hash::Hash;
use sync_model::record::document::DeliveryWay;
use sync_model::record::signature::{Ink, SignerRole, Witness};

use super::sign_adapter::{refresh, say_refusal, told, transcript};
use super::sign_form;
use super::sign_shown_adapter::{close_sheets, key_of};
use super::signing::{Pad, Pen, Target};
use super::view::{self, SignView};
use super::{RefusalInput, SignInput, refuse, sign_page};
use crate::document::{self, DeliverInput};
use crate::error::{AppError, Input};
use crate::ui::{MainWindow, SignAdapter, Tone};
use crate::window::Desk;

pub(super) fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<SignAdapter<'_>>();
    let here = Rc::clone(desk);
    page.on_open_pad(move |key| told(&here, open(&here, &key)));
    let here = Rc::clone(desk);
    page.on_stroke_begin(move |x, y, width, height, finger| {
        let now = here.services().clock.now().mono_ms;
        draw(&here, |pad| pad.begin((x, y), (width, height), finger, now));
    });
    let here = Rc::clone(desk);
    page.on_stroke_move(move |x, y| {
        let now = here.services().clock.now().mono_ms;
        draw(&here, |pad| pad.draw((x, y), now));
    });
    let here = Rc::clone(desk);
    page.on_stroke_end(move || draw(&here, Pad::end));
    let here = Rc::clone(desk);
    page.on_undo_stroke(move || draw(&here, Pad::undo));
    let here = Rc::clone(desk);
    page.on_clear_strokes(move || draw(&here, Pad::clear));
    let here = Rc::clone(desk);
    page.on_cancel_pad(move || {
        here.signing.borrow_mut().pad = None;
        show(&here);
    });
    let here = Rc::clone(desk);
    page.on_accept_signature(move || told(&here, accept(&here)));
}

/// Fills the pad with what is drawn.
pub(super) fn fill(desk: &Rc<Desk>, page: &SignAdapter<'_>) {
    let signing = desk.signing.borrow();
    let Some(pad) = &signing.pad else {
        page.set_pad_open(false);
        page.set_done_path("".into());
        page.set_live_path("".into());
        page.set_stroke_text("0 笔".into());
        page.set_can_accept(false);
        return;
    };
    page.set_done_path(pad.done_path().into());
    page.set_live_path(pad.live_path().into());
    page.set_stroke_text(format!("{} 笔", pad.stroke_count()).into());
    page.set_can_accept(pad.is_enough());
    page.set_pad_open(true);
}

fn show(desk: &Rc<Desk>) {
    if let Some(window) = desk.window() {
        fill(desk, &window.global::<SignAdapter<'_>>());
    }
}

fn draw(desk: &Rc<Desk>, act: impl FnOnce(&mut Pad)) {
    if let Some(pad) = &mut desk.signing.borrow_mut().pad {
        act(pad);
    }
    show(desk);
}

fn name_pad(desk: &Rc<Desk>, who: &str, page: u32) {
    let Some(window) = desk.window() else { return };
    let adapter = window.global::<SignAdapter<'_>>();
    adapter.set_pad_title(format!("{who}　签名").into());
    adapter.set_pad_hint(format!("签在第 {page} 页").into());
}

fn open(desk: &Rc<Desk>, key: &str) -> Result<(), AppError> {
    if key == "recipient" {
        return open_receipt(desk);
    }
    let (_, seen) = seen(desk)?;
    let signer = seen.signers.iter().find(|one| key_of(one.role) == key && one.may_sign);
    let signer = signer.ok_or(AppError::NotFound("signer"))?;
    let page = signer.next.ok_or(AppError::NotFound("page"))?;
    let shown = desk.signing.borrow().page;
    // What is signed is what lies before the signer's eyes.
    if shown != page {
        desk.signing.borrow_mut().page = page;
        refresh(desk);
        desk.tell(Tone::Info, &format!("请看第 {page} 页，看完再点签名"), "");
        return Ok(());
    }
    let hash = seen.page_hash(page).ok_or(AppError::NotFound("page"))?;
    desk.signing.borrow_mut().pad = Some(Pad::new(Pen::Signer(signer.role), page, hash));
    name_pad(desk, &format!("{}　{}", signer.label, signer.name), page);
    show(desk);
    Ok(())
}

fn seen(desk: &Rc<Desk>) -> Result<(sync_model::id::TranscriptId, SignView), AppError> {
    let transcript = transcript(desk)?.ok_or(AppError::NotFound("transcript"))?;
    Ok((transcript, view::sign_view(desk.services(), transcript)?))
}

fn open_receipt(desk: &Rc<Desk>) -> Result<(), AppError> {
    let target = desk.signing.borrow().target.clone();
    let Some(Target::Receipt { document, recipient }) = target else {
        return Err(AppError::NotFound("document"));
    };
    let services = desk.services();
    let row = services.store.read(|r| r.document(document))?;
    let row = row.ok_or(AppError::NotFound("document"))?;
    let pages = document::load_pages(services.store.blobs(), &row.text)?;
    let last = pages.last().ok_or(AppError::NotFound("document text"))?;
    let page = u32::try_from(pages.len()).unwrap_or(u32::MAX);
    let pad = Pad::new(Pen::Recipient, page, Hash::of(last.as_bytes()));
    {
        let mut signing = desk.signing.borrow_mut();
        signing.page = page;
        signing.pad = Some(pad);
    }
    name_pad(desk, &format!("受送达人　{recipient}"), page);
    refresh(desk);
    Ok(())
}

fn accept(desk: &Rc<Desk>) -> Result<(), AppError> {
    let pad = desk.signing.borrow().pad.clone().ok_or(AppError::NotFound("signature"))?;
    let ink = pad.ink()?;
    match pad.pen {
        Pen::Recipient => deliver_signed(desk, ink),
        Pen::Witness => record_refusal(desk, Some(ink)),
        Pen::Signer(role) => sign(desk, role, pad.page, ink),
    }
}

fn sign(desk: &Rc<Desk>, role: SignerRole, page: u32, ink: Ink) -> Result<(), AppError> {
    let (transcript, before) = seen(desk)?;
    let signer = before.signers.iter().find(|one| one.role == role);
    let name = signer.ok_or(AppError::NotFound("signer"))?.name.clone();
    sign_page(desk.services(), transcript, SignInput { page, role, name, ink })?;
    let (_, after) = seen(desk)?;
    {
        let mut signing = desk.signing.borrow_mut();
        signing.pad = None;
        // The next page to sign comes before the signer's eyes.
        let next = after.signers.iter().find(|one| one.may_sign).and_then(|one| one.next);
        signing.page = next.unwrap_or(page);
    }
    refresh(desk);
    desk.refresh_status();
    Ok(())
}

fn deliver_signed(desk: &Rc<Desk>, ink: Ink) -> Result<(), AppError> {
    let target = desk.signing.borrow().target.clone();
    let Some(Target::Receipt { document, recipient }) = target else {
        return Err(AppError::NotFound("document"));
    };
    let place = document::view::place(desk.services(), document)?;
    let input = DeliverInput { recipient, way: DeliveryWay::InPerson { ink }, place };
    document::deliver(desk.services(), document, &input)?;
    document::view::forget(desk.services(), document)?;
    *desk.signing.borrow_mut() = super::signing::Signing::default();
    desk.back();
    desk.tell(Tone::Good, "已送达，当事人已签收", "");
    Ok(())
}

/// 记录拒签 was pressed: a named witness signs first.
pub(super) fn refuse_now(desk: &Rc<Desk>) {
    if let Err(error) = begin_refusal(desk) {
        say_refusal(desk, &error);
    }
}

fn begin_refusal(desk: &Rc<Desk>) -> Result<(), AppError> {
    let (transcript, seen) = seen(desk)?;
    let typed = sign_form::typed(desk.services(), transcript)?;
    let text = |field: &str| typed.get(field).map_or("", |value| value.trim());
    if text("reason").is_empty() {
        return Err(AppError::Input(Input::Empty("拒签理由")));
    }
    let witness = text("witness-name");
    if witness.is_empty() {
        return record_refusal(desk, None);
    }
    sync_model::identifier::person_name::check(witness)
        .map_err(|_| AppError::Input(Input::Name))?;
    let page = u32::try_from(seen.pages.len()).unwrap_or(u32::MAX);
    let hash = seen.page_hash(page).ok_or(AppError::NotFound("page"))?;
    {
        let mut signing = desk.signing.borrow_mut();
        signing.page = page;
        signing.pad = Some(Pad::new(Pen::Witness, page, hash));
    }
    name_pad(desk, &format!("见证人　{witness}"), page);
    show(desk);
    Ok(())
}

// 《最高人民法院关于行政诉讼证据若干问题的规定》第十五条: 拒签的注明原因，有其他人在场的由其签名.
fn record_refusal(desk: &Rc<Desk>, ink: Option<Ink>) -> Result<(), AppError> {
    let (transcript, seen) = seen(desk)?;
    let services = desk.services();
    let typed = sign_form::typed(services, transcript)?;
    let text =
        |field: &str| typed.get(field).map(|value| value.trim().to_owned()).unwrap_or_default();
    let identity: Vec<String> = ["witness-number", "witness-unit"]
        .map(text)
        .into_iter()
        .filter(|one| !one.is_empty())
        .collect();
    let name = text("witness-name");
    let witness = (!name.is_empty()).then(|| Witness { name, identity: identity.join("，"), ink });
    let recordings = sign_form::recordings(services, seen.row.prepared.inspection)?;
    let chosen = text("recording").parse::<usize>().ok().and_then(|index| index.checked_sub(1));
    let input = RefusalInput {
        role: SignerRole::Party,
        name: seen.party.clone(),
        reason: text("reason"),
        witness,
        recording: chosen.and_then(|index| recordings.get(index)).map(|(_, id)| *id),
    };
    refuse(services, transcript, input)?;
    if let Some(window) = desk.window() {
        close_sheets(&window.global::<SignAdapter<'_>>());
    }
    desk.signing.borrow_mut().pad = None;
    refresh(desk);
    desk.tell(Tone::Info, "已记录拒签", "");
    Ok(())
}
