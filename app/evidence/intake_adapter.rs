//! Camera and import as the page starts them: one file at a time, in the background.
//!
//! Each piece is on record when its turn is over; a refused file is named and stops no other.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::Rc;

use slint::ComponentHandle;
use sync_model::id::InspectionId;
use sync_model::record::evidence::EvidenceKind;

use super::Captured;
use super::adapter::{KINDS, draft, kind_index, refresh, saved, scope, told};
use super::take::{files_in, import, import_folder, take};
use crate::error::AppError;
use crate::services::Services;
use crate::text::{explain, photo_problem};
use crate::ui::{EvidenceAdapter, Tone};
use crate::window::Desk;
use crate::window::rows;

/// Returns what is said of the next piece: its kind and what it shows.
fn said(services: &Services, inspection: InspectionId) -> Result<(EvidenceKind, String), AppError> {
    let kind = KINDS.get(kind_index(services, inspection)?).copied();
    Ok((kind.unwrap_or(EvidenceKind::AudiovisualMaterial), saved(services, inspection, "caption")?))
}

pub(super) fn capture_one(desk: &Rc<Desk>) {
    let Some(inspection) = desk.at().inspection else {
        return desk.fail(&AppError::NotFound("inspection"));
    };
    desk.background(
        "正在拍照并计算哈希",
        move |services| {
            let (kind, description) = said(services, inspection)?;
            take(services, inspection, kind, &description)
        },
        move |desk, taken| match taken {
            Some(captured) => {
                forget_caption(desk, inspection);
                refresh(desk);
                tell_captured(desk, &captured);
            }
            None => desk.tell(Tone::Warn, "本机没有可用的相机", "请用“从文件导入”。"),
        },
    );
}

fn forget_caption(desk: &Rc<Desk>, inspection: InspectionId) {
    // The kind stays: pieces of one kind follow each other.
    told(desk, draft(desk.services(), &scope(inspection), "caption", ""));
}

fn tell_captured(desk: &Rc<Desk>, captured: &Captured) {
    if captured.problems.is_empty() {
        desk.tell(Tone::Good, &format!("证{} 已保存", captured.ordinal), "");
    } else {
        let text = format!("证{} 已原样保存，但文件有问题", captured.ordinal);
        let said: Vec<String> = captured.problems.iter().map(photo_problem).collect();
        desk.tell(Tone::Warn, &text, &said.join("，"));
    }
}

pub(super) fn open_import(desk: &Rc<Desk>) -> Result<(), AppError> {
    let Some(window) = desk.window() else { return Ok(()) };
    let page = window.global::<EvidenceAdapter<'_>>();
    let files = files_in(&import_folder(&desk.services().store)?)?;
    let names = files.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy());
    page.set_import_files(rows::texts(names.map(|name| name.into_owned())));
    page.set_import_open(true);
    Ok(())
}

pub(super) fn import_listed(desk: &Rc<Desk>, index: Option<usize>) -> Result<(), AppError> {
    let files = files_in(&import_folder(&desk.services().store)?)?;
    let chosen = match index {
        Some(index) => files.into_iter().skip(index).take(1).collect(),
        None => files.into(),
    };
    start_import(desk, chosen)
}

pub(super) fn import_typed(desk: &Rc<Desk>, typed: &str) -> Result<(), AppError> {
    let path = PathBuf::from(typed.trim());
    let chosen = if path.is_dir() { files_in(&path)?.into() } else { VecDeque::from([path]) };
    start_import(desk, chosen)
}

fn start_import(desk: &Rc<Desk>, queue: VecDeque<PathBuf>) -> Result<(), AppError> {
    let inspection = desk.at().inspection.ok_or(AppError::NotFound("inspection"))?;
    if let Some(window) = desk.window() {
        let page = window.global::<EvidenceAdapter<'_>>();
        page.set_import_open(false);
        page.set_import_path("".into());
    }
    let total = queue.len();
    import_next(desk, Batch { inspection, queue, total, kept: 0, refused: Vec::new() });
    Ok(())
}

/// Files on their way in.
struct Batch {
    inspection: InspectionId,
    queue: VecDeque<PathBuf>,
    total: usize,
    kept: usize,
    refused: Vec<String>,
}

fn import_next(desk: &Rc<Desk>, mut batch: Batch) {
    let Some(path) = batch.queue.pop_front() else { return finish_import(desk, &batch) };
    let inspection = batch.inspection;
    let now = batch.total - batch.queue.len();
    if let Some(window) = desk.window() {
        let page = window.global::<EvidenceAdapter<'_>>();
        page.set_processing_text(format!("处理中 {now}/{}", batch.total).into());
        // A share of a progress line; a photograph more or less does not show.
        let part = u16::try_from(now.saturating_mul(1000) / batch.total.max(1)).unwrap_or(1000);
        page.set_processing_part(f32::from(part) / 1000.0);
    }
    let name =
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    desk.background(
        &format!("正在处理照片 {now}/{}", batch.total),
        move |services| {
            let (kind, description) = said(services, inspection)?;
            // One refused file does not stop the others; a full disk stops all.
            match import(services, inspection, &path, kind, &description) {
                Err(error @ AppError::Store(_)) => Err(error),
                outcome => Ok(outcome.map_err(|error| explain(&error))),
            }
        },
        move |desk, outcome| {
            match outcome {
                Ok(_) => batch.kept += 1,
                Err(why) => batch.refused.push(format!("{name}：{why}")),
            }
            import_next(desk, batch);
        },
    );
}

fn finish_import(desk: &Rc<Desk>, batch: &Batch) {
    if batch.kept > 0 {
        forget_caption(desk, batch.inspection);
    }
    refresh(desk);
    let tone = if batch.refused.is_empty() { Tone::Good } else { Tone::Warn };
    let text = format!("已导入 {} 件，未导入 {} 件", batch.kept, batch.refused.len());
    desk.tell(tone, &text, &batch.refused.join("\n"));
}
