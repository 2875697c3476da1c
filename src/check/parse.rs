//! Checks as they are written.

use super::budget::{self, Budget, Quantity};
use super::error::CheckError;
use crate::metric::{Direction, Metric};

/// A demand of a rule, such as `latency_p99 <= 20 ms`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Check {
    /// The metric that is checked.
    pub metric: Metric,
    /// On which side of the budget it must lie.
    pub side: Side,
    /// The budget.
    pub budget: Budget,
}

/// The check that has no figure of its own.
const SHIP: &str = "ship";

/// On which side of its budget a figure must lie; the budget itself is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `<=`.
    AtMost,
    /// `>=`.
    AtLeast,
}

impl Check {
    /// That a session is to be shipped, by the judgement on it.
    pub const SHIP: Check = Check {
        metric: Metric::LatencyP50,
        side: Side::AtMost,
        budget: Budget::Judgement,
    };

    /// Reads an expression such as `latency_p99 <= 20 ms`, `throughput >= 0.95 x baseline` or
    /// `accuracy_top1 drop <= 0.5 points`, or `ship`.
    pub fn parse(text: &str) -> Result<Self, CheckError> {
        if text.trim() == SHIP {
            return Ok(Self::SHIP);
        }
        let (subject, side, budget) = split(text)?;
        let mut words = subject.split_whitespace();
        let metric = metric(words.next().unwrap_or_default())?;
        let quantity = Quantity::parse(budget)?;
        let budget = match (words.next(), words.next()) {
            (None, _) => budget::of(metric, &quantity)?,
            (Some("drop"), None) if side == Side::AtMost => budget::drop(metric, &quantity)?,
            (Some("drop"), None) => return Err(CheckError::NoDrop),
            (Some("drop"), Some(word)) | (Some(word), _) => {
                return Err(CheckError::UnknownWord(word.into()));
            }
        };
        Ok(Check {
            metric,
            side: if matches!(budget, Budget::Drop(_)) {
                Side::AtLeast
            } else {
                side
            },
            budget,
        })
    }
}

/// The text left of the comparison, the comparison, and the text right of it.
fn split(text: &str) -> Result<(&str, Side, &str), CheckError> {
    [Side::AtMost, Side::AtLeast]
        .into_iter()
        .find_map(|side| Some((side, text.split_once(side.sign())?)))
        .filter(|(_, (subject, budget))| !has_sign(subject) && !has_sign(budget))
        .map(|(side, (subject, budget))| (subject.trim(), side, budget.trim()))
        .ok_or_else(|| CheckError::NoComparison(text.trim().into()))
}

fn has_sign(text: &str) -> bool {
    text.contains(['<', '>', '='])
}

/// The metric of that key, with or without the unit at its end.
fn metric(word: &str) -> Result<Metric, CheckError> {
    Metric::ALL
        .iter()
        .find(|metric| metric.key() == word || metric.name() == word)
        .copied()
        .ok_or_else(|| CheckError::UnknownMetric(word.into(), similar(word)))
}

/// The metric whose name takes the fewest edits, if that is at most a third of the word.
fn similar(word: &str) -> Option<&'static str> {
    let nearest = Metric::ALL
        .iter()
        .map(|metric| metric.name())
        .min_by_key(|name| edits(word, name))?;
    (edits(word, nearest) * 3 <= word.chars().count()).then_some(nearest)
}

/// Characters to insert, delete or replace to make one word of the other (Levenshtein's distance).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for column in 0..other.len() {
            let replaced = diagonal + usize::from(letter != other[column]);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

