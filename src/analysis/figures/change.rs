//! Changes against the baseline.

use serde::Serialize;

use super::estimate::{Estimate, Interval};
use crate::plan::CellKey;
use crate::stats::Evidence;
use crate::units::Ratio;

/// A cell against the baseline's of the same batch size and load mode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The baseline's cell.
    pub baseline: CellKey,
    /// Median latency.
    pub p50: Change,
    /// 10th percentile of latency, which follows the machine's fast mode.
    pub p10: Change,
    /// Throughput.
    pub throughput: Change,
    /// Whether the 99th percentile is worse although the median is not: both intervals lie apart.
    pub worse_tail: bool,
}

/// A measured ratio to the baseline and what it amounts to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Session / baseline: below 1 is faster for a latency, above 1 for throughput.
    pub ratio: Estimate,
    /// Changes within this share of 1 are not told from noise.
    pub noise_floor: Ratio,
    /// What it amounts to.
    pub verdict: Verdict,
    /// About how many more rounds would settle an inconclusive verdict.
    pub rounds_to_settle: Option<u64>,
    /// What the verdict rests on.
    #[serde(skip)]
    pub(in crate::analysis) evidence: Evidence,
    /// `rounds_to_settle` while nothing is settled yet.
    #[serde(skip)]
    pub(in crate::analysis) rounds_forecast: Option<u64>,
}

impl Change {
    /// How many times as fast as the baseline a latency ratio makes the session: the reciprocal of the ratio.
    #[must_use]
    pub fn speedup(&self) -> Option<(f64, Option<Interval>)> {
        let measured = self.ratio.measured()?;
        Some((1.0 / measured.value, measured.interval.map(Interval::reciprocal)))
    }
}

/// What a change amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Better: the change exceeds the noise floor, and the interval excludes 1 even when all comparisons of the run are
    /// judged together.
    Faster,
    /// Worse, by the same rule.
    Slower,
    /// The whole interval lies within the noise floor, by the same measure.
    Same,
    /// None of these.
    Inconclusive,
}
