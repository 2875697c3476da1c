//! What the analysis hands to the reports. Data only; read [`Findings`] first.

use std::collections::HashMap;

use serde::Serialize;

use super::advise::{Advice, NotTried};
use super::conclusions::{Answer, Bottleneck, Headline};
use super::estimate::{Counted, Estimate, Figure, Interval, find};
use super::explain::{DenormalFindings, Explanation};
use super::operators::OperatorFindings;
use super::operators::Roofline;
use super::scaling::{IdleFindings, Scaling};
use super::tuning::TuningFindings;
use crate::metric::Metric;
use crate::plan::{CellKey, LoadMode};
use crate::record::{EndReason, Fitness, NotComparable, Outcome, OutputKind};
use crate::stats::{Evidence, SteadyClass};
use crate::units::Ratio;

/// Everything that a run record says once statistics and rules have been applied to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Findings {
    /// Whether the run came to its own end.
    pub complete: bool,
    /// Why measuring ended; absent if the run never got there.
    pub ended_by: Option<EndReason>,
    /// Whether the machine was fit to measure on; absent if the run did not come to its end, and of records of version
    /// 1.0.
    pub fitness: Option<Fitness>,
    /// What to ship.
    pub answer: Answer,
    /// One sentence's worth of facts for each session other than the baseline's.
    pub headlines: Vec<Headline>,
    /// Each session, in the order of the plan.
    pub sessions: Vec<SessionFindings>,
    /// Each cell of the plan, in the order of sessions, batch sizes and load modes.
    pub cells: Vec<CellFindings>,
    /// Throughput over batch sizes, for each session and load mode with at least one measured cell.
    pub batch_curves: Vec<BatchCurve>,
    /// What each of these curves shows, in the same order.
    pub scaling: Vec<Scaling>,
    /// What idle gaps cost, for each session that was measured after them.
    pub idle_gaps: Vec<IdleFindings>,
    /// Operators of the sessions that were profiled, in the order of sessions and batch sizes.
    pub operators: Vec<OperatorFindings>,
    /// What limits the sessions, as far as this was measured; the most consequential first.
    pub bottlenecks: Vec<Bottleneck>,
    /// What to do, ranked by the conservative end of the measured gain.
    pub advice: Vec<Advice>,
    /// Why each session takes the time that it takes, against the baseline's and within its variant: for each pair of
    /// sessions together, one for each batch size and shape that both were profiled at, the smallest first.
    pub explanations: Vec<Explanation>,
    /// Sessions against themselves with denormal numbers flushed to zero.
    pub denormals: Vec<DenormalFindings>,
    /// What limits the nodes that take the time, for each profile.
    pub rooflines: Vec<Roofline>,
    /// What was not measured and could bring more, each with the command that tries it.
    pub not_tried: Vec<NotTried>,
    /// What the search found, where the run is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuning: Option<TuningFindings>,
    #[serde(skip)]
    pub(super) cell_places: HashMap<CellKey, usize>,
}

impl Findings {
    /// What was found in a cell.
    #[must_use]
    pub fn cell(&self, key: CellKey) -> Option<&CellFindings> {
        self.cell_places.get(&key).map(|&place| &self.cells[place])
    }
}

/// What was found of one session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionFindings {
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// The variant's name, and what tells this session from the variant's other ones.
    pub label: String,
    /// Whether the others are compared with it.
    pub is_baseline: bool,
    /// Failed or skipped if nothing could be measured.
    pub outcome: Outcome,
    /// Launches that ended well.
    pub launches_count: u64,
    /// Launches that failed, those beside the rounds included.
    pub failed_launches_count: u64,
    /// Launches in all: those in the record, and those beside the rounds that failed.
    pub all_launches_count: u64,
    /// Why the first failed launch failed.
    pub launch_failure: Option<String>,
    /// Loading, memory, file size and accuracy.
    pub figures: Vec<Figure>,
    /// What the outputs were worth.
    pub accuracy: AccuracyFindings,
    /// Warnings that ONNX Runtime logged, over all launches that told.
    pub log_warnings_count: u64,
    /// Errors that ONNX Runtime logged, over all launches that told.
    pub log_errors_count: u64,
}

impl SessionFindings {
    /// The estimate of one of the session's figures.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<&Estimate> {
        find(&self.figures, metric)
    }
}

/// What the outputs of a session were worth; its scores are among the session's figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AccuracyFindings {
    /// Samples whose outputs were computed, whether or not there was anything to hold them against.
    pub samples_count: u64,
    /// What the outputs were held against.
    pub held_against: HeldAgainst,
    /// Why nothing was scored; absent if something was.
    pub absent_reason: Option<String>,
    /// The change of the leading score against the baseline, on the same samples.
    pub change: Option<AccuracyChange>,
    /// Outputs with values that are not numbers.
    pub unhealthy_outputs: Vec<UnhealthyOutput>,
    /// Agreement with the reference, one for each output.
    pub agreement: Vec<OutputAgreement>,
    /// What `agreement` compares with.
    pub reference: Option<String>,
    /// Outputs that cannot be compared with it.
    pub not_comparable: Vec<NotComparable>,
}

