//! Between the documents page and the feature: list, pages, print, and handing over.
//!
//! A receipt is signed on the signing page, on the document's last page.

use std::path::PathBuf;
use std::rc::Rc;

use slint::{ComponentHandle, ModelRc};
use sync_core::store::{DocumentRow, DocumentState};
use sync_model::id::DocumentId;
use sync_model::record::document::DeliveryWay;

use super::{DeliverInput, deliver, print, print_folder, slip, view};
use crate::credential::adapter::picture;
use crate::credential::qr;
use crate::error::{AppError, Input};
use crate::glyph::shown;
use crate::services::Services;
use crate::text::explain;
use crate::transcript::signing::{Signing, Target};
use crate::ui::{DocumentAdapter, DocumentRow as Line, MainWindow, Page, Tone};
use crate::window::Desk;
use crate::window::rows;

/// What the party is told under the slip.
const SLIP_NOTE: &str = "终端已对本文书的记录签名；扫码保存，联网后可查是否已入总部日志。";
/// 直接送达, then 拒收.
const REFUSED: i32 = 1;

/// Connects the page's callbacks.
pub fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<DocumentAdapter<'_>>();
    page.set_ways(rows::texts(["直接送达", "拒收"]));
    let here = Rc::clone(desk);
    page.on_choose(move |key| {
        here.set_at(|at| at.document = rows::id(&key, DocumentId));
        here.signing.borrow_mut().page = 1;
        refresh(&here);
    });
    let here = Rc::clone(desk);
    page.on_previous_page(move || turn(&here, -1));
    let here = Rc::clone(desk);
    page.on_next_page(move || turn(&here, 1));
    let here = Rc::clone(desk);
    page.on_print(move || write(&here, "打印件"));
    let here = Rc::clone(desk);
    page.on_export(move || write(&here, "导出文件"));
    let here = Rc::clone(desk);
    page.on_choose_way(move |way| {
        save(&here, "way", &way.to_string());
        if let Some(window) = here.window() {
            show_way(&window.global::<DocumentAdapter<'_>>(), way);
        }
    });
    let here = Rc::clone(desk);
    page.on_edit_delivery(move |field, text| save(&here, &field, &text));
    let here = Rc::clone(desk);
    page.on_deliver(move || {
        if let (Err(error), Some(window)) = (hand_over(&here), here.window()) {
            let page = window.global::<DocumentAdapter<'_>>();
            page.set_delivery_error(explain(&error).into());
        }
    });
}

/// Fills the page with what is true now.
pub fn refresh(desk: &Rc<Desk>) {
    if let Err(error) = fill(desk) {
        desk.fail(&error);
    }
}

/// Returns the document that is open: the chosen one, else the first of the list.
fn chosen(desk: &Rc<Desk>, list: &[DocumentRow]) -> Option<DocumentRow> {
    let wanted = desk.at().document;
    list.iter().find(|row| Some(row.document) == wanted).or(list.first()).cloned()
}

fn open(desk: &Rc<Desk>) -> Result<DocumentRow, AppError> {
    let list = view::list(desk.services(), desk.at().inspection)?;
    chosen(desk, &list).ok_or(AppError::NotFound("document"))
}

fn fill(desk: &Rc<Desk>) -> Result<(), AppError> {
    let Some(window) = desk.window() else { return Ok(()) };
    let page = window.global::<DocumentAdapter<'_>>();
    let services = desk.services();
    {
        // Whoever comes back from an unsigned receipt has put it down.
        let mut signing = desk.signing.borrow_mut();
        if matches!(signing.target, Some(Target::Receipt { .. })) {
            *signing = Signing::default();
        }
    }
    let list = view::list(services, desk.at().inspection)?;
    page.set_rows(rows::model(list.iter().map(line)));
    let folder = print_folder(&services.store);
    page.set_printer_text(format!("打印件写到 {}", folder.display()).into());
    let Some(row) = chosen(desk, &list) else {
        page.set_chosen_key("".into());
        page.set_title("".into());
        page.set_body("".into());
        page.set_page_label("".into());
        page.set_can_previous(false);
        page.set_can_next(false);
        page.set_can_print(false);
        page.set_facts(ModelRc::default());
        page.set_can_deliver(false);
        page.set_has_slip(false);
        return Ok(());
    };
    page.set_chosen_key(row.document.to_string().into());
    page.set_title(row.title.as_str().into());
    let pages = view::pages(services, &row)?;
    let count = u32::try_from(pages.len()).unwrap_or(u32::MAX);
    let at = desk.signing.borrow().page.clamp(1, count.max(1));
    let index = usize::try_from(at.saturating_sub(1)).unwrap_or_default();
    page.set_body(shown(pages.get(index).map_or("", String::as_str)).into());
    page.set_page_label(format!("第 {at} 页　共 {count} 页").into());
    page.set_can_previous(at > 1);
    page.set_can_next(at < count);
    page.set_can_print(true);
    page.set_facts(rows::facts(&view::facts(&row)));
    page.set_can_deliver(view::needs_delivery(&row));
    show_slip(services, &page, row.document);
    let typed = view::typed(services, &row)?;
    let text = |field: &str| typed.get(field).map_or("", String::as_str);
    page.set_receiver(text("receiver").into());
    page.set_receiver_role(text("receiver-role").into());
    page.set_reason(text("reason").into());
    page.set_witness(text("witness").into());
    show_way(&page, text("way").parse().unwrap_or(0));
    Ok(())
}

