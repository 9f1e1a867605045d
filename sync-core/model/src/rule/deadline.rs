//! Deadlines: when a period of the law ends, or that it cannot be computed.
//!
//! The day of the trigger is not counted. A period that ends on a holiday ends on the next working
//! day, unless its end is fixed. A year without its signed calendar is never guessed.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::money::Fen;
use crate::rulebook::Rulebook;
use crate::rulebook::calendar::{DeadlineRule, DeadlineUnit};
use crate::time::Timestamp;

/// Longest run of days off that can be real; a calendar beyond it is broken.
const DAYS_OFF_MAX: u32 = 60;
/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// Why a deadline is shown as not computable (无法计算).
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotComputable {
    /// The year's calendar is not in the rulebook.
    #[error("未载入{0}年工作日历，期限无法计算，请联网更新规则库")]
    NoCalendar(i32),
    /// The rulebook has no such rule.
    #[error("规则库中没有期限规则{0}，请联网更新规则库")]
    UnknownRule(String),
    /// The rule counts hours; ask [`due_at`].
    #[error("期限规则{0}按小时计算")]
    CountsHours(String),
    /// The date does not exist in this calendar.
    #[error("期限超出可计算的范围")]
    OutOfRange,
}

/// Returns the last day of the period that `rule_id` sets, triggered on `start`.
///
/// # Errors
///
/// [`NotComputable`] says what is missing.
pub fn due_on(
    rule_id: &str,
    start: NaiveDate,
    rulebook: &Rulebook,
) -> Result<NaiveDate, NotComputable> {
    let rule = find(rule_id, rulebook)?;
    let length = rule.length;
    let out_of_range = NotComputable::OutOfRange;
    let end = match rule.unit {
        DeadlineUnit::ClockHours => return Err(NotComputable::CountsHours(rule.id.clone())),
        // 《行政处罚法》第八十五条: “二日”“三日”“五日”“七日”的规定是指工作日, 不含法定节假日.
        DeadlineUnit::WorkingDays => return add_working_days(start, length, rulebook),
        DeadlineUnit::NaturalDays => start.checked_add_days(Days::new(u64::from(length))),
        DeadlineUnit::Months => start.checked_add_months(Months::new(length)),
        DeadlineUnit::Years => {
            length.checked_mul(12).and_then(|months| start.checked_add_months(Months::new(months)))
        }
    }
    .ok_or(out_of_range)?;
    if rule.fixed_end {
        return Ok(end);
    }
    // 《民事诉讼法》第八十五条: 期间届满的最后一日是法定休假日的, 以法定休假日后的第一日为届满的日期.
    first_working_day(end, rulebook)
}

/// Returns the instant at which the period ends: hours to the minute, days at their last midnight.
///
/// # Errors
///
/// [`NotComputable`] says what is missing.
pub fn due_at(
    rule_id: &str,
    start: Timestamp,
    rulebook: &Rulebook,
) -> Result<Timestamp, NotComputable> {
    let rule = find(rule_id, rulebook)?;
    if rule.unit == DeadlineUnit::ClockHours {
        return Ok(start.plus_ms(i64::from(rule.length).saturating_mul(HOUR_MS)));
    }
    let due = due_on(rule_id, start.legal_date(), rulebook)?;
    let next = due.succ_opt().ok_or(NotComputable::OutOfRange)?;
    Ok(Timestamp::start_of(next).plus_ms(-1))
}

/// Returns whether `day` is worked.
///
/// # Errors
///
/// [`NotComputable::NoCalendar`] if the year's calendar is missing.
pub fn is_working_day(day: NaiveDate, rulebook: &Rulebook) -> Result<bool, NotComputable> {
    let year = day.year();
    let calendar = rulebook.calendars.iter().find(|calendar| calendar.year == year);
    let calendar = calendar.ok_or(NotComputable::NoCalendar(year))?;
    // 国务院办公厅的节假日安排 swaps weekends for working days (调休).
    if calendar.working_weekends.contains(&day) {
        return Ok(true);
    }
    let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    Ok(!weekend && !calendar.holidays.contains(&day))
}

/// Returns the surcharge (加处罚款) after `days_late` days; never more than the fine.
#[must_use]
pub fn surcharge(fine: Fen, days_late: u32) -> Fen {
    // 《行政处罚法》第七十二条第一款第一项: 每日按罚款数额的百分之三, 不得超出罚款的数额.
    let percent = i64::from(days_late).saturating_mul(3).min(100);
    fine.percent(percent).map_or(fine, |surcharge| surcharge.min(fine))
}

fn find<'a>(rule_id: &str, rulebook: &'a Rulebook) -> Result<&'a DeadlineRule, NotComputable> {
    let rule = rulebook.deadlines.iter().find(|rule| rule.id == rule_id);
    rule.ok_or_else(|| NotComputable::UnknownRule(rule_id.to_owned()))
}

