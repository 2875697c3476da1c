//! One figure held against a budget.

use serde::Serialize;

use super::at_load::{self, AtLoad, NOT_UNDER_LOAD};
use super::verdict::{self, Basis, GateVerdict, Judgement, Same, Settling};
use crate::analysis::figures::pace;
use crate::analysis::figures::source::quantile;
use crate::analysis::figures::{CellFindings, Counted, Estimate, Figures, SessionFindings, find};
use crate::check::{Side, Slo};
use crate::metric::{Group, Level, Metric};
use crate::plan::CellKey;
use crate::record::{Outcome, RunRecord};
use crate::stats::early_stopping::{self, Under};
use crate::stats::{Buckets, Quantile};
use crate::units::Nanos;

/// Figure, ratio or difference that is held against a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The figure itself, in the metric's base unit.
    Figure,
    /// The figure over the baseline's.
    RatioToBaseline,
    /// The figure less the baseline's, in the metric's base unit.
    DifferenceToBaseline,
}

pub(super) struct Case {
    pub(super) held: Held,
    pub(super) figure: Estimate,
    pub(super) side: Side,
    pub(super) budget: f64,
    pub(super) pairing: Pairing,
}

/// How the sides of a case were measured with regard to each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pairing {
    /// There is one, or they were measured apart.
    Apart,
    /// In turns, or on the same samples.
    Together,
    /// While other work was going on, which slows both down unlike, whether they took turns or not.
    Unlike,
    /// They are the same.
    Same(Same),
}

pub(super) struct Target<'a> {
    pub(super) session: &'a SessionFindings,
    pub(super) cell: Option<&'a CellFindings>,
    /// Under load, for its metrics.
    pub(super) load: Option<AtLoad<'a>>,
}

impl Target<'_> {
    pub(super) fn figure(&self, metric: Metric) -> Estimate {
        if metric.level() == Level::Load {
            return self.load.map_or_else(
                || Estimate::absent(NOT_UNDER_LOAD),
                |load| load.figure(metric),
            );
        }
        find(
            self.cell
                .map_or(&self.session.figures, |cell| &cell.figures),
            metric,
        )
        .cloned()
        .unwrap_or_else(|| Estimate::absent(self.why_absent(metric)))
    }

    fn why_absent(&self, metric: Metric) -> &str {
        let accuracy = &self.session.accuracy;
        match (metric.group(), &accuracy.absent_reason) {
            (Group::Gpu, _) => "the session ran on no GPU that is observed",
            (Group::CpuEnergy, _) => "the run did not measure it",
            (_, Some(reason)) => reason,
            (Group::Agreement, None) if accuracy.reference.is_none() => {
                match self.session.is_baseline {
                    true => "its outputs are what the others are compared with",
                    false => "its outputs were compared with nothing",
                }
            }
            (_, None) => "its outputs are not scored by it",
        }
    }

    /// `None` where something was measured.
    pub(super) fn failure(&self) -> Option<String> {
        if let Some(load) = self.load {
            return load.failure();
        }
        let outcome = self
            .cell
            .map_or(&self.session.outcome, |cell| &cell.outcome);
        match outcome {
            Outcome::Ok => None,
            Outcome::Failed(failure) => Some(format!("it failed: {}", failure.message.exact())),
            Outcome::Skipped { reason } => Some(format!("it was not measured: {}", reason.exact())),
        }
    }
}

/// Whether a metric depends on how fast the machine was.
#[must_use]
pub fn is_timing(metric: Metric) -> bool {
    metric.is_timing()
}

/// Whether a metric is one of outputs, for which they are scored.
#[must_use]
pub fn is_of_outputs(metric: Metric) -> bool {
    matches!(
        metric.group(),
        Group::LeadingScore | Group::OtherScore | Group::Agreement
    )
}

/// MLPerf's.
const EARLY_STOPPING_CONFIDENCE: f64 = 0.99;

/// The figure and the judgement of an SLO on one cell, or of its session where the metric is one of
/// sessions: the figure and the judgement; `None` for a cell that the run does not have.
#[must_use]
pub fn held_at(
    slo: &Slo,
    record: &RunRecord,
    figures: Figures<'_>,
    key: CellKey,
) -> Option<(Estimate, Judgement)> {
    let target = Target {
        session: figures.sessions.get(key.session)?,
        cell: (slo.metric.level() == Level::Cell).then_some(figures.cells.at(key)?),
        load: None,
    };
    let case = Case {
        held: Held::Figure,
        figure: target.figure(slo.metric),
        side: slo.side,
        budget: slo.limit,
        pairing: Pairing::Apart,
    };
    let judgement = judged(slo.metric, &target, record, &case);
    Some((case.figure, judgement))
}

