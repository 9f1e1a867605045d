//! 检查表: one tap is one answer on record; words typed go on record when the entry is left.

use std::collections::BTreeSet;
use std::rc::Rc;

use slint::{ComponentHandle, Model};
use sync_model::record::inspection::EntryResult;

use super::{visit, with_visit};
use crate::error::AppError;
use crate::glyph::shown;
use crate::inspection::{
    EntryView, GroupView, claim_photos, draft_scope, expect_photos, find, record_pending, walk,
};
use crate::ui::{ChecklistAdapter, ChecklistEntryRow, ChecklistGroup, MainWindow, Page, Tone};
use crate::window::{Desk, rows};

/// In the order of the page's choices.
const CHOICES: [(&str, Tone, EntryResult); 3] = [
    ("合格", Tone::Good, EntryResult::Pass),
    ("不合格", Tone::Bad, EntryResult::Fail),
    ("未检查", Tone::Warn, EntryResult::NotChecked),
];

pub(super) fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<ChecklistAdapter<'_>>();
    page.set_choices(rows::texts(CHOICES.map(|(name, ..)| name)));
    page.set_choice_tones(rows::model(CHOICES.map(|(_, tone, _)| tone)));
    page.set_groups(rows::model(vec![]));
    let here = Rc::clone(desk);
    page.on_toggle_group(move |index| toggle(&here, index));
    let here = Rc::clone(desk);
    page.on_find(move |entry, index| {
        let chosen = usize::try_from(index).ok().and_then(|index| CHOICES.get(index));
        let Some((.., result)) = chosen else { return };
        with_visit(&here, |id| {
            find(here.services(), id, &entry, *result)?;
            record_pending(here.services(), id)?;
            refresh(&here)
        });
        here.refresh_status();
    });
    let here = Rc::clone(desk);
    page.on_edit_note(move |entry, text| type_text(&here, &entry, "note", &text));
    let here = Rc::clone(desk);
    page.on_edit_reason(move |entry, text| type_text(&here, &entry, "reason", &text));
    let here = Rc::clone(desk);
    page.on_take_photo(move |entry| {
        with_visit(&here, |id| expect_photos(here.services(), id, &entry));
        here.show(Page::Evidence);
    });
    let here = Rc::clone(desk);
    page.on_pass_all(move |index| pass_all(&here, index));
    let here = Rc::clone(desk);
    page.on_conclude(move || here.show(Page::Conclude));
}

/// Records what was typed last when the page is left.
pub fn leave(desk: &Rc<Desk>) {
    with_visit(desk, |id| record_pending(desk.services(), id).map(drop));
}

pub(super) fn refresh(desk: &Rc<Desk>) -> Result<(), AppError> {
    let row = visit(desk)?;
    let id = row.begun.inspection;
    claim_photos(desk.services(), id)?;
    if row.concluded_at.is_none() && row.displayed_at.is_some() {
        record_pending(desk.services(), id)?;
    }
    let groups = desk.services().store.read(|reader| walk(reader, id))?;
    let Some(window) = desk.window() else { return Ok(()) };
    let page = window.global::<ChecklistAdapter<'_>>();
    page.set_premises(shown(&row.begun.premises.name).into());
    fill(&page, &groups);
    Ok(())
}

fn fill(page: &ChecklistAdapter<'_>, groups: &[GroupView]) {
    let entries = || groups.iter().flat_map(|group| &group.entries);
    let (total, done) = (entries().count(), entries().filter(|one| one.recorded.is_some()).count());
    page.set_progress_text(format!("{done}/{total}").into());
    let part = u16::try_from(done).ok().zip(u16::try_from(total.max(1)).ok());
    page.set_progress_part(part.map_or(0.0, |(done, total)| f32::from(done) / f32::from(total)));
    let missing = entries().filter(|one| lacks_photo(one)).count();
    let unsaid = entries().filter(|one| one.result.is_some() && one.recorded.is_none()).count();
    let told = [(missing, "缺必拍照片"), (unsaid, "待写明情况")];
    let told = told.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told.map(|(count, what)| format!("{what} {count}")).collect();
    page.set_missing_text(told.join("，").into());
    let known: Vec<ChecklistGroup> = page.get_groups().iter().collect();
    let open: BTreeSet<String> =
        known.iter().filter(|group| group.open).map(|group| group.title.to_string()).collect();
    // On the first look at a visit its first unfinished group is open.
    let fresh = known.len() != groups.len()
        || known.iter().zip(groups).any(|(old, new)| old.title.as_str() != new.title);
    let first = groups.iter().position(|group| group.entries.iter().any(|e| e.recorded.is_none()));
    let shown = groups.iter().enumerate().map(|(index, group)| {
        let is_open = if fresh { first == Some(index) } else { open.contains(&group.title) };
        group_row(group, is_open)
    });
    page.set_groups(rows::model(shown));
}

