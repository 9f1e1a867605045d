//! 告知: the words in full, who was there, the recusal question and its answer.

use std::collections::BTreeMap;
use std::rc::Rc;

use slint::{ComponentHandle, SharedString};
use sync_model::id::InspectionId;

use super::{visit, with_visit};
use crate::assignment;
use crate::error::AppError;
use crate::glyph::shown;
use crate::inspection::{NoticeInput, give_notice, notice_view};
use crate::ui::{MainWindow, NoticeAdapter, NoticeSection, Tone};
use crate::window::{Desk, rows};

/// Place of 申请回避 among the answers.
const REQUESTED: i32 = 1;

pub(super) fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<NoticeAdapter<'_>>();
    page.set_recusal_answers(rows::texts(["不申请", "申请回避"]));
    page.set_recording_text("已说明检查全程录音录像".into());
    page.set_recording_detail("从到场开始，至离场结束".into());
    let here = Rc::clone(desk);
    page.on_attendee_edited(move || {
        let Some(window) = here.window() else { return };
        let page = window.global::<NoticeAdapter<'_>>();
        save(&here, "attendee_name", &page.get_attendee_name());
        save(&here, "attendee_role", &page.get_attendee_role());
        hint(&page);
    });
    let here = Rc::clone(desk);
    page.on_answer_recusal(move |index| {
        save(&here, "recusal", &index.to_string());
        with_page(&here, |page| {
            page.set_recusal_answer(index);
            page.set_asks_recusal_reason(index == REQUESTED);
            hint(page);
        });
    });
    let here = Rc::clone(desk);
    page.on_recusal_reason_edited(move |text| {
        save(&here, "recusal_reason", &text);
        with_page(&here, hint);
    });
    let here = Rc::clone(desk);
    page.on_tell_recording(move |on| {
        save(&here, "recording", if on { "1" } else { "" });
        with_page(&here, |page| {
            page.set_recording_told(on);
            hint(page);
        });
    });
    let here = Rc::clone(desk);
    page.on_confirm(move || with_visit(&here, |id| confirm(&here, id)));
}

fn with_page(desk: &Rc<Desk>, change: impl FnOnce(&NoticeAdapter<'_>)) {
    if let Some(window) = desk.window() {
        change(&window.global::<NoticeAdapter<'_>>());
    }
}

fn scope(inspection: InspectionId) -> String {
    format!("notice:{inspection}")
}

fn save(desk: &Rc<Desk>, field: &str, value: &str) {
    with_visit(desk, |id| {
        desk.services().store.save_draft(&scope(id), field, value)?;
        Ok(())
    });
}

pub(super) fn refresh(desk: &Rc<Desk>) -> Result<(), AppError> {
    let row = visit(desk)?;
    let told = notice_view(desk.services(), &row)?;
    let scope = scope(row.begun.inspection);
    let drafts = desk.services().store.read(|reader| reader.draft(&scope))?;
    let typed: BTreeMap<String, String> =
        drafts.into_iter().map(|draft| (draft.field, draft.value)).collect();
    let text = |field: &str| typed.get(field).map_or("", String::as_str);
    with_page(desk, |page| {
        page.set_premises(shown(&row.begun.premises.name).into());
        let sections = told.sections.iter().map(|(title, body)| NoticeSection {
            title: title.as_str().into(),
            body: body.as_str().into(),
        });
        page.set_sections(rows::model(sections));
        page.set_recusal_question(told.recusal_question.as_str().into());
        let known = row.begun.party.person_in_charge.as_deref().unwrap_or_default();
        let name = typed.get("attendee_name").map_or(known, String::as_str);
        page.set_attendee_name(name.into());
        page.set_attendee_role(text("attendee_role").into());
        let answer = text("recusal").parse().unwrap_or(-1);
        page.set_recusal_answer(answer);
        page.set_asks_recusal_reason(answer == REQUESTED);
        page.set_recusal_reason(text("recusal_reason").into());
        page.set_recording_told(text("recording") == "1");
        hint(page);
        if let Some(at) = row.noticed_at {
            page.set_confirm_hint(format!("{} 已告知；再次告知会另存一条记录", at.clock()).into());
        }
    });
    Ok(())
}

fn hint(page: &NoticeAdapter<'_>) {
    let requested = page.get_recusal_answer() == REQUESTED;
    let hint = if page.get_attendee_name().trim().is_empty() {
        "请填写在场人员姓名"
    } else if page.get_recusal_answer() < 0 {
        "请询问是否申请回避并选择回答"
    } else if requested && page.get_recusal_reason().trim().is_empty() {
        "请填写申请回避的理由"
    } else if !page.get_recording_told() {
        "请说明全程录音录像"
    } else {
        ""
    };
    page.set_confirm_hint(hint.into());
    page.set_can_confirm(hint.is_empty());
}

fn confirm(desk: &Rc<Desk>, id: InspectionId) -> Result<(), AppError> {
    let Some(window) = desk.window() else { return Ok(()) };
    let page = window.global::<NoticeAdapter<'_>>();
    let requested = page.get_recusal_answer() == REQUESTED;
    let answer = if requested {
        format!("申请回避，理由：{}", page.get_recusal_reason().trim())
    } else {
        "已清楚，不申请回避".to_owned()
    };
    let role = page.get_attendee_role();
    let name: SharedString = page.get_attendee_name();
    let who = match role.trim() {
        "" => name.trim().to_owned(),
        role => format!("{}（{role}）", name.trim()),
    };
    let input = NoticeInput { recusal_requested: requested, reply: format!("{who}：{answer}") };
    give_notice(desk.services(), id, &input)?;
    desk.services().store.forget_draft(&scope(id))?;
    desk.back();
    if requested {
        // 《行政处罚法》第四十三条第三款: the authority decides; until then the inquiry goes on.
        let detail = "请立即报告行政机关负责人决定；决定作出前不停止调查。";
        desk.tell(Tone::Warn, "当事人申请回避，已记录", detail);
    }
    assignment::adapter::show_next(desk);
    Ok(())
}
