//! 解锁: one officer after the other with his own PIN, then the shift.

use std::cell::RefCell;
use std::rc::Rc;

use slint::{ComponentHandle, SharedString};
use sync_model::id::OfficerId;

use super::super::{OfficerView, begin_shift, lock, officers, shift, unlock};
use crate::error::AppError;
use crate::glyph::shown;
use crate::text;
use crate::ui::{MainWindow, Page, SessionAdapter};
use crate::window::{Desk, rows};

/// Dots shown before anything is typed; longer PINs add theirs.
const PIN_DOTS: usize = 6;
/// Most digits of a PIN.
const PIN_DIGITS_MAX: usize = 12;

pub(super) fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<SessionAdapter<'_>>();
    let pin: Rc<RefCell<String>> = Rc::default();
    say(&page, "");
    show_length(&page, 0);
    let (here, digits) = (Rc::clone(desk), Rc::clone(&pin));
    page.on_choose(move |id| {
        let Some(officer) = rows::id(&id, OfficerId) else { return };
        forget(&here, &digits);
        here.set_at(|at| at.officer = Some(officer));
        let activated = officers(here.services())
            .is_ok_and(|all| all.iter().any(|one| one.officer == officer && one.activated));
        if activated { here.refresh_shown() } else { here.show(Page::Enroll) }
    });
    let (here, digits) = (Rc::clone(desk), Rc::clone(&pin));
    page.on_digit(move |digit| {
        let length = {
            let mut typed = digits.borrow_mut();
            if typed.len() < PIN_DIGITS_MAX {
                typed.push_str(&digit);
            }
            typed.len()
        };
        with_page(&here, |page| {
            say(page, "");
            show_length(page, length);
        });
    });
    let (here, digits) = (Rc::clone(desk), Rc::clone(&pin));
    page.on_erase(move || {
        digits.borrow_mut().pop();
        let length = digits.borrow().len();
        with_page(&here, |page| show_length(page, length));
    });
    let (here, digits) = (Rc::clone(desk), Rc::clone(&pin));
    page.on_unlock(move || {
        let typed = digits.take();
        with_page(&here, |page| show_length(page, 0));
        try_pin(&here, typed);
    });
    let (here, digits) = (Rc::clone(desk), Rc::clone(&pin));
    page.on_lock(move || {
        forget(&here, &digits);
        lock(here.services());
        here.restart_at(Page::Unlock);
    });
    let here = Rc::clone(desk);
    page.on_begin_shift(move || begin(&here));
}

fn with_page(desk: &Rc<Desk>, change: impl FnOnce(&SessionAdapter<'_>)) {
    if let Some(window) = desk.window() {
        change(&window.global::<SessionAdapter<'_>>());
    }
}

fn say(page: &SessionAdapter<'_>, message: &str) {
    page.set_message(message.into());
    page.set_message_detail(SharedString::default());
}

fn show_length(page: &SessionAdapter<'_>, length: usize) {
    page.set_pin_length(i32::try_from(length).unwrap_or_default());
    page.set_pin_max(i32::try_from(length.max(PIN_DOTS)).unwrap_or_default());
}

fn forget(desk: &Rc<Desk>, digits: &RefCell<String>) {
    digits.borrow_mut().clear();
    with_page(desk, |page| {
        say(page, "");
        show_length(page, 0);
    });
}

/// Returns the officer who types: the chosen one, else the first who is not here yet.
fn chosen(desk: &Rc<Desk>, all: &[OfficerView]) -> Option<OfficerView> {
    let at = desk.at().officer;
    let waits = |one: &&OfficerView| one.activated && !one.unlocked;
    let picked = all.iter().find(|one| Some(one.officer) == at);
    picked.or_else(|| all.iter().find(waits)).or(all.first()).cloned()
}

pub(super) fn refresh(desk: &Rc<Desk>) -> Result<(), AppError> {
    let all = officers(desk.services())?;
    let unlocked = all.iter().filter(|one| one.unlocked).count();
    let on_duty = shift::current(desk.services()).is_ok();
    let picked = chosen(desk, &all);
    let mut hint = match unlocked {
        0 => "请执法人员本人输入口令".to_owned(),
        1 => "一人可以值班；检查须两名执法人员，还需一名本人解锁".to_owned(),
        _ => String::new(),
    };
    if desk.practice.borrow().is_some() {
        let told = format!("演练口令：{}", crate::practice::PIN);
        hint = if hint.is_empty() { told } else { format!("{told}　{hint}") };
    }
    with_page(desk, |page| {
        page.set_officers(rows::model(all.iter().map(super::officer_row)));
        let id = picked.as_ref().map_or_else(String::new, |one| one.officer.to_string());
        page.set_chosen_id(id.into());
        page.set_chosen_name(shown(picked.as_ref().map_or("", |one| &one.name)).into());
        page.set_can_enter(picked.as_ref().is_some_and(|one| one.activated && !one.unlocked));
        page.set_can_begin(unlocked > 0);
        page.set_on_duty(on_duty);
        page.set_begin_hint(hint.into());
    });
    Ok(())
}

fn try_pin(desk: &Rc<Desk>, pin: String) {
    let officer = match officers(desk.services()) {
        Ok(all) => chosen(desk, &all),
        Err(error) => return desk.fail(&error),
    };
    let Some(officer) = officer.map(|one| one.officer) else { return };
    desk.background(
        "正在核对口令",
        move |services| Ok(unlock(services, officer, &pin)),
        |desk, outcome| {
            match outcome {
                Ok(_) => {
                    // The next officer takes the device over.
                    desk.set_at(|at| at.officer = None);
                    with_page(desk, |page| say(page, ""));
                }
                Err(error) => with_page(desk, |page| say(page, &text::explain(&error))),
            }
            desk.refresh_shown();
        },
    );
}

fn begin(desk: &Rc<Desk>) {
    // A shift of exactly these officers goes on; it is not begun twice.
    let outcome = match shift::current(desk.services()) {
        Ok(_) => Ok(()),
        Err(AppError::NoShift) => begin_shift(desk.services()).map(drop),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => desk.restart_at(Page::Home),
        Err(error) => desk.fail(&error),
    }
}
