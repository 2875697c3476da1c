//! Times that are known within bounds, and what the parts of a whole tell of each other.

use std::iter::Sum;
use std::ops::{Add, Sub};

/// A time, and between what it lies, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::analysis) struct Span {
    pub(in crate::analysis) time_ns: f64,
    pub(in crate::analysis) low_ns: f64,
    pub(in crate::analysis) high_ns: f64,
}

impl Span {
    pub(in crate::analysis) fn exact(time_ns: f64) -> Self {
        Span {
            time_ns,
            low_ns: time_ns,
            high_ns: time_ns,
        }
    }

    /// No time is below 0.
    pub(super) fn around(time_ns: f64, unknown_ns: f64) -> Self {
        Span {
            time_ns,
            low_ns: (time_ns - unknown_ns).max(0.0),
            high_ns: time_ns + unknown_ns,
        }
    }

    pub(in crate::analysis) fn scaled(self, factor: f64) -> Self {
        Span {
            time_ns: self.time_ns * factor,
            low_ns: self.low_ns * factor,
            high_ns: self.high_ns * factor,
        }
    }

    /// This part of a whole within what the other parts leave of it.
    pub(in crate::analysis) fn beside(self, others: Span, whole_ns: f64) -> Self {
        Span {
            time_ns: self.time_ns,
            low_ns: self.low_ns.max(whole_ns - others.high_ns).min(self.time_ns),
            high_ns: self.high_ns.min(whole_ns - others.low_ns).max(self.time_ns),
        }
    }
}

impl Add for Span {
    type Output = Span;

    fn add(self, other: Span) -> Span {
        Span {
            time_ns: self.time_ns + other.time_ns,
            low_ns: self.low_ns + other.low_ns,
            high_ns: self.high_ns + other.high_ns,
        }
    }
}

/// What is left of a sum without one of its parts.
impl Sub for Span {
    type Output = Span;

    fn sub(self, part: Span) -> Span {
        Span {
            time_ns: self.time_ns - part.time_ns,
            low_ns: self.low_ns - part.low_ns,
            high_ns: self.high_ns - part.high_ns,
        }
    }
}

impl Sum for Span {
    fn sum<I: Iterator<Item = Span>>(spans: I) -> Span {
        spans.fold(Span::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_takes_what_the_others_cannot_and_leaves_what_they_must() {
        let part = Span::around(60.0, 50.0);
        let others = Span::around(40.0, 10.0);
        let expected = Span {
            time_ns: 60.0,
            low_ns: 50.0,
            high_ns: 70.0,
        };
        assert_eq!(part.beside(others, 100.0), expected);
        // Never without the time itself.
        let exact = Span::exact(60.0);
        assert_eq!(exact.beside(Span::exact(10.0), 100.0), exact);
    }
}
