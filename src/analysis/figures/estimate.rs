//! A figure, and what stands behind it: how many of what, within which interval, or why there is
//! none.

use serde::Serialize;

use crate::metric::Metric;
pub use crate::stats::Interval;
use crate::stats::{OverLaunches, TooFew};
use crate::text::Plain;

/// One figure of a session or a cell, in the base unit of its metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The metric; it carries unit, direction and definition.
    pub metric: Metric,
    /// The estimate.
    pub estimate: Estimate,
}

/// A value with what stands behind it, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Estimate {
    /// It was measured.
    Measured(Measured),
    /// It was not measured.
    Absent {
        /// Why not, as a lowercase fragment such as `needs 1000 samples, has 96`.
        reason: Plain,
        /// Bounds that are known nevertheless, in the metric's base unit.
        #[serde(skip_serializing_if = "Option::is_none")]
        bounds: Option<Bounds>,
    },
}

/// A measured value. Values are finite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The value, in the metric's base unit.
    pub value: f64,
    /// 95% confidence interval of the value; absent where `remark` says why.
    pub interval: Option<Interval>,
    /// Smallest and largest of the values behind `value`, where it is a centre of several.
    pub range: Option<Interval>,
    /// How many stand behind the value.
    pub n: u64,
    /// Kind of observations that `n` counts.
    pub n_of: Counted,
    /// Bounds of the value where there is no interval.
    pub bounds: Option<Bounds>,
    /// Remark on the value: why there is no interval, or that it rests on few.
    pub remark: Option<Plain>,
}

impl Measured {
    /// A value that is read off rather than estimated, so that it has no interval.
    #[must_use]
    pub fn exact(value: f64, n: u64, n_of: Counted) -> Self {
        Measured {
            value,
            interval: None,
            range: None,
            n,
            n_of,
            bounds: None,
            remark: None,
        }
    }

    /// An estimate over launches, which says why where there is no interval.
    #[must_use]
    pub fn over_launches(found: &OverLaunches) -> Self {
        Measured::exact(found.value, found.n, Counted::Launches).within(found.interval)
    }

    /// With this interval, or a remark that says why there is none.
    pub(super) fn within(self, interval: Result<Interval, TooFew>) -> Self {
        let too_few = interval.err();
        Measured {
            interval: interval.ok(),
            remark: too_few.map(|too_few| format!("no interval: {too_few}").into()),
            ..self
        }
    }

    /// The lower end of the interval, or the value where there is none.
    pub(in crate::analysis) fn low(&self) -> f64 {
        self.interval.map_or(self.value, |ends| ends.low)
    }

    /// The upper end of the interval, or the value where there is none.
    pub(in crate::analysis) fn high(&self) -> f64 {
        self.interval.map_or(self.value, |ends| ends.high)
    }

    /// The [half-width](Interval::half_width_ratio) of the interval; `None` without one.
    #[must_use]
    pub fn half_width_ratio(&self) -> Option<f64> {
        self.interval?.half_width_ratio(self.value)
    }
}

/// One-sided bounds of a value that cannot be bounded from both sides, each with 95% confidence on
/// its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bounds {
    /// Lower bound of the value.
    pub at_least: Option<f64>,
    /// Upper bound of the value.
    pub at_most: Option<f64>,
}

impl Bounds {
    fn scaled(self, factor: f64) -> Self {
        Bounds {
            at_least: self.at_least.map(|bound| bound * factor),
            at_most: self.at_most.map(|bound| bound * factor),
        }
    }
}

/// Kinds of observations that an n counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Fresh worker processes.
    Launches,
    /// Single inferences.
    Inferences,
    /// Timed blocks.
    Blocks,
    /// Samples of the data.
    Samples,
    /// Files.
    Files,
    /// Pairs of neighbouring stretches.
    Pairs,
    /// Requests under load.
    Requests,
    /// Parts of a segment under load.
    Parts,
}

impl Counted {
    /// The noun for `n` of it.
    #[must_use]
    pub fn noun(self, n: u64) -> &'static str {
        let (one, several) = match self {
            Counted::Launches => ("launch", "launches"),
            Counted::Inferences => ("inference", "inferences"),
            Counted::Blocks => ("block", "blocks"),
            Counted::Samples => ("sample", "samples"),
            Counted::Files => ("file", "files"),
            Counted::Pairs => ("pair", "pairs"),
            Counted::Requests => ("request", "requests"),
            Counted::Parts => ("part", "parts"),
        };
        if n == 1 { one } else { several }
    }
}

impl Estimate {
    /// `1/x` of an estimate of a positive `x`.
    pub(in crate::analysis) fn reciprocal(&self) -> Estimate {
        match self {
            Estimate::Measured(measured) => Estimate::Measured(Measured {
                value: 1.0 / measured.value,
                interval: measured.interval.map(Interval::reciprocal),
                range: None,
                ..measured.clone()
            }),
            Estimate::Absent { .. } => self.clone(),
        }
    }

    /// The estimate of a multiple, by a positive factor.
    pub(in crate::analysis) fn scaled(&self, factor: f64) -> Estimate {
        match self {
            Estimate::Measured(measured) => Estimate::Measured(Measured {
                value: measured.value * factor,
                interval: measured.interval.map(|interval| interval.scaled(factor)),
                range: measured.range.map(|range| range.scaled(factor)),
                bounds: measured.bounds.map(|bounds| bounds.scaled(factor)),
                ..measured.clone()
            }),
            Estimate::Absent { reason, bounds } => Estimate::Absent {
                reason: reason.clone(),
                bounds: bounds.map(|bounds| bounds.scaled(factor)),
            },
        }
    }

    /// The same estimate with ends of its interval that are so many times as far from its value.
    pub(in crate::analysis) fn widened(&self, factor: f64) -> Estimate {
        match self {
            Estimate::Measured(measured) => Estimate::Measured(Measured {
                interval: measured.interval.map(|Interval { low, high }| Interval {
                    low: measured.value - factor * (measured.value - low),
                    high: measured.value + factor * (high - measured.value),
                }),
                ..measured.clone()
            }),
            Estimate::Absent { .. } => self.clone(),
        }
    }

    /// An absent figure.
    pub fn absent(reason: impl Into<Plain>) -> Self {
        Estimate::Absent {
            reason: reason.into(),
            bounds: None,
        }
    }

    /// A value that is read off rather than estimated, so that it has no interval.
    #[must_use]
    pub fn exact(value: f64, n: u64, n_of: Counted) -> Self {
        Estimate::Measured(Measured::exact(value, n, n_of))
    }

    /// The value, if there is one.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.measured().map(|measured| measured.value)
    }

    /// The measured value with what stands behind it.
    #[must_use]
    pub fn measured(&self) -> Option<&Measured> {
        match self {
            Estimate::Measured(measured) => Some(measured),
            Estimate::Absent { .. } => None,
        }
    }

    /// Why there is no value; `None` where there is one.
    #[must_use]
    pub fn absent_reason(&self) -> Option<&Plain> {
        match self {
            Estimate::Measured(_) => None,
            Estimate::Absent { reason, .. } => Some(reason),
        }
    }

    /// The 95% interval, if there is one.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        self.measured().and_then(|measured| measured.interval)
    }
}

/// The estimate of `metric` among `figures`.
#[must_use]
pub fn find(figures: &[Figure], metric: Metric) -> Option<&Estimate> {
    figures
        .iter()
        .find(|figure| figure.metric == metric)
        .map(|figure| &figure.estimate)
}
