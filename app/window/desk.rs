//! The desk: services, what is being worked on, and the ways to show a page, tell something, or
//! work in the background. Lives on the UI thread only.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use slint::{ComponentHandle, Weak};
use sync_core::Outcome;
use sync_model::id::{
    AssignmentId, CaseId, DocumentId, EvidenceId, InspectionId, OfficerId, TranscriptId,
};

use crate::error::AppError;
use crate::practice::Practice;
use crate::services::Services;
use crate::session;
use crate::text;
use crate::transcript::signing::Signing;
use crate::ui::{App, MainWindow, Page, Tone};

/// Where long work runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// On threads of their own; the page stays usable.
    Threads,
    /// At once, on the caller's thread: page tests see the result in the next line.
    Inline,
}

/// What is being worked on.
#[derive(Clone, Copy, Debug, Default)]
pub struct At {
    /// The officer chosen on the unlock page.
    pub officer: Option<OfficerId>,
    /// The assignment whose details are open.
    pub assignment: Option<AssignmentId>,
    /// The visit under way.
    pub inspection: Option<InspectionId>,
    /// The piece of evidence whose details are open.
    pub evidence: Option<EvidenceId>,
    /// The transcript being written or signed.
    pub transcript: Option<TranscriptId>,
    /// The case being decided.
    pub case: Option<CaseId>,
    /// The document that is open.
    pub document: Option<DocumentId>,
}

/// Everything an adapter needs.
pub struct Desk {
    services: Arc<Services>,
    window: Weak<MainWindow>,
    work: Work,
    at: Cell<At>,
    came_from: RefCell<Vec<Page>>,
    /// Monotonic time at which the shown page was opened.
    opened_mono_ms: Cell<u64>,
    /// The pages being read and the strokes being made on them.
    pub signing: RefCell<Signing>,
    /// The embedded HQ of the practice profile, while it runs.
    pub practice: RefCell<Option<Practice>>,
}

impl Desk {
    pub(super) fn new(window: &MainWindow, services: Services, work: Work) -> Rc<Self> {
        Rc::new(Self {
            services: Arc::new(services),
            window: window.as_weak(),
            work,
            at: Cell::default(),
            came_from: RefCell::default(),
            opened_mono_ms: Cell::default(),
            signing: RefCell::default(),
            practice: RefCell::default(),
        })
    }

    /// Returns the services.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Returns the window while it is open.
    #[must_use]
    pub fn window(&self) -> Option<MainWindow> {
        self.window.upgrade()
    }

    /// Returns what is being worked on.
    #[must_use]
    pub fn at(&self) -> At {
        self.at.get()
    }

    /// Changes what is being worked on.
    pub fn set_at(&self, change: impl FnOnce(&mut At)) {
        let mut at = self.at.get();
        change(&mut at);
        self.at.set(at);
    }

    /// Shows a page with what is true now; `back` returns from it.
    pub fn show(self: &Rc<Self>, page: Page) {
        let Some(window) = self.window() else { return };
        let app = window.global::<App<'_>>();
        let from = app.get_page();
        if from != page {
            super::leave(self, from);
            self.came_from.borrow_mut().push(from);
        }
        self.open(&window, page);
    }

    /// Goes back to where the officer came from; home if from nowhere.
    pub fn back(self: &Rc<Self>) {
        let Some(window) = self.window() else { return };
        super::leave(self, window.global::<App<'_>>().get_page());
        let page = self.came_from.borrow_mut().pop().unwrap_or(Page::Home);
        self.open(&window, page);
    }

    /// Shows a page as the only place to be: nothing to go back to.
    pub fn restart_at(self: &Rc<Self>, page: Page) {
        self.came_from.borrow_mut().clear();
        if let Some(window) = self.window() {
            self.open(&window, page);
        }
    }

    fn open(self: &Rc<Self>, window: &MainWindow, page: Page) {
        let app = window.global::<App<'_>>();
        if app.get_page() != page {
            self.opened_mono_ms.set(self.services.clock.now().mono_ms);
        }
        self.refresh(page);
        app.set_page(page);
    }

    /// Returns how long the shown page has been open.
    #[must_use]
    pub fn shown_ms(&self) -> u64 {
        self.services.clock.now().mono_ms.saturating_sub(self.opened_mono_ms.get())
    }

    /// Fills a page and the status bar with what is true now.
    pub fn refresh(self: &Rc<Self>, page: Page) {
        super::refresh(self, page);
        super::status::refresh(self);
    }

    /// Fills the status bar only, when a page has filled itself.
    pub fn refresh_status(self: &Rc<Self>) {
        super::status::refresh(self);
    }

    /// Fills the page that is shown.
    pub fn refresh_shown(self: &Rc<Self>) {
        if let Some(window) = self.window() {
            self.refresh(window.global::<App<'_>>().get_page());
        }
    }

    /// Tells something; it stays until it is dismissed.
    pub fn tell(&self, tone: Tone, text: &str, detail: &str) {
        let Some(window) = self.window() else { return };
        let app = window.global::<App<'_>>();
        app.set_toast_tone(tone);
        app.set_toast_text(text.into());
        app.set_toast_detail(detail.into());
    }

    /// Tells what went wrong and what to do.
    pub fn fail(&self, error: &AppError) {
        tracing::warn!(%error, "told the officer");
        let tone = match error.outcome() {
            Outcome::Waiting | Outcome::Fixable => Tone::Warn,
            Outcome::Refused | Outcome::Damaged | Outcome::Defect => Tone::Bad,
        };
        self.tell(tone, &text::explain(error), "");
    }

    /// Runs `work` off the UI thread under a busy text; then `done` on the UI thread. Errors are
    /// told.
    pub fn background<T: Send + 'static>(
        self: &Rc<Self>,
        busy: &str,
        work: impl FnOnce(&Services) -> Result<T, AppError> + Send + 'static,
        done: impl FnOnce(&Rc<Self>, T) + 'static,
    ) {
        // Quiet work must not lift the busy layer of other work.
        let covers = !busy.is_empty();
        let finish = move |desk: &Rc<Self>, outcome: Result<T, AppError>| {
            if covers {
                desk.set_busy("");
            }
            match outcome {
                Ok(value) => done(desk, value),
                Err(error) => desk.fail(&error),
            }
            super::status::refresh(desk);
        };
        if self.work == Work::Inline {
            finish(self, work(&self.services));
            return;
        }
        if covers {
            self.set_busy(busy);
        }
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let services = Arc::clone(&self.services);
        std::thread::spawn(move || {
            // The window may have closed meanwhile; the work itself is done and kept.
            drop(sender.send(work(&services)));
        });
        let desk = Rc::clone(self);
        self.spawn(async move {
            match receiver.await {
                Ok(outcome) => finish(&desk, outcome),
                Err(_) => desk.fail(&AppError::NotFound("result of the work")),
            }
        });
    }

    fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        if let Err(error) = slint::spawn_local(future) {
            tracing::error!(%error, "no event loop");
        }
    }

    fn set_busy(&self, text: &str) {
        if let Some(window) = self.window() {
            window.global::<App<'_>>().set_busy_text(text.into());
        }
    }

    /// Opens on the page that fits: enrolment, unlocking.
    pub(super) fn start(self: &Rc<Self>) {
        let ready = session::is_ready(&self.services);
        self.restart_at(if ready { Page::Unlock } else { Page::Enroll });
    }

    /// Stops what runs beside the window.
    pub(super) fn close(&self) {
        if let Some(practice) = self.practice.borrow_mut().take() {
            practice.stop();
        }
    }
}