/// A slip that cannot be made says why and holds nothing up.
fn show_slip(services: &Services, page: &DocumentAdapter<'_>, document: DocumentId) {
    match slip(services, document).and_then(|text| qr(&text)) {
        Ok(code) => {
            page.set_slip(picture(&code));
            page.set_slip_note(SLIP_NOTE.into());
        }
        Err(error) => {
            page.set_slip(slint::Image::default());
            page.set_slip_note(explain(&error).into());
        }
    }
    page.set_has_slip(true);
}

fn line(row: &DocumentRow) -> Line {
    let tone = if view::needs_delivery(row) { Tone::Warn } else { Tone::Good };
    let tone =
        if row.state == DocumentState::Issued && row.case.is_none() { Tone::Info } else { tone };
    Line {
        key: row.document.to_string().into(),
        title: row.title.as_str().into(),
        number: row.number.as_str().into(),
        time: row.made_at.clock().into(),
        state: view::state_text(row).into(),
        tone,
    }
}

fn show_way(page: &DocumentAdapter<'_>, way: i32) {
    page.set_way(way);
    page.set_asks_witness(way == REFUSED);
    let hint = if way == REFUSED {
        "在决定书上注明拒收情况，即为送达。"
    } else {
        "受送达人在文书末页签名，即为送达。"
    };
    page.set_way_hint(hint.into());
}

fn turn(desk: &Rc<Desk>, by: i32) {
    {
        let mut signing = desk.signing.borrow_mut();
        signing.page = signing.page.saturating_add_signed(by).max(1);
    }
    refresh(desk);
}

fn save(desk: &Rc<Desk>, field: &str, value: &str) {
    let saved = open(desk).and_then(|row| view::save(desk.services(), row.document, field, value));
    if let Err(error) = saved {
        desk.fail(&error);
    }
}

fn write(desk: &Rc<Desk>, what: &'static str) {
    let document = match open(desk) {
        Ok(row) => row.document,
        Err(error) => return desk.fail(&error),
    };
    desk.background(
        "正在写文件",
        move |services| print(services, document),
        move |desk, path: PathBuf| {
            desk.tell(Tone::Good, &format!("{what}已写好"), &path.display().to_string());
        },
    );
}

/// Sheets close by what was done in them; a refresh in between leaves them open.
fn close_sheet(desk: &Rc<Desk>) {
    if let Some(window) = desk.window() {
        let page = window.global::<DocumentAdapter<'_>>();
        page.set_deliver_open(false);
        page.set_delivery_error("".into());
    }
}

fn hand_over(desk: &Rc<Desk>) -> Result<(), AppError> {
    let services = desk.services();
    let row = open(desk)?;
    let typed = view::typed(services, &row)?;
    let recipient = view::recipient(&typed);
    if recipient.is_empty() {
        return Err(AppError::Input(Input::Empty("收件人")));
    }
    let text = |field: &str| typed.get(field).map_or("", |value| value.trim());
    if text("way") == REFUSED.to_string() {
        // 《行政处罚法》第五十二条: 当事人拒绝签收的，应当在行政处罚决定书上注明.
        let way = DeliveryWay::RefusedReceipt {
            reason: text("reason").to_owned(),
            witness: view::witness(text("witness")),
        };
        let place = view::place(services, row.document)?;
        deliver(services, row.document, &DeliverInput { recipient, way, place })?;
        view::forget(services, row.document)?;
        close_sheet(desk);
        refresh(desk);
        desk.refresh_status();
        desk.tell(Tone::Info, "已注明拒收", "");
        return Ok(());
    }
    close_sheet(desk);
    let pages = view::pages(services, &row)?.len();
    {
        let mut signing = desk.signing.borrow_mut();
        *signing = Signing::default();
        signing.open(Target::Receipt { document: row.document, recipient }, pages);
        signing.page = u32::try_from(pages).unwrap_or(u32::MAX);
    }
    desk.set_at(|at| at.document = Some(row.document));
    desk.show(Page::Sign);
    Ok(())
}
