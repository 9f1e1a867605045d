//! Deadline rules (T-01 …) and working-day calendars with 调休.
//!
//! A calendar is one signed table per year; a year without a table is never guessed.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// How a period is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineUnit {
    /// Hours of the clock, holidays included.
    ClockHours,
    /// Natural days; the last one moves off a holiday.
    NaturalDays,
    /// Working days, 调休 respected.
    WorkingDays,
    /// Calendar months.
    Months,
    /// Calendar years.
    Years,
}

/// One period the law sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineRule {
    /// `T-04`; variants of a domain carry a suffix, `T-02-cg`.
    pub id: String,
    /// What starts it and what must be done by its end.
    pub name: String,
    /// How many units.
    pub length: u32,
    /// Of what.
    pub unit: DeadlineUnit,
    /// The article.
    pub basis: String,
    /// Whether the end stays where it is when it falls on a holiday: limitation and periods in
    /// the party's favor do, performance periods move to the next working day.
    #[serde(default)]
    pub fixed_end: bool,
    /// Days before the end from which the officer is reminded.
    #[serde(default)]
    pub remind_days_before: u32,
}

/// One year's holidays and swapped working days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkCalendar {
    /// The year.
    pub year: i32,
    /// Whose notice it is, or that it is a practice calendar.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Days off, weekends within holidays may be listed too.
    pub holidays: Vec<NaiveDate>,
    /// Saturdays and Sundays that are worked.
    pub working_weekends: Vec<NaiveDate>,
}
