//! Enrolment, unlocking and the shift; starting the practice profile.
//! Rule: PIN digits stay in this module's memory, never in a property or a draft.

mod enroll;
mod unlock;

use std::rc::Rc;

use slint::ComponentHandle;

use super::OfficerView;
use crate::glyph::shown;
use crate::practice::Practice;
use crate::ui::{App, MainWindow, OfficerRow, Page, Tone};
use crate::window::Desk;

/// Connects the pages' callbacks; a device of a practice HQ starts it again.
pub fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    enroll::connect(window, desk);
    unlock::connect(window, desk);
    match super::is_practice(desk.services()) {
        Ok(true) => run_practice(desk),
        Ok(false) => {}
        Err(error) => desk.fail(&error),
    }
}

/// Fills the pages with what is true now.
pub fn refresh(desk: &Rc<Desk>) {
    if let Err(error) = enroll::refresh(desk).and_then(|()| unlock::refresh(desk)) {
        desk.fail(&error);
    }
}

/// Starts the practice HQ and enrols this device with it, unless that is under way already.
pub fn start_practice(desk: &Rc<Desk>) {
    if !super::is_practice(desk.services()).unwrap_or(false) {
        run_practice(desk);
    }
}

fn run_practice(desk: &Rc<Desk>) {
    desk.background(
        "正在启动演练总部",
        super::enter_practice,
        |desk, practice: Practice| {
            desk.practice.replace(Some(practice));
            let page = desk.window().map(|window| window.global::<App<'_>>().get_page());
            if page == Some(Page::Enroll) {
                desk.restart_at(Page::Unlock);
            } else {
                desk.refresh_shown();
            }
        },
    );
}

fn officer_row(one: &OfficerView) -> OfficerRow {
    let (state, tone) = match (one.activated, one.unlocked) {
        (false, _) => ("未激活", Tone::Neutral),
        (true, true) => ("已解锁", Tone::Good),
        (true, false) => ("未解锁", Tone::Neutral),
    };
    OfficerRow {
        id: one.officer.to_string().into(),
        name: shown(&one.name).into(),
        initials: one.name.chars().take(1).collect::<String>().into(),
        agency: one.agency.as_str().into(),
        number: one.number.as_str().into(),
        state: state.into(),
        tone,
        unlocked: one.unlocked,
    }
}
