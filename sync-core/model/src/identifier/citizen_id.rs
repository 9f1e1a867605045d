//! Citizen identity numbers (公民身份号码, GB 11643-1999).
//!
//! The first six digits may name an abolished county, so they are never compared with today's list.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::fold_code;
use crate::rule::Finding;

/// The standard, for findings.
const BASIS: &str = "GB 11643-1999《公民身份号码》";
/// Weights of the 17 digits.
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// Check characters by remainder.
const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
/// Nobody alive was born before.
const BIRTH_YEAR_MIN: i32 = 1880;

/// Sex as the 17th digit states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// 男
    Male,
    /// 女
    Female,
}

/// A number that passed every check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CitizenId {
    /// 18 characters, upper case.
    pub number: String,
    /// Date of birth.
    pub born_on: NaiveDate,
    /// Sex.
    pub sex: Sex,
    /// 81, 82, 83: residence permit (居住证) of a person from Hong Kong, Macao or Taiwan.
    pub is_residence_permit: bool,
}

impl CitizenId {
    /// Returns the number with birth date and serial covered, for screens and lists.
    #[must_use]
    pub fn masked(&self) -> String {
        let shown = |index: usize| index < 6 || index == 17;
        self.number.chars().enumerate().map(|(i, c)| if shown(i) { c } else { '*' }).collect()
    }
}

/// Checks a number; nobody is born after `today`.
///
/// # Errors
///
/// The finding that says what is wrong with it.
pub fn parse(text: &str, today: NaiveDate) -> Result<CitizenId, Finding> {
    let number = fold_code(text);
    let values: Vec<u32> = number.chars().take(17).filter_map(|c| c.to_digit(10)).collect();
    let check = number.chars().nth(17);
    if number.chars().count() != 18 || values.len() != 17 {
        return Err(wrong("公民身份号码应当是18位，前17位为数字，请对照证件重新录入"));
    }
    let sum: u32 = values.iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
    let expected = usize::try_from(sum % 11).ok().and_then(|index| CHECKS.get(index)).copied();
    if expected != check {
        return Err(wrong("公民身份号码校验位不符，可能有一位录错，请对照证件重新录入"));
    }
    let born_on =
        birth(&values).ok_or_else(|| wrong("公民身份号码中的出生日期不存在，请核对第7至14位"))?;
    if born_on > today || born_on.year() < BIRTH_YEAR_MIN {
        return Err(wrong("公民身份号码中的出生日期不合理，请核对第7至14位"));
    }
    let odd = values.last().is_some_and(|value| value % 2 == 1);
    let is_residence_permit = ["810000", "820000", "830000"].iter().any(|p| number.starts_with(p));
    let sex = if odd { Sex::Male } else { Sex::Female };
    Ok(CitizenId { number, born_on, sex, is_residence_permit })
}

fn birth(values: &[u32]) -> Option<NaiveDate> {
    let part = |from: usize, to: usize| {
        values.get(from..to).map(|digits| digits.iter().fold(0, |sum, digit| sum * 10 + digit))
    };
    NaiveDate::from_ymd_opt(i32::try_from(part(6, 10)?).ok()?, part(10, 12)?, part(12, 14)?)
}

fn wrong(message: &str) -> Finding {
    Finding::block("ID-CITIZEN", BASIS, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 24).unwrap()
    }

    /// GB 11643-1999.
    #[test]
    fn valid_numbers_give_birth_date_and_sex() {
        let id = parse("11010519491231002x", today()).unwrap();
        assert_eq!(id.number, "11010519491231002X");
        assert_eq!(id.born_on, NaiveDate::from_ymd_opt(1949, 12, 31).unwrap());
        assert_eq!(id.sex, Sex::Female);
        assert_eq!(id.masked(), "110105***********X");
        assert_eq!(parse("440524188001010014", today()).unwrap().sex, Sex::Male);
        let born = parse("330106201211243020", today()).unwrap().born_on;
        assert_eq!(born, NaiveDate::from_ymd_opt(2012, 11, 24).unwrap());
        assert!(parse("810000199001010019", today()).unwrap().is_residence_permit);
        assert!(parse(" 3301 0620 1211 2530 18 ", today()).is_ok());
    }

    /// GB 11643-1999: any one digit changed is found.
    #[test]
    fn every_single_wrong_digit_is_refused() {
        let valid: Vec<char> = "440524188001010014".chars().collect();
        for index in 0..18 {
            for digit in '0'..='9' {
                let mut changed = valid.clone();
                if changed[index] != digit {
                    changed[index] = digit;
                    let text: String = changed.into_iter().collect();
                    assert!(parse(&text, today()).is_err(), "{text}");
                }
            }
        }
    }

    #[test]
    fn impossible_and_future_birth_dates_are_refused() {
        for body in
            ["33010620230229301", "33010620271231301", "33010617000101301", "33010620261125301"]
        {
            let digits: Vec<u32> = body.chars().filter_map(|c| c.to_digit(10)).collect();
            let sum: u32 = digits.iter().zip(WEIGHTS).map(|(d, w)| d * w).sum();
            let text = format!("{body}{}", CHECKS[(sum % 11) as usize]);
            let finding = parse(&text, today()).unwrap_err();
            assert!(finding.message.contains("出生日期"), "{text}: {}", finding.message);
        }
    }
}
