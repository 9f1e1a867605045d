//! An officer's hands on the window: presses by what a control says, types, draws with the pointer.
//!
//! The window is the product's, on Slint's headless platform; the store below it is real.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use i_slint_backend_testing::{
    AccessibleRole, ElementHandle, ElementQuery, TestingBackend, TestingBackendOptions,
    mock_elapsed_time,
};
use slint::platform::{PointerEventButton, SetPlatformError, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, PhysicalSize};
use sync_model::id::InspectionId;
use xunzheng::services::Services;
use xunzheng::session;
use xunzheng::ui::{App, MainWindow, Page};
use xunzheng::window::{Desk, Work, connect};

use super::world::{World, ok};

/// The window of one device, with both officers unlocked.
pub struct Hands<'a> {
    pub window: MainWindow,
    pub desk: Rc<Desk>,
    world: &'a World,
}

impl<'a> Hands<'a> {
    /// Opens the window on the first device of `world`, whose program has stopped.
    pub fn open(world: &'a World) -> Self {
        let services = ok(world.devices[0].open());
        for one in &world.devices[0].codes.officers {
            ok(session::unlock(&services, one.officer, &one.pin));
        }
        Self::on(world, services)
    }

    /// Opens the window as it comes up after a start: nobody is unlocked.
    pub fn open_locked(world: &'a World) -> Self {
        Self::on(world, ok(world.devices[0].open()))
    }

    fn on(world: &'a World, services: Services) -> Self {
        let backend = TestingBackend::new(TestingBackendOptions {
            mock_time: true,
            threading: false,
            renderer_name: Some("software".into()),
        });
        match slint::platform::set_platform(Box::new(backend)) {
            Ok(()) | Err(SetPlatformError::AlreadySet) => {}
            Err(error) => panic!("{error}"),
        }
        let window = MainWindow::new().unwrap();
        // Tall enough for every page: what lies below the fold is not there for a query.
        window.window().set_size(PhysicalSize::new(720, 6000));
        let desk = connect(&window, services, Work::Inline);
        window.show().unwrap();
        mock_elapsed_time(Duration::from_millis(100));
        Self { window, desk, world }
    }

    /// The program goes in the middle of whatever it was doing.
    pub fn pull_battery(self) {
        self.window.hide().unwrap();
    }

    /// Works on a visit and shows a page of it.
    pub fn go(&self, inspection: InspectionId, page: Page) {
        self.desk.set_at(|at| at.inspection = Some(inspection));
        self.desk.show(page);
        self.settle();
    }

    /// Lets change callbacks run.
    pub fn settle(&self) {
        mock_elapsed_time(Duration::from_millis(50));
    }

    /// Lets time pass in front of the page, second by second.
    pub fn wait_s(&self, seconds: u64) {
        for _ in 0..seconds {
            self.world.clock.advance_ms(1_000);
            mock_elapsed_time(Duration::from_secs(1));
        }
    }

    pub fn page(&self) -> Page {
        self.window.global::<App<'_>>().get_page()
    }

    /// Returns what was last told.
    pub fn told(&self) -> String {
        let app = self.window.global::<App<'_>>();
        format!("{} {}", app.get_toast_text(), app.get_toast_detail())
    }

    /// Returns the control that says `label`; panics with what is there.
    pub fn find(&self, label: &str) -> ElementHandle {
        let mut found: Vec<_> =
            ElementHandle::find_by_accessible_label(&self.window, label).collect();
        // A heading may say the same as a control.
        found.sort_by_key(|one| matches!(one.accessible_role(), Some(AccessibleRole::Text) | None));
        found.into_iter().next().unwrap_or_else(|| {
            panic!("no control “{label}” among {:?}; told: {}", self.labels(), self.told())
        })
    }

    /// Returns what can be read or pressed now.
    fn labels(&self) -> BTreeSet<String> {
        let all = ElementQuery::from_root(&self.window).match_descendants().find_all();
        let labels = all.iter().filter_map(ElementHandle::accessible_label);
        labels.map(|label| label.to_string()).collect()
    }

    pub fn has(&self, label: &str) -> bool {
        ElementHandle::find_by_accessible_label(&self.window, label).next().is_some()
    }

    /// Presses a control that must be there and enabled.
    pub fn press(&self, label: &str) {
        let control = self.find(label);
        assert_ne!(control.accessible_enabled(), Some(false), "“{label}” is disabled");
        control.invoke_accessible_default_action();
        self.settle();
    }

    pub fn is_enabled(&self, label: &str) -> bool {
        self.find(label).accessible_enabled() != Some(false)
    }

    /// Types into a field; replaces what stood there.
    pub fn write(&self, label: &str, text: &str) {
        self.find(label).set_accessible_value(text);
        self.settle();
    }

    pub fn read(&self, label: &str) -> String {
        self.find(label).accessible_value().unwrap_or_default().to_string()
    }

    /// Draws two strokes on the pad with the pointer, 12 points each.
    pub fn draw(&self) {
        let pad = self.find("签名区");
        let (at, size) = (pad.absolute_position(), pad.size());
        for stroke in 0..2_u8 {
            let point = |step: u8| {
                let share = f32::from(step) / 12.0;
                LogicalPosition::new(
                    at.x + size.width * (0.1 + 0.35 * (f32::from(stroke) + share)),
                    at.y + size.height * (0.3 + 0.3 * (share * 9.0).sin().abs()),
                )
            };
            let button = PointerEventButton::Left;
            let window = self.window.window();
            window.dispatch_event(WindowEvent::PointerPressed { position: point(0), button });
            for step in 1..12 {
                self.world.clock.advance_ms(12);
                window.dispatch_event(WindowEvent::PointerMoved { position: point(step) });
            }
            window.dispatch_event(WindowEvent::PointerReleased { position: point(11), button });
            self.world.clock.advance_ms(150);
        }
        self.settle();
    }
}

impl Drop for Hands<'_> {
    fn drop(&mut self) {
        // A shown window keeps itself, its desk and the lock on the data folder.
        self.window.hide().ok();
    }
}