impl Side {
    /// The sign of the comparison.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Side::AtMost => "<=",
            Side::AtLeast => ">=",
        }
    }

    /// The side on which a better figure lies.
    #[must_use]
    pub fn better(metric: Metric) -> Self {
        match metric.direction() {
            Direction::Lower | Direction::Neutral => Side::AtMost,
            Direction::Higher => Side::AtLeast,
        }
    }

    /// Whether `value` keeps `budget`.
    #[must_use]
    pub fn allows(self, value: f64, budget: f64) -> bool {
        match self {
            Side::AtMost => value <= budget,
            Side::AtLeast => value >= budget,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Drop;
    use Budget::{Absolute, TimesBaseline};
    use Metric::{AccuracyTop1, FileSize, LatencyP50, LatencyP99, Throughput};
    use Side::{AtLeast, AtMost};

    const BUDGETS: [(&str, Metric, Side, Budget); 11] = [
        ("latency_p99 <= 20 ms", LatencyP99, AtMost, Absolute(20e6)),
        ("latency_p99_ns<=20ms", LatencyP99, AtMost, Absolute(20e6)),
        (
            "latency_p50 <= 1.5e2 µs",
            LatencyP50,
            AtMost,
            Absolute(150e3),
        ),
        (
            "file_size <= 2 MiB",
            FileSize,
            AtMost,
            Absolute(2_097_152.0),
        ),
        ("file_size <= 2 MB", FileSize, AtMost, Absolute(2e6)),
        ("throughput >= 500 /s", Throughput, AtLeast, Absolute(500.0)),
        (
            "accuracy_top1 >= 0.97",
            AccuracyTop1,
            AtLeast,
            Absolute(0.97),
        ),
        (
            "accuracy_top1_ratio >= 97%",
            AccuracyTop1,
            AtLeast,
            Absolute(0.97),
        ),
        (
            "latency_p50 <= 1.05 x baseline",
            LatencyP50,
            AtMost,
            TimesBaseline(1.05),
        ),
        (
            "accuracy_top1 drop <= 0.5 points",
            AccuracyTop1,
            AtLeast,
            Budget::Drop(Drop::Points(0.005)),
        ),
        (
            "accuracy_top1 drop <= 2%",
            AccuracyTop1,
            AtLeast,
            Budget::Drop(Drop::Share(0.02)),
        ),
    ];

    #[test]
    fn budgets_are_in_base_units() {
        for (text, metric, side, budget) in BUDGETS {
            assert_eq!(
                Check::parse(text),
                Ok(Check {
                    metric,
                    side,
                    budget
                }),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_to_be_shipped_is_a_check_without_a_figure() {
        assert_eq!(Check::parse(" ship "), Ok(Check::SHIP));
        for text in ["ships", "ship <= 1", "ship >= 1 x baseline"] {
            assert!(Check::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_have_several_signs() {
        let check = Check::parse("latency_p50 <= 1.05 x baseline");
        for sign in ["×", "*", "x", " × ", " * "] {
            let text = format!("latency_p50 <= 1.05{sign}baseline");
            assert_eq!(Check::parse(&text), check, "{text}");
        }
    }

    #[test]
    fn every_metric_is_known_with_and_without_its_unit() {
        for metric in Metric::ALL {
            assert_eq!(super::metric(metric.key()).unwrap(), *metric);
            assert_eq!(super::metric(metric.name()).unwrap(), *metric);
        }
    }

    #[test]
    fn mistakes_are_told_apart() {
        for (text, expected) in [
            ("latency_p50 < 3 ms", "NoComparison"),
            ("latency_p50 == 3 ms", "NoComparison"),
            ("latency_p50 <= <= 3 ms", "NoComparison"),
            // Both are one letter away; the table has the 90th percentile first.
            (
                "latency_p98 <= 3 ms",
                r#"UnknownMetric("latency_p98", Some("latency_p90"))"#,
            ),
            ("speed <= 3 ms", r#"UnknownMetric("speed", None)"#),
            ("latency_p50 fall <= 3 ms", "UnknownWord"),
            ("latency_p50 <= fast", "NoNumber"),
            ("latency_p50 <= inf ms", "NoNumber"),
            ("latency_p50 <= -3 ms", "NotPositive"),
            ("latency_p50 <= 0 x baseline", "NotPositive"),
            ("latency_p50 <= 3 parsecs", "UnknownUnit"),
            ("latency_p50 <= 3", "WrongUnit"),
            ("latency_p50 <= 3 MB", "WrongUnit"),
            ("latency_p50 <= 3 points", "WrongUnit"),
            ("accuracy_top1 >= 3 ms", "WrongUnit"),
            (
                "latency_p50_ratio_to_baseline <= 2 x baseline",
                "NoBaseline",
            ),
            ("latency_p50 drop <= 2%", "NoDrop"),
            ("accuracy_top1 drop >= 2%", "NoDrop"),
            ("accuracy_top1 drop <= 0.5", "WrongUnit"),
        ] {
            let error = format!("{:?}", Check::parse(text).unwrap_err());
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
