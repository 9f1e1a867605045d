//! Between the page and the feature. Being wired.

use std::rc::Rc;

use crate::ui::MainWindow;
use crate::window::Desk;

/// Connects the page's callbacks.
pub fn connect(_window: &MainWindow, _desk: &Rc<Desk>) {}

/// Fills the page with what is true now.
pub fn refresh(_desk: &Rc<Desk>) {}
