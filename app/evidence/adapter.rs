//! Between the evidence pages and the feature: the grid, one piece in full, camera and import.
//!
//! Long work runs in the background, one file at a time, so that each is on record when it is done.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::Rc;

use slint::{ComponentHandle, Image, ModelRc, Rgba8Pixel, SharedPixelBuffer};
use sync_model::hash::Hash;
use sync_model::id::{EvidenceId, InspectionId};
use sync_model::record::evidence::EvidenceKind;

use super::take::{files_in, import, import_folder, take};
use super::view::{self, State, Tile};
use super::{Captured, exclude};
use crate::error::AppError;
use crate::services::Services;
use crate::text::explain;
use crate::ui::{EvidenceAdapter, EvidenceTile, MainWindow, Page, Tone};
use crate::window::Desk;
use crate::window::rows;

/// What a photograph may be, in the order of the page.
const KINDS: [EvidenceKind; 4] = [
    EvidenceKind::AudiovisualMaterial,
    EvidenceKind::DocumentaryEvidence,
    EvidenceKind::PhysicalEvidence,
    EvidenceKind::ElectronicData,
];

/// Connects the page's callbacks.
pub fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<EvidenceAdapter<'_>>();
    page.set_kinds(rows::texts(KINDS.map(view::kind_name)));
    page.set_exclude_reasons(rows::texts(["误拍", "重复", "与检查无关", "涉及他人隐私"]));
    let here = Rc::clone(desk);
    page.on_edit_caption(move |text| save(&here, "caption", &text));
    let here = Rc::clone(desk);
    page.on_choose_kind(move |kind| {
        save(&here, "kind", &kind.to_string());
        refresh(&here);
    });
    let here = Rc::clone(desk);
    page.on_capture(move || capture_one(&here));
    let here = Rc::clone(desk);
    page.on_import_file(move || told(&here, open_import(&here)));
    let here = Rc::clone(desk);
    page.on_import_listed(move |index| {
        told(&here, import_listed(&here, usize::try_from(index).ok()))
    });
    let here = Rc::clone(desk);
    page.on_import_all(move || told(&here, import_listed(&here, None)));
    let here = Rc::clone(desk);
    page.on_import_typed(move |path| told(&here, import_typed(&here, &path)));
    let here = Rc::clone(desk);
    page.on_open(move |key| {
        here.set_at(|at| at.evidence = uuid::Uuid::parse_str(&key).ok().map(EvidenceId));
        here.show(Page::EvidenceDetail);
    });
    let here = Rc::clone(desk);
    page.on_edit_reason(move |reason| {
        if let Some(evidence) = here.at().evidence {
            let scope = format!("evidence:{evidence}");
            told(&here, draft(here.services(), &scope, "exclude_reason", &reason));
        }
    });
    let here = Rc::clone(desk);
    page.on_exclude(move |reason| told(&here, exclude_one(&here, &reason)));
}

/// Fills the pages with what is true now.
pub fn refresh(desk: &Rc<Desk>) {
    told(desk, fill(desk));
}

fn told(desk: &Rc<Desk>, outcome: Result<(), AppError>) {
    if let Err(error) = outcome {
        desk.fail(&error);
    }
}

fn fill(desk: &Rc<Desk>) -> Result<(), AppError> {
    let Some(window) = desk.window() else { return Ok(()) };
    let page = window.global::<EvidenceAdapter<'_>>();
    let services = desk.services();
    page.set_import_folder(import_folder(&services.store)?.display().to_string().into());
    let Some(inspection) = desk.at().inspection else {
        page.set_premises("没有正在进行的检查".into());
        page.set_tiles(ModelRc::default());
        page.set_count_text("共 0 件".into());
        page.set_missing_text("".into());
        page.set_processing_text("".into());
        return fill_detail(desk, &page);
    };
    let visit = services.store.read(|r| r.inspection(inspection))?;
    let visit = visit.ok_or(AppError::NotFound("inspection"))?;
    page.set_premises(crate::glyph::shown(&visit.begun.premises.name).into());
    let tiles = view::tiles(services, inspection)?;
    let waiting = tiles.iter().filter(|tile| tile.state == State::Local).count();
    page.set_count_text(format!("共 {} 件，待上报 {waiting} 件", tiles.len()).into());
    page.set_tiles(rows::model(tiles.iter().map(|tile| shown(services, tile))));
    let missing = view::missing(services, inspection)?;
    page.set_missing_text(missing_text(&missing).into());
    page.set_processing_text("".into());
    page.set_processing_part(0.0);
    page.set_next_caption(saved(services, inspection, "caption")?.into());
    page.set_kind(i32::try_from(kind_index(services, inspection)?).unwrap_or_default());
    fill_detail(desk, &page)
}

fn missing_text(missing: &[String]) -> String {
    match missing.first() {
        Some(first) if missing.len() == 1 => format!("缺少必拍项：{first}"),
        Some(first) => format!("缺少必拍项 {} 个：{first} 等", missing.len()),
        None => String::new(),
    }
}

fn shown(services: &Services, tile: &Tile) -> EvidenceTile {
    EvidenceTile {
        key: tile.row.captured.evidence.to_string().into(),
        number: tile.number().into(),
        time: view::time_text(tile.row.captured_at).into(),
        caption: tile.caption().into(),
        hash: tile.short_hash().into(),
        state: tile.state.text().into(),
        tone: tone(tile.state),
        thumbnail: view::thumbnail(&tile.row)
            .and_then(|hash| picture(services, &hash))
            .unwrap_or_default(),
        excluded: tile.state == State::Excluded,
    }
}

