//! Draws every page with sample content to PNG files, without a display.
//!
//! Rule: a scene only sets what an adapter may set, so a picture shows nothing the real
//! pages could not show. It runs on a thread of its own, because Slint knows one platform
//! a thread and the caller may already have a window.

mod picture;
mod scene;
#[cfg(test)]
mod tests;

use crate::credential::adapter::picture as picture_of;
use crate::credential::qr;
use crate::ui::{CredentialAdapter, MainWindow, Theme, ThemeKind};
use i_slint_backend_testing::{TestingBackend, TestingBackendOptions, mock_elapsed_time};
use slint::{ComponentHandle, PhysicalSize, PlatformError, platform::SetPlatformError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why pictures could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ScreenshotError {
    /// Slint could not open or draw a window.
    #[error("window: {0}")]
    Window(#[from] PlatformError),
    /// The folder could not be made.
    #[error("folder {0}: {1}")]
    Folder(PathBuf, std::io::Error),
    /// A picture could not be written.
    #[error("picture {0}: {1}")]
    Picture(PathBuf, image::ImageError),
    /// The text fits no code.
    #[error("the text does not fit a code")]
    Code,
    /// The drawing thread died.
    #[error("drawing stopped before the last page")]
    Stopped,
}

/// How a picture is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// 日间, 户外 or 夜间.
    pub theme: ThemeKind,
    /// Large-text factor, 1.0 is normal.
    pub text_factor: f32,
}

/// Which scenes are drawn, and with what.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice<'a> {
    /// Only the scene of this name.
    pub only: Option<&'a str>,
    /// Text of the code on the credential pages, drawn as the handheld draws it.
    pub code: Option<&'a str>,
}

/// Writes one PNG a scene into `out` and returns their paths in the order of a day.
///
/// # Errors
/// When the folder or a file cannot be written, or a window cannot be drawn.
pub fn run(
    out: &Path,
    width: u32,
    height: u32,
    theme: ThemeKind,
    scale: f32,
    choice: Choice<'_>,
) -> Result<Vec<PathBuf>, ScreenshotError> {
    std::fs::create_dir_all(out).map_err(|e| ScreenshotError::Folder(out.to_owned(), e))?;
    let look = Look { width, height, theme, text_factor: scale };
    std::thread::scope(|scope| {
        scope.spawn(|| draw_all(out, look, choice)).join().unwrap_or(Err(ScreenshotError::Stopped))
    })
}

fn draw_all(out: &Path, look: Look, choice: Choice<'_>) -> Result<Vec<PathBuf>, ScreenshotError> {
    let mut paths = Vec::new();
    for scene in scene::SCENES {
        if choice.only.is_some_and(|only| only != scene.name) {
            continue;
        }
        let window = open(look)?;
        (scene.set)(&window);
        if let Some(code) = choice.code {
            let modules = qr(code).map_err(|_| ScreenshotError::Code)?;
            window.global::<CredentialAdapter<'_>>().set_qr(picture_of(&modules));
        }
        // Change callbacks and animations run when time passes.
        mock_elapsed_time(Duration::from_millis(300));
        let pixels = window.window().take_snapshot()?;
        let path = out.join(format!("{:02}-{}.png", paths.len() + 1, scene.name));
        image::save_buffer(
            &path,
            pixels.as_bytes(),
            pixels.width(),
            pixels.height(),
            image::ColorType::Rgba8,
        )
        .map_err(|e| ScreenshotError::Picture(path.clone(), e))?;
        paths.push(path);
    }
    Ok(paths)
}

/// Opens a window of that look on this thread's headless platform.
fn open(look: Look) -> Result<MainWindow, PlatformError> {
    let backend = TestingBackend::new(TestingBackendOptions {
        mock_time: true,
        threading: false,
        renderer_name: Some("software".into()),
    });
    match slint::platform::set_platform(Box::new(backend)) {
        // The thread's first window has set it.
        Ok(()) | Err(SetPlatformError::AlreadySet) => {}
        Err(error) => return Err(PlatformError::Other(error.to_string())),
    }
    let window = MainWindow::new()?;
    window.window().set_size(PhysicalSize::new(look.width, look.height));
    let theme = window.global::<Theme>();
    theme.set_kind(look.theme);
    theme.set_text_factor(look.text_factor);
    window.show()?;
    mock_elapsed_time(Duration::from_millis(100));
    Ok(window)
}
