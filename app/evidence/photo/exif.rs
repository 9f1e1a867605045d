//! Reads what the camera wrote about a picture, and says what of it cannot be believed.
//!
//! Values are reported as written: a time stays the camera's text, a position is converted to
//! fixed point and nothing else. A damaged block gives up its readable fields and a problem each
//! for the others; a picture without EXIF has no problem.

use std::io::Cursor;

use ::exif::{Error, Exif, In, Rational, Reader, Tag, Value};

/// Longest text kept of a field; makers write names, attackers write novels.
const TEXT_CHARS_MAX: usize = 64;

/// Most problems kept of one file.
const PROBLEMS_MAX: usize = 16;

/// What EXIF says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExifFacts {
    /// `DateTimeOriginal` as written by the camera; its clock is nobody's evidence.
    pub taken_text: Option<String>,
    /// Maker of the camera.
    pub make: Option<String>,
    /// Model of the camera.
    pub model: Option<String>,
    /// Position, when latitude and longitude are both sound.
    pub gps: Option<GpsPosition>,
    /// 1 to 8; 1 when absent or out of range.
    pub orientation: u8,
    /// What is damaged, in English for the record.
    pub problems: Vec<String>,
}

/// A position written by the camera, in the datum the camera used (nearly always WGS 84).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpsPosition {
    /// Degrees north, in 1e-7.
    pub latitude_e7: i64,
    /// Degrees east, in 1e-7.
    pub longitude_e7: i64,
    /// Above sea level.
    pub altitude_mm: Option<i64>,
}

/// Reads the EXIF block of a JPEG or PNG.
pub(super) fn read(bytes: &[u8], complete: bool) -> ExifFacts {
    let mut facts = ExifFacts {
        taken_text: None,
        make: None,
        model: None,
        gps: None,
        orientation: 1,
        problems: Vec::new(),
    };
    let read = Reader::new()
        .continue_on_error(true)
        .read_from_container(&mut Cursor::new(bytes))
        .or_else(|error| {
            error.distill_partial_result(|errors| {
                facts.problems.extend(errors.iter().map(ToString::to_string));
            })
        });
    match read {
        Ok(exif) => facts.collect(&exif),
        Err(Error::NotFound(_)) => {}
        // A file that ends before its EXIF is truncated, which is said already.
        Err(Error::Io(_)) if !complete => {}
        Err(Error::InvalidFormat(
            "Broken JPEG file" | "Broken PNG file" | "Unknown image format",
        )) if !complete => {}
        Err(error) => facts.problems.push(error.to_string()),
    }
    facts.problems.dedup();
    facts.problems.truncate(PROBLEMS_MAX);
    facts
}

impl ExifFacts {
    fn collect(&mut self, exif: &Exif) {
        self.taken_text = self.text(exif, Tag::DateTimeOriginal, "DateTimeOriginal");
        self.make = self.text(exif, Tag::Make, "Make");
        self.model = self.text(exif, Tag::Model, "Model");
        if let Some(field) = exif.get_field(Tag::Orientation, In::PRIMARY) {
            match field.value.get_uint(0).and_then(|value| u8::try_from(value).ok()) {
                Some(value @ 1..=8) => self.orientation = value,
                _ => self.problems.push("Orientation is not 1 to 8".to_owned()),
            }
        }
        match position(exif) {
            Ok(gps) => self.gps = gps,
            Err(problem) => self.problems.push(problem.to_owned()),
        }
    }

    fn text(&mut self, exif: &Exif, tag: Tag, name: &str) -> Option<String> {
        let field = exif.get_field(tag, In::PRIMARY)?;
        let Value::Ascii(parts) = &field.value else {
            self.problems.push(format!("{name} is not text"));
            return None;
        };
        let written = String::from_utf8_lossy(parts.first()?);
        let text: String = written
            .trim_matches(|c: char| c == '\0' || c.is_whitespace())
            .chars()
            .take(TEXT_CHARS_MAX)
            .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
            .collect();
        if text.contains(char::REPLACEMENT_CHARACTER) {
            self.problems.push(format!("{name} has unreadable characters"));
        }
        Some(text).filter(|text| !text.is_empty())
    }
}