fn tone(state: State) -> Tone {
    match state {
        State::Excluded => Tone::Neutral,
        State::NotAccepted => Tone::Bad,
        State::Local | State::Held => Tone::Info,
        State::Complete | State::Accepted => Tone::Good,
    }
}

/// Returns a stored copy as a picture; a copy that cannot be shown is no reason to hide the piece.
fn picture(services: &Services, hash: &Hash) -> Option<Image> {
    let bytes = services.store.blobs().read(hash).ok()?;
    let decoded = image::load_from_memory(&bytes).ok()?.into_rgba8();
    let (width, height) = decoded.dimensions();
    let pixels = SharedPixelBuffer::<Rgba8Pixel>::clone_from_slice(decoded.as_raw(), width, height);
    Some(Image::from_rgba8(pixels))
}

fn fill_detail(desk: &Rc<Desk>, page: &EvidenceAdapter<'_>) -> Result<(), AppError> {
    let services = desk.services();
    let Some(evidence) = desk.at().evidence else {
        page.set_number("".into());
        page.set_caption("".into());
        page.set_picture(Image::default());
        page.set_state("".into());
        page.set_state_tone(Tone::Neutral);
        page.set_excluded(true);
        page.set_facts(ModelRc::default());
        page.set_exif(ModelRc::default());
        page.set_custody(ModelRc::default());
        page.set_exclude_reason("".into());
        return Ok(());
    };
    let detail = view::detail(services, evidence)?;
    let copy = view::large(&detail.tile.row).and_then(|hash| picture(services, &hash));
    page.set_number(detail.tile.number().into());
    page.set_caption(detail.tile.caption().into());
    page.set_picture(copy.unwrap_or_default());
    page.set_state(detail.tile.state.text().into());
    page.set_state_tone(tone(detail.tile.state));
    page.set_excluded(detail.tile.state == State::Excluded);
    page.set_facts(rows::facts(&detail.facts));
    page.set_exif(rows::facts(&detail.exif));
    page.set_custody(rows::facts(&detail.custody));
    let scope = format!("evidence:{evidence}");
    page.set_exclude_reason(field(services, &scope, "exclude_reason")?.into());
    Ok(())
}

fn scope(inspection: InspectionId) -> String {
    format!("evidence-next:{inspection}")
}

fn field(services: &Services, scope: &str, name: &str) -> Result<String, AppError> {
    let rows = services.store.read(|r| r.draft(scope))?;
    Ok(rows.into_iter().find(|row| row.field == name).map(|row| row.value).unwrap_or_default())
}

fn saved(services: &Services, inspection: InspectionId, name: &str) -> Result<String, AppError> {
    field(services, &scope(inspection), name)
}

fn draft(services: &Services, scope: &str, name: &str, value: &str) -> Result<(), AppError> {
    services.store.save_draft(scope, name, value)?;
    Ok(())
}

fn save(desk: &Rc<Desk>, name: &str, value: &str) {
    let Some(inspection) = desk.at().inspection else { return };
    told(desk, draft(desk.services(), &scope(inspection), name, value));
    if let (Some(window), "caption") = (desk.window(), name) {
        window.global::<EvidenceAdapter<'_>>().set_next_caption(value.into());
    }
}

fn kind_index(services: &Services, inspection: InspectionId) -> Result<usize, AppError> {
    let index = saved(services, inspection, "kind")?.parse().unwrap_or(0);
    Ok(if index < KINDS.len() { index } else { 0 })
}

/// Returns what is said of the next piece: its kind and what it shows.
fn said(services: &Services, inspection: InspectionId) -> Result<(EvidenceKind, String), AppError> {
    let kind = KINDS.get(kind_index(services, inspection)?).copied();
    Ok((kind.unwrap_or(EvidenceKind::AudiovisualMaterial), saved(services, inspection, "caption")?))
}

fn capture_one(desk: &Rc<Desk>) {
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
        let said: Vec<String> = captured.problems.iter().map(|one| format!("{one:?}")).collect();
        desk.tell(Tone::Warn, &text, &said.join("，"));
    }
}

fn open_import(desk: &Rc<Desk>) -> Result<(), AppError> {
    let Some(window) = desk.window() else { return Ok(()) };
    let page = window.global::<EvidenceAdapter<'_>>();
    let files = files_in(&import_folder(&desk.services().store)?)?;
    let names = files.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy());
    page.set_import_files(rows::texts(names.map(|name| name.into_owned())));
    page.set_import_open(true);
    Ok(())
}

fn import_listed(desk: &Rc<Desk>, index: Option<usize>) -> Result<(), AppError> {
    let files = files_in(&import_folder(&desk.services().store)?)?;
    let chosen = match index {
        Some(index) => files.into_iter().skip(index).take(1).collect(),
        None => files.into(),
    };
    start_import(desk, chosen)
}

fn import_typed(desk: &Rc<Desk>, typed: &str) -> Result<(), AppError> {
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

fn exclude_one(desk: &Rc<Desk>, reason: &str) -> Result<(), AppError> {
    let at = desk.at();
    let inspection = at.inspection.ok_or(AppError::NotFound("inspection"))?;
    let evidence = at.evidence.ok_or(AppError::NotFound("evidence"))?;
    exclude(desk.services(), inspection, evidence, reason)?;
    desk.services().store.forget_draft(&format!("evidence:{evidence}"))?;
    if let Some(window) = desk.window() {
        window.global::<EvidenceAdapter<'_>>().set_exclude_open(false);
    }
    refresh(desk);
    desk.tell(Tone::Good, "已排除，原件保留", "");
    Ok(())
}
