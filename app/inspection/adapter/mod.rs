//! The three pages of a visit that this feature owns: telling, walking the checklist, leaving.
//! Rule: everything typed is a draft at once; a page never holds what is not on disk.

mod checklist;
mod conclude;
mod notice;

use std::rc::Rc;

use sync_core::store::InspectionRow;
use sync_model::id::InspectionId;

use crate::error::AppError;
use crate::ui::MainWindow;
use crate::window::Desk;

pub use checklist::leave as leave_checklist;

/// Connects the pages' callbacks.
pub fn connect(window: &MainWindow, desk: &Rc<Desk>) {
    notice::connect(window, desk);
    checklist::connect(window, desk);
    conclude::connect(window, desk);
}

/// Fills the pages with what is true now.
pub fn refresh(desk: &Rc<Desk>) {
    let outcome = notice::refresh(desk)
        .and_then(|()| checklist::refresh(desk))
        .and_then(|()| conclude::refresh(desk));
    if let Err(error) = outcome {
        desk.fail(&error);
    }
}

/// Returns the visit at hand.
fn visit(desk: &Rc<Desk>) -> Result<InspectionRow, AppError> {
    let id = desk.at().inspection.ok_or(AppError::NotFound("inspection"))?;
    let row = desk.services().store.read(|reader| reader.inspection(id))?;
    row.ok_or(AppError::NotFound("inspection"))
}

/// Does something with the visit at hand and tells what went wrong.
fn with_visit(desk: &Rc<Desk>, act: impl FnOnce(InspectionId) -> Result<(), AppError>) {
    let id = desk.at().inspection.ok_or(AppError::NotFound("inspection"));
    if let Err(error) = id.and_then(act) {
        desk.fail(&error);
    }
}
