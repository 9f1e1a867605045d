//! Between the transcript page and the feature: every edit is saved at once and says when.
//!
//! While something is typed the models stay, or the field would lose its cursor; they are made
//! anew only when entries come, go or move.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc};
use sync_model::record::transcript::TranscriptKind;
use sync_model::time::Timestamp;

use super::typed::{self, Typed};
use super::{prepare, sign_adapter};
use crate::error::AppError;
use crate::glyph::shown;
use crate::ui::{FieldRow, MainWindow, Page, PhraseRow, TranscriptAdapter, TranscriptEntryRow};
use crate::window::Desk;
use crate::window::rows;

/// Longest title of a phrase, in characters.
const PHRASE_TITLE: usize = 14;

/// Connects the callbacks of both pages.
pub fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    sign_adapter::connect(window, desk);
    let page = window.global::<TranscriptAdapter<'_>>();
    page.set_kinds(rows::texts(["现场检查笔录", "询问笔录"]));
    let here = Rc::clone(desk);
    page.on_choose_kind(move |kind| told(&here, choose_kind(&here, kind)));
    let here = Rc::clone(desk);
    page.on_choose_asker(move |index| choose_officer(&here, "asker", index));
    let here = Rc::clone(desk);
    page.on_choose_recorder(move |index| choose_officer(&here, "recorder", index));
    let here = Rc::clone(desk);
    page.on_edit_field(move |key, text| save(&here, &key, &text));
    let here = Rc::clone(desk);
    page.on_edit_question(move |key, text| save(&here, &format!("q:{key}"), &text));
    let here = Rc::clone(desk);
    page.on_edit_answer(move |key, text| save(&here, &format!("a:{key}"), &text));
    let here = Rc::clone(desk);
    page.on_add_entry(move || {
        change(&here, |desk, typed| typed.add_entry(desk.services(), "", "").map(drop));
    });
    let here = Rc::clone(desk);
    page.on_move_up(move |key| change(&here, |desk, typed| typed.move_up(desk.services(), &key)));
    let here = Rc::clone(desk);
    page.on_remove_entry(move |key| {
        change(&here, |desk, typed| typed.remove_entry(desk.services(), &key));
    });
    let here = Rc::clone(desk);
    page.on_insert_phrase(move |index| {
        insert_phrase(&here, index);
        if let Some(window) = here.window() {
            window.global::<TranscriptAdapter<'_>>().set_phrase_open(false);
        }
    });
    let here = Rc::clone(desk);
    page.on_render_pages(move || told(&here, render_pages(&here)));
}

/// Fills the page that is shown.
pub fn refresh(desk: &Rc<Desk>) {
    told(desk, fill(desk));
    sign_adapter::refresh(desk);
}

fn told(desk: &Rc<Desk>, outcome: Result<(), AppError>) {
    if let Err(error) = outcome {
        desk.fail(&error);
    }
}

fn current(desk: &Rc<Desk>) -> Result<Typed, AppError> {
    let inspection = desk.at().inspection.ok_or(AppError::NotFound("inspection"))?;
    typed::current(desk.services(), inspection)
}

fn fill(desk: &Rc<Desk>) -> Result<(), AppError> {
    let Some(window) = desk.window() else { return Ok(()) };
    let page = window.global::<TranscriptAdapter<'_>>();
    let Some(inspection) = desk.at().inspection else {
        page.set_premises("没有正在进行的检查".into());
        page.set_officers(ModelRc::default());
        page.set_fields(ModelRc::default());
        page.set_entries(ModelRc::default());
        page.set_missing(ModelRc::default());
        page.set_phrases(ModelRc::default());
        page.set_people_error("".into());
        page.set_saved_text("".into());
        page.set_body_hint("".into());
        page.set_can_render(false);
        return Ok(());
    };
    let services = desk.services();
    let visit = services.store.read(|r| r.inspection(inspection))?;
    let visit = visit.ok_or(AppError::NotFound("inspection"))?;
    page.set_premises(shown(&visit.begun.premises.name).into());
    let officers: Vec<String> =
        services.session().unlocked().iter().map(|one| one.credential.name.clone()).collect();
    page.set_officers(rows::texts(officers));
    let phrases = services.rulebook().map(|rules| rules.phrases).unwrap_or_default();
    page.set_phrases(rows::model(phrases.iter().map(|text| phrase(text))));
    let typed = typed::current(services, inspection)?;
    let interview = typed.kind == TranscriptKind::Interview;
    page.set_kind(i32::from(interview));
    page.set_asks_questions(interview);
    page.set_body_hint(
        if interview {
            ""
        } else {
            "检查情况由检查表和证据写入，这里写当事人的意见和需要补充的情况。"
        }
        .into(),
    );
    page.set_asker(index(typed.officer("asker")));
    page.set_recorder(index(typed.officer("recorder")));
    let now = services.clock.now().wall_at;
    let fields = typed.person_fields().into_iter().map(|(key, name)| FieldRow {
        key: key.into(),
        name: name.into(),
        value: typed.field(key).into(),
        placeholder: "".into(),
        error: typed.error_of(key, now).into(),
        number: key == "phone",
    });
    rows::renew(&page.get_fields(), fields.collect(), |fields| page.set_fields(fields));
    let entries = (1_usize..).zip(&typed.entries).map(|(number, entry)| TranscriptEntryRow {
        key: entry.key.as_str().into(),
        number: number.to_string().into(),
        question: entry.question.as_str().into(),
        answer: entry.answer.as_str().into(),
    });
    rows::renew(&page.get_entries(), entries.collect(), |entries| page.set_entries(entries));
    say_open(&page, &typed, typed.draft.saved_at);
    Ok(())
}

