//! Age in full years (周岁), as the law counts it.
//!
//! A year of age is full on the day after the birthday, so a birthday itself still belongs to the
//! year before (最高人民法院法释〔2006〕1号第二条, by analogy).

use chrono::{Datelike, NaiveDate};

/// Returns the full years of age on `on`; `None` if that is before birth.
#[must_use]
pub fn years_on(born_on: NaiveDate, on: NaiveDate) -> Option<u32> {
    if on < born_on {
        return None;
    }
    let years = on.year().saturating_sub(born_on.year());
    let birthday = birthday_in(born_on, on.year())?;
    let full = if on > birthday { years } else { years.saturating_sub(1) };
    u32::try_from(full.max(0)).ok()
}

/// Returns whether the person has reached `age` on `on`.
#[must_use]
pub fn has_reached(born_on: NaiveDate, age: u32, on: NaiveDate) -> bool {
    years_on(born_on, on).is_some_and(|years| years >= age)
}

/// The birthday in `year`; 29 February falls on the month's last day in common years.
fn birthday_in(born_on: NaiveDate, year: i32) -> Option<NaiveDate> {
    // 《民法典》第二百零二条: 没有对应日的, 月末日为期间的最后一日.
    born_on.with_year(year).or_else(|| NaiveDate::from_ymd_opt(year, 2, 28))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    /// Field case 17: 《行政处罚法》第三十条, 生日当天仍未满十四周岁.
    #[test]
    fn the_fourteenth_birthday_itself_counts_as_under_fourteen() {
        let born = day(2012, 11, 24);
        assert_eq!(years_on(born, day(2026, 11, 24)), Some(13));
        assert_eq!(years_on(born, day(2026, 11, 25)), Some(14));
        assert!(!has_reached(born, 14, day(2026, 11, 24)));
        assert!(has_reached(born, 14, day(2026, 11, 25)));
    }

    #[test]
    fn a_leap_day_birthday_falls_on_the_last_of_february() {
        let born = day(2012, 2, 29);
        assert_eq!(years_on(born, day(2026, 2, 28)), Some(13));
        assert_eq!(years_on(born, day(2026, 3, 1)), Some(14));
        assert_eq!(years_on(born, day(2028, 2, 29)), Some(15));
        assert_eq!(years_on(born, day(2028, 3, 1)), Some(16));
    }

    #[test]
    fn the_day_of_birth_is_age_zero_and_the_day_before_is_no_age() {
        let born = day(2026, 1, 1);
        assert_eq!(years_on(born, born), Some(0));
        assert_eq!(years_on(born, day(2025, 12, 31)), None);
        assert_eq!(years_on(NaiveDate::MIN, NaiveDate::MAX), Some(524_285));
    }
}