/// What outputs were held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldAgainst {
    /// Nothing: there is nothing, they are the reference themselves, or none of them can be compared with it.
    #[default]
    Nothing,
    /// Outputs of a reference.
    Reference,
    /// Labels or targets.
    Labels,
}

/// A score's change against the baseline on the same samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccuracyChange {
    /// The score.
    pub metric: Metric,
    /// Score of the session minus score of the baseline, in the metric's unit.
    pub difference: Estimate,
    /// Samples that only the session got right; absent for regression.
    pub gained_count: Option<u64>,
    /// Samples that only the baseline got right; absent for regression.
    pub lost_count: Option<u64>,
    /// Samples that both predict alike or not, but differently from each other; absent for regression.
    pub changed_predictions_count: Option<u64>,
    /// Probability of a change at least as large if neither were better: McNemar, exact; absent for regression.
    pub p_value: Option<f64>,
    /// What the change amounts to.
    pub verdict: AccuracyVerdict,
}

/// What a change of a score amounts to at the 5% level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccuracyVerdict {
    /// Significantly better.
    Better,
    /// Significantly worse.
    Worse,
    /// No significant change.
    NotSignificant,
    /// There is no test to decide it with.
    Untested,
}

/// An output with values that are not numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnhealthyOutput {
    /// Name of the output.
    pub name: String,
    /// Elements that are not a number.
    pub nan_count: u64,
    /// Elements that are infinite.
    pub infinite_count: u64,
    /// Samples with at least one such element.
    pub affected_samples_count: u64,
}

/// Agreement of one output with its reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutputAgreement {
    /// Name of the output.
    pub output: String,
    /// Name of the reference's output, where it is another one.
    pub reference_output: Option<String>,
    /// What the output holds; absent in records before version 1.4.
    pub kind: Option<OutputKind>,
    /// Signal-to-noise ratio of signals and images, in decibels.
    pub signal_to_noise_db: Option<f64>,
    /// Rows that top-1 agreement counts, where each holds scores of classes; else 0.
    pub rows_count: u64,
    /// Top-1 agreement, cosine similarity, maximum and relative error.
    pub figures: Vec<Figure>,
}

impl OutputAgreement {
    /// The estimate of one of the output's figures.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<&Estimate> {
        find(&self.figures, metric)
    }
}

/// What was found in one cell.
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
    /// Latency, throughput, utilization, memory and ratios to the baseline; absent ones carry their reason.
    pub figures: Vec<Figure>,
    /// Against the baseline's cell of the same batch size and load mode; absent for the baseline itself.
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

    /// The median latency, if there were enough inferences to bound one: that of fewer is shown, and decides nothing.
    #[must_use]
    pub fn decisive_median(&self) -> Option<f64> {
        let median = self.figure(Metric::LatencyP50)?.measured()?;
        (median.n_of == Counted::Launches).then_some(median.value)
    }

    /// What stands behind the figures, if there are any.
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

/// What stands behind the figures of a cell, the least first.
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
    pub(super) evidence: Evidence,
    /// `rounds_to_settle` while nothing is settled yet.
    #[serde(skip)]
    pub(super) rounds_forecast: Option<u64>,
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

/// Speed states among the medians of a cell's blocks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SpeedStates {
    /// Median latency in the slow state / in the fast one.
    pub slow_to_fast_ratio: Ratio,
    /// Share of the blocks in the slow state.
    pub slow_share_ratio: Ratio,
}

/// Two modes of a cell's latencies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencyModes {
    /// Median latency of the fast mode, in nanoseconds.
    pub fast_ns: f64,
    /// Median latency of the slow mode, in nanoseconds.
    pub slow_ns: f64,
    /// Share of the inferences in the slow mode.
    pub slow_share_ratio: Ratio,
}

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
    /// Whether a batch size larger than `enough` was measured, so that throughput is known to have saturated.
    pub saturated: bool,
}

/// Share of the largest throughput from which on a batch size counts as large enough: what is still missing is
/// less than what one more doubling usually costs in latency.
pub const SATURATION_SHARE: f64 = 0.95;

/// One batch size of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Samples per inference.
    pub batch_size: u64,
    /// Predictions per second.
    pub throughput_per_sec: f64,
    /// Median latency of one inference, in nanoseconds.
    pub latency_p50_ns: f64,
    /// What stands behind both.
    pub support: Support,
}

impl Change {
    /// How many times as fast as the baseline a latency ratio makes the session: the reciprocal of the ratio.
    #[must_use]
    pub fn speedup(&self) -> Option<(f64, Option<Interval>)> {
        let measured = self.ratio.measured()?;
        Some((1.0 / measured.value, measured.interval.map(Interval::reciprocal)))
    }
}
