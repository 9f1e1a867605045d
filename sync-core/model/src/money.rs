//! Money in fen, checked, with the text and the capitals (大写) that documents print.
//!
//! No float ever touches an amount; every operation that could overflow says so.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Capital digits, 零 to 玖.
const DIGITS: [&str; 10] = ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"];

/// An amount in fen (0.01 yuan).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Fen(pub i64);

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Returns whole yuan as fen, or `None` on overflow.
    #[must_use]
    pub fn from_yuan(yuan: i64) -> Option<Self> {
        yuan.checked_mul(100).map(Self)
    }

    /// Returns the sum, or `None` on overflow.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Returns the difference, or `None` on overflow.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Returns `percent` hundredths of the amount, rounded down to whole fen.
    #[must_use]
    pub fn percent(self, percent: i64) -> Option<Self> {
        self.0.checked_mul(percent).map(|product| Self(product.div_euclid(100)))
    }

    /// Returns the amount of `1,234.56`, `200`, `¥3,000.5` or full-width digits.
    ///
    /// `None` for anything else: empty, signs, three decimals, misplaced commas, overflow.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text: String = text.trim().chars().map(half_width).collect();
        let text = text.trim_start_matches(['¥', '￥']).trim_end_matches('元').trim();
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let decimals = match decimals.len() {
            1 => format!("{decimals}0"),
            2 => decimals.to_owned(),
            _ => return None,
        };
        let yuan = digits(&ungrouped(whole)?)?;
        Self::from_yuan(yuan)?.plus(Self(digits(&decimals)?))
    }

    /// Returns the capitals (大写) a decision prints after `人民币`.
    ///
    /// 《支付结算办法》附一: 到“元”为止的写“整”, “角”之后可以不写, 有“分”的不写.
    #[must_use]
    pub fn capitals(self) -> String {
        let sign = if self.0 < 0 { "负" } else { "" };
        let amount = self.0.unsigned_abs();
        let (yuan, jiao, fen) = (amount / 100, amount / 10 % 10, amount % 10);
        let mut text = if yuan > 0 { format!("{}元", spell(yuan)) } else { String::new() };
        if jiao == 0 && fen == 0 {
            return if yuan == 0 { "零元整".to_owned() } else { format!("{sign}{text}整") };
        }
        // ¥1,680.32 is 壹仟陆佰捌拾元零叁角贰分 and ¥325.04 is 叁佰贰拾伍元零肆分.
        if yuan > 0 && (jiao == 0 || yuan.is_multiple_of(10)) {
            text.push('零');
        }
        if jiao > 0 {
            text.push_str(&format!("{}角", digit(jiao)));
        }
        if fen > 0 {
            text.push_str(&format!("{}分", digit(fen)));
        }
        format!("{sign}{text}")
    }
}