fn position(exif: &Exif) -> Result<Option<GpsPosition>, &'static str> {
    let latitude = exif.get_field(Tag::GPSLatitude, In::PRIMARY);
    let longitude = exif.get_field(Tag::GPSLongitude, In::PRIMARY);
    let (latitude, longitude) = match (latitude, longitude) {
        (None, None) => return Ok(None),
        (Some(latitude), Some(longitude)) => (&latitude.value, &longitude.value),
        _ => return Err("GPS position has one coordinate only"),
    };
    let north = hemisphere(exif, Tag::GPSLatitudeRef, b'N', b'S')?;
    let east = hemisphere(exif, Tag::GPSLongitudeRef, b'E', b'W')?;
    Ok(Some(GpsPosition {
        latitude_e7: north * degrees_e7(latitude, 90).ok_or("GPSLatitude is no angle")?,
        longitude_e7: east * degrees_e7(longitude, 180).ok_or("GPSLongitude is no angle")?,
        altitude_mm: altitude_mm(exif),
    }))
}

fn hemisphere(exif: &Exif, tag: Tag, plus: u8, minus: u8) -> Result<i64, &'static str> {
    let letter = exif.get_field(tag, In::PRIMARY).and_then(|field| match &field.value {
        Value::Ascii(parts) => parts.first()?.first().copied(),
        _ => None,
    });
    match letter {
        Some(letter) if letter == plus => Ok(1),
        Some(letter) if letter == minus => Ok(-1),
        _ => Err("GPS position lacks its hemisphere"),
    }
}

/// Returns degrees, minutes and seconds as 1e-7 degrees, or nothing beyond `degrees_max`.
fn degrees_e7(value: &Value, degrees_max: i64) -> Option<i64> {
    let parts = unsigned(value)?;
    if parts.is_empty() || parts.len() > 3 {
        return None;
    }
    // A camera without a fix writes 0/0: that is no angle, not zero degrees.
    let mut total_e10: u128 = 0;
    for (part, divisor) in parts.into_iter().zip([1u128, 60, 3600]) {
        total_e10 += scaled(part, 10_000_000_000, divisor)?;
    }
    let total = i64::try_from((total_e10 + 500) / 1000).ok()?;
    (total <= degrees_max * 10_000_000).then_some(total)
}

fn altitude_mm(exif: &Exif) -> Option<i64> {
    let field = exif.get_field(Tag::GPSAltitude, In::PRIMARY)?;
    let parts = unsigned(&field.value)?;
    let height = i64::try_from(scaled(*parts.first()?, 1000, 1)?).ok()?;
    let below = exif
        .get_field(Tag::GPSAltitudeRef, In::PRIMARY)
        .and_then(|field| field.value.get_uint(0))
        .is_some_and(|reference| reference == 1);
    Some(if below { -height } else { height })
}

/// Returns the parts of a value; some phones write positive numbers with a sign bit.
fn unsigned(value: &Value) -> Option<Vec<Rational>> {
    match value {
        Value::Rational(parts) => Some(parts.clone()),
        Value::SRational(parts) => parts
            .iter()
            .map(|part| {
                let (num, denom) = (u32::try_from(part.num), u32::try_from(part.denom));
                Some(Rational { num: num.ok()?, denom: denom.ok()? })
            })
            .collect(),
        _ => None,
    }
}

/// Returns `part` × `factor` / `divisor`, rounded down.
fn scaled(part: Rational, factor: u128, divisor: u128) -> Option<u128> {
    let denominator = u128::from(part.denom) * divisor;
    (u128::from(part.num) * factor).checked_div(denominator)
}
