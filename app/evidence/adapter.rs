//! Between the evidence pages and the feature: the grid, one piece in full, camera and import.
//!
//! Long work runs in the background, one file at a time, so that each is on record when it is done.

use std::rc::Rc;

use slint::{ComponentHandle, Image, ModelRc, Rgba8Pixel, SharedPixelBuffer};
use sync_model::hash::Hash;
use sync_model::id::{EvidenceId, InspectionId};
use sync_model::record::evidence::EvidenceKind;

use super::detail::detail;
use super::exclude;
use super::intake_adapter::{capture_one, import_listed, import_typed, open_import};
use super::take::import_folder;
use super::view::{self, State, Tile};
use crate::error::AppError;
use crate::services::Services;
use crate::ui::{EvidenceAdapter, EvidenceTile, MainWindow, Page, Tone};
use crate::window::Desk;
use crate::window::rows;

/// What a photograph may be, in the order of the page.
pub(super) const KINDS: [EvidenceKind; 4] = [
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

pub(super) fn told(desk: &Rc<Desk>, outcome: Result<(), AppError>) {
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
        State::Complete | State::Archived | State::Accepted => Tone::Good,
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
    let detail = detail(services, evidence)?;
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

pub(super) fn scope(inspection: InspectionId) -> String {
    format!("evidence-next:{inspection}")
}

fn field(services: &Services, scope: &str, name: &str) -> Result<String, AppError> {
    let rows = services.store.read(|r| r.draft(scope))?;
    Ok(rows.into_iter().find(|row| row.field == name).map(|row| row.value).unwrap_or_default())
}

pub(super) fn saved(
    services: &Services,
    inspection: InspectionId,
    name: &str,
) -> Result<String, AppError> {
    field(services, &scope(inspection), name)
}

pub(super) fn draft(
    services: &Services,
    scope: &str,
    name: &str,
    value: &str,
) -> Result<(), AppError> {
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

pub(super) fn kind_index(services: &Services, inspection: InspectionId) -> Result<usize, AppError> {
    let index = saved(services, inspection, "kind")?.parse().unwrap_or(0);
    Ok(if index < KINDS.len() { index } else { 0 })
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
