//! Intervals, the confidence of all of them, and why there is none.

use serde::{Deserialize, Serialize};

/// Coverage that every interval of this module asks for.
pub const CONFIDENCE: f64 = 0.95;

/// Name of the interval of a percentile, for the record.
pub const PERCENTILE_INTERVAL: &str = "order_statistics_effective_n";

/// Name of the estimate over rounds and its interval, for the record.
pub const OVER_ROUNDS: &str = "hodges_lehmann_signed_rank";

/// Name of what keeps the errors of several comparisons from adding up, for the record.
pub const MULTIPLICITY: &str = "benjamini_hochberg";

/// Probability that an interval leaves out on each of its sides.
pub(super) const TAIL: f64 = (1.0 - CONFIDENCE) / 2.0;

/// The standard normal quantile at `1 - TAIL`.
pub(super) const Z: f64 = 1.959_963_984_540_054;

/// A two-sided interval, of [`CONFIDENCE`] or a little more where the method is exact.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end, in the unit of the figure.
    pub low: f64,
    /// Upper end, in the unit of the figure.
    pub high: f64,
}

impl Interval {
    /// The interval between two ends, whichever of them is the lower one.
    #[must_use]
    pub fn between(one: f64, other: f64) -> Self {
        Interval {
            low: one.min(other),
            high: one.max(other),
        }
    }

    /// The interval of a positive multiple.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Interval {
            low: self.low * factor,
            high: self.high * factor,
        }
    }

    /// The interval of `1/x` for `x` within this one. Both ends must be positive.
    #[must_use]
    pub fn reciprocal(self) -> Self {
        Interval::between(1.0 / self.low, 1.0 / self.high)
    }

    /// Whether both have a point in common.
    #[must_use]
    pub fn overlaps(self, other: Interval) -> bool {
        self.low <= other.high && other.low <= self.high
    }

    /// The half-width, as runs are stopped by and reports show behind `±`: the wider of the two
    /// halves about a centre that it holds, as a share of that; `None` where the centre is 0.
    #[must_use]
    pub fn half_width_ratio(&self, centre: f64) -> Option<f64> {
        (centre != 0.0).then(|| self.wider_half(centre) / centre.abs())
    }

    /// The half-width of a factor, which is the same for its reciprocal: the wider of both. Ends and
    /// centre must be positive.
    #[must_use]
    pub fn factor_half_width_ratio(&self, centre: f64) -> f64 {
        (self.high / centre).max(centre / self.low) - 1.0
    }

    /// The wider of the two halves about a centre that it holds.
    pub(super) fn wider_half(&self, centre: f64) -> f64 {
        (self.high - centre).max(centre - self.low)
    }

    /// Whether `value` lies within, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// Why a figure or its interval is absent: there are too few values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("needs {needs} {counted}, has {has}")]
pub struct TooFew {
    /// How many there must be.
    pub needs: u64,
    /// How many there are.
    pub has: u64,
    /// Observations that are counted.
    pub counted: Counted,
}

/// Kinds of observations that a sample size counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Timed inferences.
    Inferences,
    /// Launches of a worker, which is one for each round.
    Launches,
    /// Samples of a dataset.
    Samples,
}

impl std::fmt::Display for Counted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Counted::Inferences => "inferences",
            Counted::Launches => "launches",
            Counted::Samples => "samples",
        })
    }
}
