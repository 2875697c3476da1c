//! Why an expression is no check.

use crate::metric::{Metric, Unit};

/// Why an expression is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// There is no comparison, or one that measured figures cannot be held to.
    #[error("`{0}` has no `<=` or `>=`; measured figures are never compared with `<`, `>` or `==`")]
    NoComparison(String),
    /// The word is not the name of a metric; the most similar one, if one is similar.
    #[error("unknown metric `{}`{}", .0, .1.map(|key| format!("; did you mean `{key}`?")).unwrap_or_default())]
    UnknownMetric(String, Option<&'static str>),
    /// Something stands between the metric and the comparison.
    #[error("`{0}` is not understood; the only word that may follow a metric is `drop`")]
    UnknownWord(String),
    /// The budget does not begin with a number.
    #[error(
        "`{0}` is not a budget; write a number with its unit, such as `20 ms`, or `1.05 x baseline`"
    )]
    NoNumber(String),
    /// The budget is below zero, or a factor of nothing.
    #[error("the budget `{0}` is negative, or is no share of the baseline at all")]
    NotPositive(String),
    /// The unit is none that is known.
    #[error("unknown unit `{0}`; units are ns us ms s, B kB MB GB KiB MiB GiB, /s and %")]
    UnknownUnit(String),
    /// The unit of the budget, as it is written, does not fit the metric.
    #[error("{} takes {}, not {}", .0.key(), takes(*.0), .1)]
    WrongUnit(Metric, String),
    /// A ratio to the baseline cannot be held against the baseline once more.
    #[error("`{}` cannot be compared with a baseline", .0.key())]
    NoBaseline(Metric),
    /// A drop is one of a score that is a share.
    #[error("`drop` goes with scores that are shares, such as `{}`, and with `<=`", Metric::AccuracyTop1.name())]
    NoDrop,
}

fn takes(metric: Metric) -> &'static str {
    match metric.unit() {
        Unit::Ns => "a time such as `20 ms`",
        Unit::Bytes => "a size such as `64 MiB`",
        Unit::PerSec => "a rate such as `500 /s`",
        Unit::Ratio => "a share such as `0.97` or `97%`",
        Unit::Joules => "a plain number of joules",
        Unit::Watts => "a plain number of watts",
        Unit::Count | Unit::OutputUnit => "a plain number",
    }
}
