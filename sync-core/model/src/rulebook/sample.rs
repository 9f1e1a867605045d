//! The practice rulebook (演练) for the tests of this crate.
//!
//! Tests name matters by these constants, so a renumbered list breaks the build and not the sense.

use chrono::NaiveDate;

use super::Rulebook;
use crate::time::Timestamp;

/// Registration card not on display: 50 yuan, 200 after refusal.
pub(crate) const DISPLAY: &str = "330231801000";
/// No health certificate: 300 to 500 yuan, beyond a citizen's cap.
pub(crate) const HEALTH: &str = "330231802000";
/// Prices not marked: up to 5,000 yuan, two editions of the benchmark.
pub(crate) const PRICE: &str = "330231803000";
/// Purchases not inspected: a warning first.
pub(crate) const PURCHASE: &str = "330231804000";
/// A stall in a public place: up to 50 yuan; the town lost it on 31 October 2026.
pub(crate) const STALL: &str = "330217101000";
/// Littering and dumping: 20 to 50 or 100 to 500 yuan.
pub(crate) const CLEAN: &str = "330217102000";
/// Unsorted waste: up to 200 yuan for a person, 500 to 5,000 for an organization.
pub(crate) const WASTE: &str = "330217104000";
/// A blocked exit: 5,000 to 50,000 yuan for an organization.
pub(crate) const EXIT: &str = "330295101000";
/// Inspection of small food businesses.
pub(crate) const FOOD_INSPECTION: &str = "330631801000";
/// Inspection of registered particulars.
pub(crate) const REGISTRATION_INSPECTION: &str = "330631803000";
/// 北山街道
pub(crate) const TOWN: &str = "330106002";

/// Returns the sample.
pub(crate) fn rulebook() -> Rulebook {
    let text = include_str!("../../../../assets/rulebook/sample.json");
    serde_json::from_str(text).expect("sample rulebook")
}

/// Returns a legal date.
pub(crate) fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("date")
}

/// Returns `hour:minute` of 24 November 2026 in Shanghai.
pub(crate) fn at(hour: i64, minute: i64) -> Timestamp {
    Timestamp::start_of(day(2026, 11, 24)).plus_ms((hour * 60 + minute) * 60_000)
}

/// The wire between HQ and devices carries CBOR, counsel edits JSON.
#[test]
fn the_sample_reads_the_same_from_json_and_from_cbor() {
    let rulebook = rulebook();
    let mut bytes = Vec::new();
    ciborium::into_writer(&rulebook, &mut bytes).unwrap();
    let again: Rulebook = ciborium::from_reader(bytes.as_slice()).unwrap();
    assert_eq!(again, rulebook);
}
