//! The figures of a cell, and the curve of several over batch sizes.

use serde::Serialize;

use super::{Comparison, Counted, Estimate, Figure, find};
use crate::metric::Metric;
use crate::plan::{CellKey, LoadMode};
use crate::record::Outcome;
use crate::stats::{LatencyModes, SpeedStates, SteadyClass};

/// Findings on one cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellFindings {
    /// Which cell.
    pub key: CellKey,
    /// How it ended.
    pub outcome: Outcome,
    /// Timed blocks that count.
    pub blocks_count: u64,
    /// Launches behind the cell.
    pub launches_count: u64,
    /// Latency, throughput, utilization, memory and ratios to the baseline; absent ones carry their
    /// reason.
    pub figures: Vec<Figure>,
    /// Against the baseline's cell of the same batch size and load mode; absent for the baseline
    /// itself.
    pub comparison: Option<Comparison>,
    /// Speed states among the block medians, if there is more than one.
    pub speed_states: Option<SpeedStates>,
    /// Launches whose warm-up ended at its bound, before the latency was steady.
    pub unsteady_launches_count: u64,
    /// How the latency went while it was measured; absent where there are too few blocks to tell.
    pub steady: Option<SteadyClass>,
    /// Two modes among all latencies, if there are.
    pub modes: Option<LatencyModes>,
}

impl CellFindings {
    /// The estimate of one of the cell's figures.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<&Estimate> {
        find(&self.figures, metric)
    }

    /// Value of one of the cell's figures, if it was measured.
    #[must_use]
    pub fn value(&self, metric: Metric) -> Option<f64> {
        self.figure(metric).and_then(Estimate::value)
    }

    /// Support of the figures, if there are any.
    #[must_use]
    pub fn support(&self) -> Option<Support> {
        let median = self.figure(Metric::LatencyP50)?.measured()?;
        Some(match median.interval {
            Some(_) => Support::Interval,
            None if median.n_of == Counted::Launches => Support::FewLaunches,
            None => Support::FewInferences,
        })
    }
}

/// Support of the figures of a cell, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// Fewer inferences than bound a median: they are shown, and decide nothing.
    FewInferences,
    /// Fewer launches than an interval takes.
    FewLaunches,
    /// A 95% interval over launches.
    Interval,
}

/// Share of the largest throughput from which on a batch size counts as large enough: what is still
/// missing is less than what one more doubling usually costs in latency.
pub const SATURATION_SHARE: f64 = 0.95;

/// Throughput over batch sizes of one session under one load mode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BatchCurve {
    /// Index of the session.
    pub session: usize,
    /// Index of the shape.
    pub shape: usize,
    /// How requests arrive.
    pub load_mode: LoadMode,
    /// Measured batch sizes, ascending.
    pub points: Vec<CurvePoint>,
    /// Batch size of the largest throughput.
    pub best: u64,
    /// Smallest batch size whose throughput is at least [`SATURATION_SHARE`] of the largest.
    pub enough: u64,
    /// Whether a batch size larger than `enough` was measured, so that throughput is known to have
    /// saturated.
    pub saturated: bool,
}

/// One batch size of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Samples per inference.
    pub batch_size: u64,
    /// Predictions per second.
    pub throughput_per_sec: f64,
    /// Median latency of one inference, in nanoseconds.
    pub latency_p50_ns: f64,
    /// Observations behind both.
    pub support: Support,
}
