//! The credential page: both officers, a code that is made anew every few seconds, the confirmation.
//! Rule: how long it stood on the screen is measured by the monotonic clock, never typed.

use std::rc::Rc;
use std::time::Duration;

use slint::{ComponentHandle, Image, Rgb8Pixel, SharedPixelBuffer, SharedString, Timer, TimerMode};
use sync_core::store::InspectionRow;
use sync_model::record::credential::PartyReaction;
use sync_model::rule::credential::check_officers;

use super::{DisplayInput, QrModules, live_code, qr};
use crate::assignment;
use crate::error::AppError;
use crate::glyph::shown;
use crate::text;
use crate::ui::{App, CredentialAdapter, MainWindow, OfficerRow, Page, Tone};
use crate::window::{Desk, rows};

/// How often the clock on the page moves.
const TICK: Duration = Duration::from_secs(1);
/// After how many ticks the code is made anew.
const TICKS_PER_CODE: u64 = 3;

/// In the order of the page's choices.
const REACTIONS: [(&str, PartyReaction); 4] = [
    ("已看", PartyReaction::Seen),
    ("已扫码", PartyReaction::Scanned),
    ("要求再看", PartyReaction::AskedAgain),
    ("拒绝看", PartyReaction::RefusedToLook),
];

/// Connects the page's callbacks and starts the clock that moves it.
pub fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<CredentialAdapter<'_>>();
    page.set_reactions(rows::texts(REACTIONS.map(|(name, _)| name)));
    page.set_reaction(-1);
    page.set_card_shown(false);
    let timer = Timer::default();
    let here = Rc::clone(desk);
    let ticks = std::cell::Cell::new(0_u64);
    timer.start(TimerMode::Repeated, TICK, move || {
        ticks.set(ticks.get().wrapping_add(1));
        tick(&here, ticks.get().is_multiple_of(TICKS_PER_CODE));
    });
    let here = Rc::clone(desk);
    page.on_react(move |index| {
        with_page(&here, |page| page.set_reaction(index));
        hint(&here);
    });
    let here = Rc::clone(desk);
    page.on_show_card(move |on| with_page(&here, |page| page.set_card_shown(on)));
    let here = Rc::clone(desk);
    page.on_challenge_edited(move |text| {
        let digits: String = text.chars().filter(char::is_ascii_digit).take(4).collect();
        with_page(&here, |page| page.set_challenge(digits.into()));
        draw_code(&here);
    });
    let here = Rc::clone(desk);
    page.on_confirm(move || {
        // The timer lives as long as the page can be opened.
        debug_assert!(timer.running());
        confirm(&here);
    });
}

