//! 开通: the device meets HQ, then each officer activates with a code and sets a PIN.

use std::rc::Rc;

use slint::{ComponentHandle, SharedString};
use sync_core::StoreError;
use sync_core::sync::HqClient;
use sync_model::hash::Hash;
use sync_model::id::OfficerId;

use super::super::{OfficerView, activate, enroll, officers};
use crate::error::AppError;
use crate::text;
use crate::ui::{EnrollAdapter, MainWindow, Page, Tone};
use crate::window::{Desk, rows};

pub(super) fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    let page = window.global::<EnrollAdapter<'_>>();
    for clear in [EnrollAdapter::set_hq_address, EnrollAdapter::set_code, EnrollAdapter::set_error]
    {
        clear(&page, SharedString::default());
    }
    forget_secrets(&page);
    let here = Rc::clone(desk);
    page.on_enroll(move || enroll_device(&here));
    let here = Rc::clone(desk);
    page.on_practice(move || super::run_practice(&here));
    let here = Rc::clone(desk);
    page.on_choose_officer(move |id| {
        let Some(officer) = rows::id(&id, OfficerId) else { return };
        here.set_at(|at| at.officer = Some(officer));
        if let Some(window) = here.window() {
            forget_secrets(&window.global::<EnrollAdapter<'_>>());
        }
        here.refresh_shown();
    });
    let here = Rc::clone(desk);
    page.on_activate(move || activate_officer(&here));
    let here = Rc::clone(desk);
    page.on_finish(move || here.restart_at(Page::Unlock));
}

fn forget_secrets(page: &EnrollAdapter<'_>) {
    page.set_activation_code(SharedString::default());
    page.set_pin(SharedString::default());
    page.set_pin_again(SharedString::default());
    page.set_pin_error(SharedString::default());
}

/// Returns the officer to activate: the chosen one, else the first who is not yet.
fn chosen(desk: &Rc<Desk>, all: &[OfficerView]) -> Option<OfficerView> {
    let at = desk.at().officer;
    let picked = all.iter().find(|one| Some(one.officer) == at);
    picked.or_else(|| all.iter().find(|one| !one.activated)).or(all.first()).cloned()
}

pub(super) fn refresh(desk: &Rc<Desk>) -> Result<(), AppError> {
    let services = desk.services();
    let enrollment = services.store.read(|reader| reader.enrollment())?;
    let all = officers(services)?;
    let Some(window) = desk.window() else { return Ok(()) };
    let page = window.global::<EnrollAdapter<'_>>();
    page.set_device_enrolled(enrollment.is_some());
    let about = enrollment.map_or_else(String::new, |one| {
        let print = Hash::of(&one.trust.issuer_key.0).hex();
        let short: String = print.chars().take(16).collect();
        format!("{}，总部公钥指纹 {short}", one.certificate.name)
    });
    page.set_device_text(about.into());
    let shown = all.iter().map(|one| {
        let mut row = super::officer_row(one);
        let (state, tone) =
            if one.activated { ("已激活", Tone::Good) } else { ("未激活", Tone::Neutral) };
        (row.state, row.tone) = (state.into(), tone);
        row
    });
    page.set_officers(rows::model(shown));
    let name = chosen(desk, &all).map_or_else(String::new, |one| one.name);
    page.set_chosen_name(name.into());
    page.set_can_finish(all.iter().any(|one| one.activated));
    Ok(())
}

fn enroll_device(desk: &Rc<Desk>) {
    let Some(window) = desk.window() else { return };
    let page = window.global::<EnrollAdapter<'_>>();
    let (hq, code) = (page.get_hq_address().to_string(), page.get_code().to_string());
    page.set_error(SharedString::default());
    desk.background(
        "正在开通",
        move |services| Ok(enroll(services, hq.trim(), &code)),
        |desk, outcome| {
            let Some(window) = desk.window() else { return };
            let page = window.global::<EnrollAdapter<'_>>();
            match outcome {
                Ok(_) => page.set_code(SharedString::default()),
                Err(error) => page.set_error(text::explain(&error).into()),
            }
            desk.refresh_shown();
        },
    );
}

fn activate_officer(desk: &Rc<Desk>) {
    let Some(window) = desk.window() else { return };
    let page = window.global::<EnrollAdapter<'_>>();
    let officer = match officers(desk.services()) {
        Ok(all) => chosen(desk, &all),
        Err(error) => return desk.fail(&error),
    };
    let Some(officer) = officer.map(|one| one.officer) else { return };
    let (code, pin) = (page.get_activation_code().to_string(), page.get_pin().to_string());
    if pin != page.get_pin_again().as_str() {
        return page.set_pin_error("两次输入的口令不一致".into());
    }
    page.set_pin_error(SharedString::default());
    desk.background(
        "正在激活",
        move |services| {
            let enrollment = services.store.read(|reader| reader.enrollment())?;
            let hq = enrollment.ok_or(StoreError::NotEnrolled)?.hq;
            Ok(HqClient::of(&services.store, &hq)
                .map_err(AppError::from)
                .and_then(|client| activate(services, &client, officer, &code, &pin)))
        },
        |desk, outcome| {
            let Some(window) = desk.window() else { return };
            let page = window.global::<EnrollAdapter<'_>>();
            match outcome {
                Ok(_) => {
                    forget_secrets(&page);
                    // The next one to activate is chosen by himself.
                    desk.set_at(|at| at.officer = None);
                }
                Err(error) => page.set_pin_error(text::explain(&error).into()),
            }
            desk.refresh_shown();
        },
    );
}
