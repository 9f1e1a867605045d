//! How this device's screen looks; kept beside the drafts, since it is no legal act.

use crate::error::AppError;
use crate::services::Services;

/// Where it is kept.
const SCOPE: &str = "settings";

/// 标准, 大字, 特大.
pub const TEXT_FACTORS: [f32; 3] = [1.0, 1.15, 1.3];

/// Places among the page's choices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// 日间, 户外, 夜间.
    pub theme: usize,
    /// Place in [`TEXT_FACTORS`].
    pub text_size: usize,
}

/// Returns how the screen looks.
///
/// # Errors
/// [`AppError::Store`].
pub fn load_look(services: &Services) -> Result<Look, AppError> {
    let rows = services.store.read(|reader| reader.draft(SCOPE))?;
    let place = |field: &str| {
        let row = rows.iter().find(|row| row.field == field);
        row.and_then(|row| row.value.parse().ok()).unwrap_or_default()
    };
    Ok(Look { theme: place("theme"), text_size: place("text_size") })
}

/// Keeps the chosen theme.
///
/// # Errors
/// [`AppError::Store`].
pub fn save_theme(services: &Services, place: usize) -> Result<(), AppError> {
    services.store.save_draft(SCOPE, "theme", &place.to_string())?;
    Ok(())
}

/// Keeps the chosen text size.
///
/// # Errors
/// [`AppError::Store`].
pub fn save_text_size(services: &Services, place: usize) -> Result<(), AppError> {
    services.store.save_draft(SCOPE, "text_size", &place.to_string())?;
    Ok(())
}
