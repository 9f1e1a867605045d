//! The next push, sent as soon as HQ has answered the one before, while that receipt is verified and
//! stored here. HQ has committed by then, so the order of the chain is the order of arrival.
//!
//! The machine knows nothing of it: when it asks for the push that is under way already, it gets
//! that one. If it asks for another, or a receipt turns out to be bad, what was sent ahead is
//! forgotten; the records still wait here, and HQ takes them again without adding anything.

use super::round::Came;

/// Numbers of pushes that the machine has not asked for; its own count from 1.
const FIRST: u64 = 1 << 63;

/// The push that was sent ahead, if any.
#[derive(Default)]
pub(super) struct Ahead {
    sent: u64,
    push: Option<Push>,
}

struct Push {
    number: u64,
    /// Its first record.
    first: u64,
    /// The machine's number for it, once it asked.
    asked_as: Option<u64>,
    came: Option<Came>,
}

/// What the machine gets when it asks for a push.
pub(super) enum Adopted {
    /// One that is under way.
    UnderWay,
    /// One that was answered already.
    Came(Came),
    /// None: this push has to be sent.
    Nothing,
}

impl Ahead {
    /// Returns the number for a push from `first` that goes ahead, or `None` if one is under way.
    pub(super) fn begin(&mut self, first: u64) -> Option<u64> {
        if self.push.is_some() {
            return None;
        }
        self.sent = self.sent.wrapping_add(1);
        let number = FIRST | self.sent;
        self.push = Some(Push { number, first, asked_as: None, came: None });
        Some(number)
    }

    /// The machine asks for a push as `number`; `first` is where it is to begin.
    pub(super) fn adopt(&mut self, first: Option<u64>, number: u64) -> Adopted {
        let Some(mut push) = self.push.take().filter(|push| first == Some(push.first)) else {
            return Adopted::Nothing;
        };
        if let Some(came) = push.came.take() {
            return Adopted::Came(came);
        }
        push.asked_as = Some(number);
        self.push = Some(push);
        Adopted::UnderWay
    }

    /// Takes an answer; returns it under the machine's own number once the machine asked for it.
    pub(super) fn sort(&mut self, number: u64, came: Came) -> Option<(u64, Came)> {
        if number < FIRST {
            return Some((number, came));
        }
        let mut push = self.push.take_if(|push| push.number == number)?;
        if let Some(number) = push.asked_as {
            return Some((number, came));
        }
        push.came = Some(came);
        self.push = Some(push);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Progress;

    fn answer() -> Came {
        Came::Feed(Ok(Progress::default()))
    }

    #[test]
    fn an_answer_waits_for_the_question_and_a_question_for_the_answer() {
        let mut ahead = Ahead::default();
        let number = ahead.begin(17).unwrap();
        assert!(ahead.begin(33).is_none(), "one at a time");
        assert!(ahead.sort(number, answer()).is_none());
        assert!(matches!(ahead.adopt(Some(17), 2), Adopted::Came(_)));
        let number = ahead.begin(33).unwrap();
        assert!(matches!(ahead.adopt(Some(33), 3), Adopted::UnderWay));
        assert_eq!(ahead.sort(number, answer()).map(|(number, _)| number), Some(3));
        assert_eq!(ahead.sort(4, answer()).map(|(number, _)| number), Some(4));
    }

    #[test]
    fn a_push_that_nobody_asked_for_is_forgotten_with_its_answer() {
        let mut ahead = Ahead::default();
        let number = ahead.begin(17).unwrap();
        assert!(matches!(ahead.adopt(Some(1), 2), Adopted::Nothing));
        assert!(ahead.sort(number, answer()).is_none());
        let other = ahead.begin(17).unwrap();
        assert!(ahead.sort(number, answer()).is_none(), "a late one is not taken for another");
        assert!(matches!(ahead.adopt(Some(17), 3), Adopted::UnderWay));
        assert_eq!(ahead.sort(other, answer()).map(|(number, _)| number), Some(3));
    }
}