fn lacks_photo(entry: &EntryView) -> bool {
    entry.photo_required
        && entry.evidence.is_empty()
        && entry.result != Some(EntryResult::NotChecked)
}

fn group_row(group: &GroupView, open: bool) -> ChecklistGroup {
    let total = group.entries.len();
    let done = group.entries.iter().filter(|entry| entry.recorded.is_some()).count();
    ChecklistGroup {
        title: group.title.as_str().into(),
        department: group.departments.as_str().into(),
        progress: format!("{done}/{total}").into(),
        tone: if done == total { Tone::Good } else { Tone::Info },
        open,
        can_pass_all: group.entries.iter().any(|entry| entry.result.is_none()),
        entries: rows::model(group.entries.iter().map(entry_row)),
    }
}

fn entry_row(entry: &EntryView) -> ChecklistEntryRow {
    let chosen = entry.result.and_then(|found| CHOICES.iter().position(|(.., one)| *one == found));
    let (photo_text, photo_tone) = match entry.evidence.len() {
        0 if lacks_photo(entry) => ("需拍照 缺 1".to_owned(), Tone::Warn),
        0 => ("照片 0".to_owned(), Tone::Neutral),
        count => (format!("照片 {count}"), Tone::Good),
    };
    ChecklistEntryRow {
        key: entry.key.as_str().into(),
        number: entry.number.as_str().into(),
        title: entry.text.as_str().into(),
        guidance: entry.basis.as_str().into(),
        finding: chosen.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1),
        note: entry.note.as_str().into(),
        asks_reason: entry.result == Some(EntryResult::NotChecked),
        reason: entry.reason.as_str().into(),
        photo_text: photo_text.into(),
        photo_tone,
    }
}

fn toggle(desk: &Rc<Desk>, index: i32) {
    let Some(window) = desk.window() else { return };
    let groups = window.global::<ChecklistAdapter<'_>>().get_groups();
    let Ok(index) = usize::try_from(index) else { return };
    if let Some(mut group) = groups.row_data(index) {
        group.open = !group.open;
        groups.set_row_data(index, group);
    }
    leave(desk);
    if let Err(error) = refresh(desk) {
        desk.fail(&error);
    }
}

/// Saves a keystroke and changes its row in place: the field being typed in is not rebuilt.
fn type_text(desk: &Rc<Desk>, entry: &str, field: &str, text: &str) {
    with_visit(desk, |id| {
        let scope = draft_scope(id);
        desk.services().store.save_draft(&scope, &format!("{entry}/{field}"), text)?;
        Ok(())
    });
    let Some(window) = desk.window() else { return };
    for group in window.global::<ChecklistAdapter<'_>>().get_groups().iter() {
        let found = group.entries.iter().position(|row| row.key == entry);
        let Some((index, mut row)) =
            found.and_then(|index| group.entries.row_data(index).map(|row| (index, row)))
        else {
            continue;
        };
        if field == "note" {
            row.note = text.into()
        } else {
            row.reason = text.into()
        }
        group.entries.set_row_data(index, row);
    }
}

fn pass_all(desk: &Rc<Desk>, index: i32) {
    with_visit(desk, |id| {
        let services = desk.services();
        let groups = services.store.read(|reader| walk(reader, id))?;
        let group = usize::try_from(index).ok().and_then(|index| groups.get(index));
        for entry in group.map_or(&[][..], |group| &group.entries) {
            if entry.result.is_none() {
                find(services, id, &entry.key, EntryResult::Pass)?;
            }
        }
        record_pending(services, id)?;
        refresh(desk)
    });
    desk.refresh_status();
}
