//! A code as modules: dark or light, with the quiet zone that scanners need.
//!
//! Digits behind `#` get the numeric mode, which takes ten bits for three of them; the address before
//! them stays as it is.

use qrcodegen::{QrCode, QrCodeEcc, QrSegment};

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
    let code = encode(text)?;
    let side = code.size() + 2 * QUIET_ZONE;
    let dark = (0..side)
        .flat_map(|y| (0..side).map(move |x| (x, y)))
        .map(|(x, y)| code.get_module(x - QUIET_ZONE, y - QUIET_ZONE))
        .collect();
    Ok(QrModules { side: u32::try_from(side).unwrap_or(0), dark })
}

fn encode(text: &str) -> Result<QrCode, AppError> {
    QrCode::encode_segments(&segments(text), QrCodeEcc::Low)
        .map_err(|_| AppError::NotFound("room in a code"))
}

/// Returns each part of the text in the tightest mode that holds it.
fn segments(text: &str) -> Vec<QrSegment> {
    match text.rsplit_once('#') {
        Some((address, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let mut parts = QrSegment::make_segments(&format!("{address}#"));
            parts.extend(QrSegment::make_segments(digits));
            parts
        }
        _ => QrSegment::make_segments(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quiet_zone_is_light_and_the_finder_is_dark() {
        let code = qr("https://hq.example/c#0123").unwrap();
        let at = |x: usize, y: usize| code.dark[y * code.side as usize + x];
        assert!(!at(0, 0) && !at(3, 3));
        assert!(at(4, 4) && at(10, 4));
    }

    #[test]
    fn two_officers_and_a_long_address_fit_version_21() {
        // 820 bytes are two officers with long names; the model's tests hold it to that.
        let digits = "0".repeat(820_usize.div_ceil(7) * 17);
        let address = "https://zhifa.xihu.hangzhou.example.gov.cn/c#";
        let version = encode(&format!("{address}{digits}")).unwrap().version().value();
        assert!(version <= 21, "version {version}");
        // As one byte segment the same text needs many more modules.
        let plain = QrSegment::make_bytes(format!("{address}{digits}").as_bytes());
        let plain = QrCode::encode_segments(&[plain], QrCodeEcc::Low).unwrap();
        assert!(plain.version().value() > version + 8);
    }

    #[test]
    fn text_without_digits_is_a_code_too() {
        assert!(qr("巡证").is_ok());
        assert!(qr("https://hq.example/#top").is_ok());
    }
}