fn with_page(desk: &Rc<Desk>, change: impl FnOnce(&CredentialAdapter<'_>)) {
    if let Some(window) = desk.window() {
        change(&window.global::<CredentialAdapter<'_>>());
    }
}

/// Returns the visit the credentials are shown for: the one at hand, else the one that is open.
fn visit(desk: &Rc<Desk>) -> Result<Option<InspectionRow>, AppError> {
    desk.services().store.read(|reader| {
        let open = |row: &InspectionRow| row.concluded_at.is_none();
        let at_hand = desk.at().inspection.map(|id| reader.inspection(id)).transpose()?.flatten();
        Ok(match at_hand.filter(open) {
            Some(row) => Some(row),
            None => reader.inspections()?.into_iter().find(open),
        })
    })
}

/// Fills the page with what is true now.
pub fn refresh(desk: &Rc<Desk>) {
    let found = match visit(desk) {
        Ok(found) => found,
        Err(error) => return desk.fail(&error),
    };
    if let Some(row) = &found {
        desk.set_at(|at| {
            at.inspection = Some(row.begun.inspection);
            at.assignment = Some(row.begun.assignment);
        });
    }
    let warning = match warning(desk) {
        Ok(warning) => warning,
        Err(error) => text::explain(&error),
    };
    with_page(desk, |page| {
        let begun = found.as_ref().map(|row| &row.begun);
        page.set_premises(
            shown(begun.map_or("还没有开始检查", |begun| &begun.premises.name)).into(),
        );
        let number = begun.map_or_else(String::new, |begun| format!("检查 {}", begun.inspection));
        page.set_visit_number(number.into());
        page.set_warning(warning.into());
        page.set_officers(rows::model(officers(desk)));
        page.set_clock(clock(desk).into());
        page.set_large(false);
        if found.as_ref().is_some_and(|row| row.displayed_at.is_none()) && desk.shown_ms() < 100 {
            // A new visit begins with an empty form; a mistake on it can be put right.
            page.set_reaction(-1);
            page.set_card_shown(false);
            page.set_challenge(SharedString::default());
        }
    });
    draw_code(desk);
    hint(desk);
}

fn warning(desk: &Rc<Desk>) -> Result<String, AppError> {
    let services = desk.services();
    let policies = services.rulebook()?.policies;
    let officers = services.session().officer_facts();
    let findings = check_officers(&officers, &policies, services.clock.now().wall_at);
    Ok(text::findings_text(&findings))
}

fn officers(desk: &Rc<Desk>) -> Vec<OfficerRow> {
    let session = desk.services().session();
    let now = desk.services().clock.now().wall_at;
    session
        .unlocked()
        .iter()
        .map(|one| {
            let credential = &one.credential;
            let valid = (credential.valid_from..=credential.valid_to).contains(&now);
            OfficerRow {
                id: credential.officer.to_string().into(),
                name: shown(&credential.name).into(),
                initials: credential.name.chars().take(1).collect::<String>().into(),
                agency: credential.authority_name.as_str().into(),
                number: credential.certificate_number.as_str().into(),
                state: format!("有效期至 {}", credential.valid_to.legal_date()).into(),
                tone: if valid { Tone::Good } else { Tone::Bad },
                unlocked: true,
            }
        })
        .collect()
}

fn clock(desk: &Rc<Desk>) -> String {
    let now = desk.services().clock.now().wall_at;
    let seconds = now.0.div_euclid(1000).rem_euclid(60);
    format!("{}:{seconds:02}", now.clock())
}

fn tick(desk: &Rc<Desk>, make_code: bool) {
    let Some(window) = desk.window() else { return };
    if window.global::<App<'_>>().get_page() != Page::Credential {
        return;
    }
    with_page(desk, |page| page.set_clock(clock(desk).into()));
    if make_code {
        draw_code(desk);
    }
    hint(desk);
}

fn draw_code(desk: &Rc<Desk>) {
    let Some(window) = desk.window() else { return };
    let page = window.global::<CredentialAdapter<'_>>();
    let Some(inspection) = desk.at().inspection else {
        page.set_qr(Image::default());
        page.set_qr_note("开始检查后显示核验码。".into());
        return;
    };
    let drawn =
        live_code(desk.services(), inspection, &page.get_challenge()).and_then(|code| qr(&code));
    match drawn {
        Ok(modules) => {
            page.set_qr(picture(&modules));
            page.set_qr_note("请用任意手机扫码核验；本码由本机离线生成，每 3 秒更新".into());
        }
        Err(error) => {
            page.set_qr(Image::default());
            page.set_qr_note(text::explain(&error).into());
        }
    }
}

/// One pixel a module; the page enlarges it without smoothing.
pub(crate) fn picture(code: &QrModules) -> Image {
    let mut buffer = SharedPixelBuffer::<Rgb8Pixel>::new(code.side, code.side);
    for (pixel, dark) in buffer.make_mut_slice().iter_mut().zip(&code.dark) {
        let level = if *dark { 0 } else { u8::MAX };
        *pixel = Rgb8Pixel { r: level, g: level, b: level };
    }
    Image::from_rgb8(buffer)
}

fn hint(desk: &Rc<Desk>) {
    let (visit, alone) = (desk.at().inspection, desk.services().session().unlocked().len() < 2);
    with_page(desk, |page| {
        let hint = if visit.is_none() {
            "请先在任务中点“开始检查”"
        } else if alone {
            "亮证须两名执法人员均已解锁"
        } else if page.get_reaction() < 0 {
            "请选择当事人反应"
        } else {
            ""
        };
        page.set_confirm_hint(hint.into());
        page.set_can_confirm(hint.is_empty());
    });
}

fn confirm(desk: &Rc<Desk>) {
    let Some(window) = desk.window() else { return };
    let page = window.global::<CredentialAdapter<'_>>();
    let Some(inspection) = desk.at().inspection else { return };
    let chosen = usize::try_from(page.get_reaction()).ok().and_then(|index| REACTIONS.get(index));
    let Some((_, reaction)) = chosen else { return };
    let input = DisplayInput {
        shown_ms: desk.shown_ms(),
        physical_card_shown: page.get_card_shown(),
        reaction: *reaction,
    };
    match super::display(desk.services(), inspection, &input) {
        Ok(_) => {
            page.set_challenge(SharedString::default());
            desk.back();
            assignment::adapter::show_next(desk);
        }
        Err(error) => desk.fail(&error),
    }
}