pub(super) fn judged(
    metric: Metric,
    target: &Target<'_>,
    record: &RunRecord,
    case: &Case,
) -> Judgement {
    let judgement = untimed(metric, target, record, case);
    Judgement {
        settling: judgement.settling.map(|settling| Settling {
            time_ns: time(&settling, target, record),
            ..settling
        }),
        ..judgement
    }
}

/// `None` where more rounds would not bring it, and under load, whose rounds take longer.
fn time(settling: &Settling, target: &Target<'_>, record: &RunRecord) -> Option<Nanos> {
    if target.load.is_some() {
        return None;
    }
    let rounds = match settling.of {
        Counted::Launches => settling.more,
        Counted::Inferences => {
            let cell = target.cell?;
            let n = cell.figure(Metric::LatencyMin)?.measured()?.n;
            (settling.more as f64 * cell.launches_count as f64 / n as f64).ceil() as u64
        }
        Counted::Blocks
        | Counted::Samples
        | Counted::Files
        | Counted::Pairs
        | Counted::Requests
        | Counted::Parts => return None,
    };
    Some(pace::rounds(rounds, pace::round_time(record)?))
}

/// Why times of sides that use the machine unlike decide nothing.
const UNLIKE: &str = "other work was going on, and both sides differ in threads, spinning, binding or execution provider, which it slows down unlike: measure on a quiet machine";

fn untimed(metric: Metric, target: &Target<'_>, record: &RunRecord, case: &Case) -> Judgement {
    if case.pairing == Pairing::Unlike && metric.is_timing() && case.figure.measured().is_some() {
        return Judgement::without_figure(GateVerdict::Inconclusive, UNLIKE);
    }
    if let (Pairing::Same(of), Some(value)) = (case.pairing, case.figure.value()) {
        let verdict = match case.side.allows(value, case.budget) {
            true => GateVerdict::Pass,
            false => GateVerdict::Fail,
        };
        return Judgement::by(Basis::Same { of }, verdict);
    }
    if let (Some(quantile), Held::Figure, Side::AtMost) = (quantile(metric), case.held, case.side)
        && let Some(latencies) = latencies(record, target)
    {
        return percentile(quantile, &latencies, case);
    }
    if metric.level() == Level::Load {
        return at_load::judge(&case.figure, case.side, case.budget);
    }
    verdict::judge(&case.figure, case.side, case.budget)
}

fn latencies(record: &RunRecord, target: &Target<'_>) -> Option<Buckets> {
    Buckets::decode(record.cell(target.cell?.key)?.latency_histogram.as_ref()?).ok()
}

/// The early-stopping rule also speaks where the sample is too small for an interval, but takes
/// inferences as independent, which the interval does not: where there is one, it must agree.
fn percentile(quantile: Quantile, latencies: &Buckets, case: &Case) -> Judgement {
    // A latency is above a budget of fractions of a nanosecond exactly where it is above the whole
    // nanoseconds of it.
    let overruns_count = latencies.count_above(Nanos(case.budget as u64));
    let under = early_stopping::is_under(
        quantile,
        latencies.count(),
        overruns_count,
        EARLY_STOPPING_CONFIDENCE,
    );
    let interval = case.figure.interval();
    let above = interval.is_some_and(|interval| interval.low > case.budget);
    let below = interval.is_none_or(|interval| interval.high <= case.budget);
    let decided = |verdict| Judgement::by(Basis::EarlyStopping { overruns_count }, verdict);
    match under {
        Under::Proven if below => decided(GateVerdict::Pass),
        Under::Proven => verdict::judge(&case.figure, case.side, case.budget),
        Under::Refuted | Under::Open { .. } if above => {
            Judgement::by(Basis::Interval, GateVerdict::Fail)
        }
        Under::Refuted if interval.is_none() => decided(GateVerdict::Fail),
        Under::Refuted => decided(GateVerdict::Inconclusive),
        Under::Open { more_inferences } => Judgement {
            settling: Some(Settling {
                more: more_inferences,
                of: Counted::Inferences,
                time_ns: None,
            }),
            ..decided(GateVerdict::Inconclusive)
        },
    }
}
