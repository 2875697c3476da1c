//! How much better a session is than the baseline, by what was asked for.

use serde::Serialize;

use crate::analysis::decide::facts::Facts;
use crate::analysis::{BatchCurve, CellFindings, Change, Estimate, Interval, Measured, Verdict};
use crate::metric::{Direction, Metric};
use crate::plan::{CellKey, Objective};
use crate::stats::MIN_LAUNCHES;

/// How a session compares with the baseline by the objective.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advantage {
    /// The figure that decides.
    pub metric: Metric,
    /// Session / baseline.
    pub ratio: Estimate,
    /// The baseline's cell.
    pub baseline: CellKey,
    /// Whether it is better.
    pub speed: Speed,
    /// About how many more rounds would settle it; absent where it is settled, and where nothing
    /// tells.
    pub rounds_to_settle: Option<u64>,
}

/// Whether a session is better than the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Speed {
    /// It is shown to be.
    Better,
    /// It is shown to be worse, the same, or better by no more than the noise floor.
    NotBetter,
    /// Neither is shown.
    Open,
}

impl Advantage {
    /// How many times as good as the baseline: above 1 is better, whatever the metric's direction.
    #[must_use]
    pub fn factor(&self) -> Option<f64> {
        self.ratio
            .value()
            .map(|ratio| times_as_good(self.metric, ratio))
    }

    /// The interval of [`Advantage::factor`].
    #[must_use]
    pub fn factor_interval(&self) -> Option<Interval> {
        let interval = self.ratio.interval()?;
        Some(match self.metric.direction() {
            Direction::Higher => interval,
            Direction::Lower | Direction::Neutral => interval.reciprocal(),
        })
    }

    /// Whether it rests on as many launches as an interval takes.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        self.ratio
            .measured()
            .is_some_and(|found| found.interval.is_some() && found.n >= MIN_LAUNCHES)
    }

    /// Whether it looks better by more than the noise floor, shown or not.
    #[must_use]
    pub fn looks_better(&self) -> bool {
        self.factor()
            .is_some_and(|factor| factor > 1.0 + floor(self.metric))
    }
}

fn times_as_good(metric: Metric, ratio: f64) -> f64 {
    match metric.direction() {
        Direction::Higher => ratio,
        Direction::Lower | Direction::Neutral => 1.0 / ratio,
    }
}

fn floor(metric: Metric) -> f64 {
    metric.noise_floor().unwrap_or_default().0
}

/// The metric that an objective is judged by.
pub(super) fn metric(facts: &Facts<'_>, objective: Objective) -> Metric {
    match objective {
        Objective::Latency => Metric::LatencyP50,
        Objective::Throughput => Metric::Throughput,
        Objective::Memory => Metric::PeakMemory,
        Objective::Energy if is_on_gpu(facts) => Metric::GpuEnergy,
        Objective::Energy => Metric::CpuEnergy,
    }
}

fn is_on_gpu(facts: &Facts<'_>) -> bool {
    facts
        .index
        .baseline
        .is_some_and(|baseline| facts.index.is_on_gpu(baseline))
}

/// The cell that a session is judged by: that of single predictions, or for throughput the smallest
/// batch size that is shown to be enough.
pub(super) fn cell<'f>(
    facts: &'f Facts<'_>,
    objective: Objective,
    session: usize,
) -> Option<&'f CellFindings> {
    if objective != Objective::Throughput {
        return facts
            .single()
            .into_iter()
            .find(|cell| cell.key.session == session);
    }
    let shape = facts.single().first()?.key.shape;
    let is_its = |curve: &&BatchCurve| curve.session == session && curve.shape == shape;
    let curve = facts.curves.iter().find(is_its)?;
    facts.cell(curve.key(curve.shown()?))
}

/// `None` where one of both was not measured there.
pub(super) fn of(
    facts: &Facts<'_>,
    objective: Objective,
    cell: &CellFindings,
) -> Option<Advantage> {
    let metric = metric(facts, objective);
    let baseline = CellKey {
        session: facts.index.baseline?,
        ..cell.key
    };
    let comparison = cell.comparison.as_ref();
    match objective {
        Objective::Latency => of_change(metric, baseline, &comparison?.p50),
        Objective::Throughput => of_change(metric, baseline, &comparison?.throughput),
        Objective::Memory | Objective::Energy => of_figures(
            metric,
            baseline,
            cell.figure(metric)?.measured()?,
            facts.cell(baseline)?.figure(metric)?.measured()?,
        ),
    }
}

fn of_change(metric: Metric, baseline: CellKey, change: &Change) -> Option<Advantage> {
    change.ratio.measured()?;
    let mut advantage = Advantage {
        metric,
        ratio: change.ratio.clone(),
        baseline,
        speed: Speed::Open,
        rounds_to_settle: change.rounds_to_settle,
    };
    advantage.speed = match change.verdict {
        Verdict::Faster => Speed::Better,
        Verdict::Slower | Verdict::Same => Speed::NotBetter,
        Verdict::Inconclusive => by_interval(&advantage, Speed::Open),
    };
    Some(advantage)
}

/// Of figures that were not taken in turns: between the ends of both intervals.
fn of_figures(
    metric: Metric,
    baseline: CellKey,
    own: &Measured,
    base: &Measured,
) -> Option<Advantage> {
    let (ends, others) = (own.interval?, base.interval?);
    let ratio = Measured {
        interval: Some(Interval {
            low: ends.low / others.high,
            high: ends.high / others.low,
        }),
        ..Measured::exact(own.value / base.value, own.n.min(base.n), own.n_of)
    };
    let mut advantage = Advantage {
        metric,
        ratio: Estimate::Measured(ratio),
        baseline,
        speed: Speed::Open,
        rounds_to_settle: None,
    };
    let surely = |interval: Interval| interval.low > 1.0 + floor(metric);
    let otherwise = if advantage.factor_interval().is_some_and(surely) {
        Speed::Better
    } else {
        Speed::Open
    };
    advantage.speed = by_interval(&advantage, otherwise);
    Some(advantage)
}

/// Whether the whole interval lies at or below what noise makes of equals.
fn by_interval(advantage: &Advantage, otherwise: Speed) -> Speed {
    let is_no_better = |interval: Interval| interval.high <= 1.0 + floor(advantage.metric);
    if advantage.is_covered() && advantage.factor_interval().is_some_and(is_no_better) {
        Speed::NotBetter
    } else {
        otherwise
    }
}