fn add_working_days(
    start: NaiveDate,
    length: u32,
    rulebook: &Rulebook,
) -> Result<NaiveDate, NotComputable> {
    let mut day = start;
    for _ in 0..length {
        let next = day.succ_opt().ok_or(NotComputable::OutOfRange)?;
        day = first_working_day(next, rulebook)?;
    }
    Ok(day)
}

fn first_working_day(from: NaiveDate, rulebook: &Rulebook) -> Result<NaiveDate, NotComputable> {
    let mut day = from;
    for _ in 0..DAYS_OFF_MAX {
        if is_working_day(day, rulebook)? {
            return Ok(day);
        }
        day = day.succ_opt().ok_or(NotComputable::OutOfRange)?;
    }
    Err(NotComputable::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::sample::{at, day, rulebook};

    /// 《行政处罚法》第五十六条、第八十五条; field case 25: over National Day, with 调休.
    #[test]
    fn preservation_over_national_day_counts_swapped_days() {
        let table = [
            // Tuesday to Thursday of the next week.
            (day(2026, 11, 24), day(2026, 12, 3)),
            // 28, 29, 30 September, 8 and 9 October, Saturday 10 October is worked, 12 October.
            (day(2026, 9, 24), day(2026, 10, 12)),
            // Sunday 20 September is worked.
            (day(2026, 9, 18), day(2026, 9, 29)),
            (day(2026, 9, 30), day(2026, 10, 15)),
        ];
        for (start, due) in table {
            assert_eq!(due_on("T-04", start, &rulebook()), Ok(due), "{start}");
        }
    }

    /// 《行政处罚法》第六十七条; 《民事诉讼法》第八十五条.
    #[test]
    fn a_natural_period_that_ends_on_a_holiday_moves_to_the_next_working_day() {
        let rulebook = rulebook();
        assert_eq!(due_on("T-09", day(2026, 11, 24), &rulebook), Ok(day(2026, 12, 9)));
        // 25 September is 中秋; 25 to 27 are off.
        assert_eq!(due_on("T-09", day(2026, 9, 10), &rulebook), Ok(day(2026, 9, 28)));
        // Saturday 10 October is worked, so the period ends on it.
        assert_eq!(due_on("T-09", day(2026, 9, 25), &rulebook), Ok(day(2026, 10, 10)));
        // Seizure ends on its day, in the owner's favor.
        assert_eq!(due_on("T-11", day(2026, 9, 1), &rulebook), Ok(day(2026, 10, 1)));
    }

    /// No calendar for 2027 in this rulebook: shown as not computable.
    #[test]
    fn a_year_without_calendar_is_not_computable() {
        let rulebook = rulebook();
        let missing = Err(NotComputable::NoCalendar(2027));
        assert_eq!(due_on("T-04", day(2026, 12, 25), &rulebook), missing);
        assert_eq!(due_on("T-09", day(2026, 12, 20), &rulebook), missing);
        assert_eq!(due_on("T-13", day(2026, 11, 24), &rulebook), missing);
        let unknown = Err(NotComputable::UnknownRule("T-99".to_owned()));
        assert_eq!(due_on("T-99", day(2026, 1, 1), &rulebook), unknown);
        assert!(due_on("T-01", day(2026, 1, 1), &rulebook).is_err());
        assert_eq!(due_on("T-05", NaiveDate::MAX, &rulebook), Err(NotComputable::OutOfRange));
    }

    /// 《行政强制法》第十九条: 二十四小时内.
    #[test]
    fn hours_run_through_nights_and_days_end_at_midnight() {
        let rulebook = rulebook();
        let start = at(16, 30);
        assert_eq!(due_at("T-01", start, &rulebook), Ok(start.plus_ms(24 * HOUR_MS)));
        let end = due_at("T-03", start, &rulebook).unwrap();
        assert_eq!(end.plus_ms(1), Timestamp::start_of(day(2026, 11, 27)));
    }

    /// 《行政处罚法》第三十六条: limitation needs no calendar and moves off no holiday.
    #[test]
    fn limitation_ends_on_its_date() {
        assert_eq!(due_on("T-17", day(2026, 2, 28), &rulebook()), Ok(day(2028, 2, 28)));
        assert_eq!(due_on("T-17", day(2024, 2, 29), &rulebook()), Ok(day(2026, 2, 28)));
        assert_eq!(due_on("T-17-harm", day(2026, 5, 1), &rulebook()), Ok(day(2031, 5, 1)));
    }

    /// 《行政处罚法》第七十二条.
    #[test]
    fn the_surcharge_never_exceeds_the_fine() {
        for (days, surcharge_fen) in
            [(0, 0), (1, 600), (33, 19_800), (34, 20_000), (4_000_000_000, 20_000)]
        {
            assert_eq!(surcharge(Fen(20_000), days), Fen(surcharge_fen), "{days}");
        }
    }

    /// Every rule of `domain` §1.4 stands in the sample.
    #[test]
    fn all_seventeen_rules_are_data() {
        let rulebook = rulebook();
        for number in 1..=17 {
            let id = format!("T-{number:02}");
            assert!(find(&id, &rulebook).is_ok(), "{id}");
        }
    }
}