fn index(at: usize) -> i32 {
    i32::try_from(at).unwrap_or(-1)
}

fn phrase(text: &str) -> PhraseRow {
    let short: String = text.chars().take(PHRASE_TITLE).collect();
    let more = if text.chars().count() > PHRASE_TITLE { "…" } else { "" };
    PhraseRow { title: format!("{short}{more}").into(), text: text.into() }
}

/// Says what is open and when it was saved, without touching the fields.
fn say_open(page: &TranscriptAdapter<'_>, typed: &Typed, saved_at: Option<Timestamp>) {
    let same = typed.officer("asker") == typed.officer("recorder");
    page.set_people_error(if same { "询问人和记录人不能是同一人" } else { "" }.into());
    let missing = if typed.locked {
        vec!["本笔录已锁定，不能再改".to_owned()]
    } else {
        typed.missing()
    };
    page.set_can_render(missing.is_empty() && !same);
    page.set_missing(rows::texts(missing));
    let saved = saved_at.map_or_else(|| "未开始".to_owned(), |at| format!("已保存 {}", at.clock()));
    page.set_saved_text(saved.into());
}

fn choose_kind(desk: &Rc<Desk>, kind: i32) -> Result<(), AppError> {
    let inspection = desk.at().inspection.ok_or(AppError::NotFound("inspection"))?;
    let kind = if kind == 1 { TranscriptKind::Interview } else { TranscriptKind::Scene };
    typed::choose_kind(desk.services(), inspection, kind)?;
    fill(desk)
}

fn choose_officer(desk: &Rc<Desk>, field: &str, index: i32) {
    change(desk, |desk, typed| typed.save(desk.services(), field, &index.to_string()).map(drop));
}

/// Saves what was just typed; the field itself stays as it is.
fn save(desk: &Rc<Desk>, field: &str, value: &str) {
    let saved = current(desk).and_then(|typed| typed.save(desk.services(), field, value));
    let (Some(window), Ok(at)) = (desk.window(), &saved) else {
        return told(desk, saved.map(drop));
    };
    match current(desk) {
        Ok(typed) => say_open(&window.global::<TranscriptAdapter<'_>>(), &typed, Some(*at)),
        Err(error) => desk.fail(&error),
    }
}

/// Changes the list of entries or who writes, then shows it anew.
fn change(desk: &Rc<Desk>, act: impl FnOnce(&Rc<Desk>, &Typed) -> Result<(), AppError>) {
    let outcome = current(desk).and_then(|typed| act(desk, &typed)).and_then(|()| fill(desk));
    told(desk, outcome);
}

/// A question becomes a question of its own; anything else goes to the end of the last answer.
fn insert_phrase(desk: &Rc<Desk>, index: i32) {
    change(desk, |desk, typed| {
        let services = desk.services();
        let phrases = services.rulebook()?.phrases;
        let chosen = usize::try_from(index).ok().and_then(|index| phrases.get(index));
        let text = chosen.ok_or(AppError::NotFound("phrase"))?;
        let interview = typed.kind == TranscriptKind::Interview;
        if interview && text.ends_with('？') {
            return typed.add_entry(services, text, "").map(drop);
        }
        match typed.entries.last() {
            Some(last) if interview => {
                let key = format!("a:{}", last.key);
                typed.save(services, &key, &format!("{}{text}", last.answer)).map(drop)
            }
            _ => typed.add_entry(services, "", text).map(drop),
        }
    });
}

fn render_pages(desk: &Rc<Desk>) -> Result<(), AppError> {
    let inspection = desk.at().inspection.ok_or(AppError::NotFound("inspection"))?;
    let typed = current(desk)?;
    let content = typed.compose(desk.services(), inspection)?;
    prepare(desk.services(), inspection, typed.transcript, &content)?;
    desk.set_at(|at| at.transcript = Some(typed.transcript));
    desk.show(Page::Sign);
    Ok(())
}
