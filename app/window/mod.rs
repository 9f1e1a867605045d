//! The window: opens the store, connects every page's adapter, runs the event loop.
//!
//! Pages know no features and features know no pages; each `adapter.rs` stands between one page
//! and one feature. What is being worked on (which visit, which transcript) lives in [`Desk`].

mod desk;
pub(crate) mod rows;
mod status;

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use slint::{ComponentHandle, PlatformError};
use sync_core::clock::{Clock, SystemClock};
use sync_core::disk::RealDisk;
use sync_core::key::Hardness;
use sync_core::{Outcome, StoreError};
use thiserror::Error;

use crate::error::AppError;
use crate::services::Services;
use crate::ui::{MainWindow, Page};
use crate::{
    assignment, case, credential, document, evidence, inspection, partner_copy, session,
    settings_page, sync_status, text, transcript,
};

pub use desk::{At, Desk, Work};

/// Why the window could not be opened.
#[derive(Debug, Error)]
pub enum WindowError {
    /// No display, or the libraries for one are missing.
    #[error("window: {0}")]
    Platform(#[from] PlatformError),
    /// The store or another feature.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Returns what to tell somebody who started the program in a terminal.
#[must_use]
pub fn explain(error: &WindowError) -> String {
    match error {
        WindowError::Platform(_) => {
            "没有可用的显示器，打不开界面。无界面可运行：xunzheng rehearse --photos 照片文件夹 --out 输出文件夹".to_owned()
        }
        WindowError::App(error) => text::explain(error),
    }
}

/// Opens the window on the store in `folder` and runs until it is closed.
///
/// # Errors
/// [`WindowError::Platform`] without a display; [`WindowError::App`] if the folder is in use. A
/// damaged or newer database opens the page that says so instead.
pub fn run(folder: &Path, practice: bool) -> Result<(), WindowError> {
    let window = MainWindow::new()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    match Services::open_asking(folder, clock, Arc::new(RealDisk), Hardness::DEVICE) {
        Ok(services) => {
            let desk = connect(&window, services, Work::Threads);
            if practice {
                session::adapter::start_practice(&desk);
            }
            window.run()?;
            desk.close();
            Ok(())
        }
        Err(error @ AppError::Store(StoreError::InUse(_))) => Err(error.into()),
        Err(error) if error.outcome() == Outcome::Damaged => {
            settings_page::adapter::show_damaged(&window, &error, folder);
            Ok(window.run()?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Connects every adapter; tests call this with [`Work::Inline`].
#[must_use]
pub fn connect(window: &MainWindow, services: Services, work: Work) -> Rc<Desk> {
    let desk = Desk::new(window, services, work);
    status::connect(window, &desk);
    session::adapter::connect(window, &desk);
    assignment::adapter::connect(window, &desk);
    credential::adapter::connect(window, &desk);
    inspection::adapter::connect(window, &desk);
    evidence::adapter::connect(window, &desk);
    transcript::adapter::connect(window, &desk);
    case::adapter::connect(window, &desk);
    document::adapter::connect(window, &desk);
    sync_status::adapter::connect(window, &desk);
    partner_copy::adapter::connect(window, &desk);
    settings_page::adapter::connect(window, &desk);
    desk.start();
    desk
}

/// Fills the adapter of `page` with what is true now.
fn refresh(desk: &Rc<Desk>, page: Page) {
    match page {
        Page::Enroll | Page::Unlock => session::adapter::refresh(desk),
        Page::Home | Page::Assignment => assignment::adapter::refresh(desk),
        Page::Credential => credential::adapter::refresh(desk),
        Page::Notice | Page::Checklist | Page::Conclude => inspection::adapter::refresh(desk),
        Page::Evidence | Page::EvidenceDetail => evidence::adapter::refresh(desk),
        Page::Transcript | Page::Sign => transcript::adapter::refresh(desk),
        Page::Decision => case::adapter::refresh(desk),
        Page::Documents => document::adapter::refresh(desk),
        Page::Sync => sync_status::adapter::refresh(desk),
        Page::Copy => partner_copy::adapter::refresh(desk),
        Page::Settings | Page::Damaged => settings_page::adapter::refresh(desk),
    }
}

/// Keeps what was typed on a page that is being left.
fn leave(desk: &Rc<Desk>, page: Page) {
    if page == Page::Checklist {
        inspection::adapter::leave_checklist(desk);
    }
}
