//! A code as modules: dark or light, with the quiet zone that scanners need.

use qrcodegen::{QrCode, QrCodeEcc};

use crate::error::AppError;

/// Light modules around the code (ISO/IEC 18004).
const QUIET_ZONE: i32 = 4;

/// A square of modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrModules {
    /// Modules on a side, quiet zone included.
    pub side: u32,
    /// Row by row; true is dark.
    pub dark: Vec<bool>,
}

/// Returns the code of `text` with low error correction: a screen has no dirt, and fewer modules read from farther.
///
/// # Errors
/// [`AppError::NotFound`] if the text does not fit the largest code.
pub fn qr(text: &str) -> Result<QrModules, AppError> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low)
        .map_err(|_| AppError::NotFound("room in a code"))?;
    let side = code.size() + 2 * QUIET_ZONE;
    let dark = (0..side)
        .flat_map(|y| (0..side).map(move |x| (x, y)))
        .map(|(x, y)| code.get_module(x - QUIET_ZONE, y - QUIET_ZONE))
        .collect();
    Ok(QrModules { side: u32::try_from(side).unwrap_or(0), dark })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quiet_zone_is_light_and_the_finder_is_dark() {
        let code = qr("XZ1:test").unwrap();
        let at = |x: usize, y: usize| code.dark[y * code.side as usize + x];
        assert!(!at(0, 0) && !at(3, 3));
        assert!(at(4, 4) && at(10, 4));
    }
}