impl fmt::Display for Fen {
    /// Writes `1,234.56`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.0.unsigned_abs();
        let yuan = (amount / 100).to_string();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        for (index, digit) in yuan.chars().enumerate() {
            if index > 0 && (yuan.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        write!(f, ".{:02}", amount % 100)
    }
}

fn half_width(c: char) -> char {
    match c {
        '０'..='９' | '，' | '．' => {
            char::from_u32(u32::from(c).wrapping_sub(0xFEE0)).unwrap_or(c)
        }
        _ => c,
    }
}

/// Takes the commas out, if there are none or each stands before three digits.
fn ungrouped(text: &str) -> Option<String> {
    let mut groups = text.split(',');
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let fits = rest.is_empty()
        || ((1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3));
    fits.then(|| format!("{first}{}", rest.concat()))
}

fn digits(text: &str) -> Option<i64> {
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

fn digit(value: u64) -> &'static str {
    usize::try_from(value % 10).ok().and_then(|index| DIGITS.get(index)).copied().unwrap_or("零")
}

/// Spells a positive whole number, by 亿 and 万.
fn spell(number: u64) -> String {
    for (unit, word) in [(100_000_000, "亿"), (10_000, "万")] {
        if number >= unit {
            let (high, low) = (number / unit, number % unit);
            let zero = if low > 0 && low < unit / 10 { "零" } else { "" };
            let tail = if low > 0 { spell(low) } else { String::new() };
            return format!("{}{word}{zero}{tail}", spell(high));
        }
    }
    spell_thousands(number)
}

fn spell_thousands(number: u64) -> String {
    let mut text = String::new();
    let mut pending_zero = false;
    for (unit, word) in [(1000, "仟"), (100, "佰"), (10, "拾"), (1, "")] {
        let value = number / unit % 10;
        if value == 0 {
            pending_zero = !text.is_empty();
            continue;
        }
        if pending_zero {
            text.push('零');
            pending_zero = false;
        }
        text.push_str(digit(value));
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 《支付结算办法》附一《正确填写票据和结算凭证的基本规定》 gives the first seven.
    #[test]
    fn capitals_follow_the_settlement_rules() {
        let table = [
            (140_950, "壹仟肆佰零玖元伍角"),
            (600_714, "陆仟零柒元壹角肆分"),
            (168_032, "壹仟陆佰捌拾元零叁角贰分"),
            (10_700_053, "壹拾万柒仟元零伍角叁分"),
            (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
            (32_504, "叁佰贰拾伍元零肆分"),
            (123_456, "壹仟贰佰叁拾肆元伍角陆分"),
            (0, "零元整"),
            (1, "壹分"),
            (50, "伍角"),
            (1_000, "壹拾元整"),
            (20_000, "贰佰元整"),
            (300_000, "叁仟元整"),
            (1_000_000, "壹万元整"),
            (1_000_100, "壹万零壹元整"),
            (10_050_000, "壹拾万零伍佰元整"),
            (10_000_000_000, "壹亿元整"),
            (10_001_000_000, "壹亿零壹万元整"),
            (10_000_000_100, "壹亿零壹元整"),
            (100_000_000_000_000, "壹万亿元整"),
            (-20_050, "负贰佰元零伍角"),
        ];
        for (fen, capitals) in table {
            assert_eq!(Fen(fen).capitals(), capitals, "{fen}");
        }
        assert!(Fen(i64::MAX).capitals().ends_with("元零柒分"));
        assert!(Fen(i64::MIN).capitals().starts_with('负'));
    }

    #[test]
    fn text_round_trips_and_odd_text_is_refused() {
        for (text, fen) in [
            ("1,234.56", 123_456),
            ("200", 20_000),
            ("¥3,000.5", 300_050),
            ("２００．００", 20_000),
            (" 80元 ", 8_000),
            ("1,000,000", 100_000_000),
        ] {
            assert_eq!(Fen::parse(text), Some(Fen(fen)), "{text}");
        }
        for text in [
            "",
            ".",
            "1.",
            "1.234",
            "-5",
            "1,23",
            ",123",
            "12a",
            "一百",
            "99999999999999999999",
            "1..2",
        ] {
            assert_eq!(Fen::parse(text), None, "{text}");
        }
        assert_eq!(Fen(123_456).to_string(), "1,234.56");
        assert_eq!(Fen(7).to_string(), "0.07");
        assert_eq!(Fen(-100_000_000).to_string(), "-1,000,000.00");
        assert_eq!(Fen::parse(&Fen(987_654_321).to_string()), Some(Fen(987_654_321)));
    }

    #[test]
    fn arithmetic_says_when_it_overflows() {
        assert_eq!(Fen(1).plus(Fen(2)), Some(Fen(3)));
        assert_eq!(Fen(i64::MAX).plus(Fen(1)), None);
        assert_eq!(Fen(i64::MIN).minus(Fen(1)), None);
        assert_eq!(Fen::from_yuan(i64::MAX), None);
        // 《行政处罚法》第七十二条: 每日按罚款数额的百分之三.
        assert_eq!(Fen(20_000).percent(3), Some(Fen(600)));
    }
}
