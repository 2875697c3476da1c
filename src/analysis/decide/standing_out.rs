//! Findings that stand out: the fastest cell, the slowest of some, the least certain score, the
//! advice that sets the targets of further work, and the score that is to be kept.

use crate::analysis::{
    Action, Advice, CellFindings, Findings, Interval, Level, Measured, SessionFindings,
};
use crate::metric::{Direction, Metric, Unit};

/// A score that is to be kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreTarget<'a> {
    /// Which.
    pub metric: Metric,
    /// The baseline's value.
    pub baseline: &'a Measured,
    /// The worse end of its interval, which chance alone may reach; absent without an interval.
    pub bound: Option<f64>,
}

impl Findings {
    /// The cell of the highest throughput; `None` where none was measured.
    #[must_use]
    pub fn fastest(&self) -> Option<&CellFindings> {
        highest(self.cells.iter(), Metric::Throughput)
    }

    /// The widest half of an interval of a score that is a share: the change of a score that is
    /// surely seen.
    #[must_use]
    pub fn score_resolution(&self) -> Option<f64> {
        self.sessions
            .iter()
            .filter_map(share_interval)
            .map(|interval| (interval.high - interval.low) / 2.0)
            .reduce(f64::max)
    }

    /// The advice of the largest conservative gain in the median latency of every prediction whose
    /// risk is not high.
    #[must_use]
    pub fn latency_target(&self) -> Option<&Advice> {
        self.target(|advice| {
            advice.metric == Metric::LatencyP50 && !matches!(advice.action, Action::KeepWarm { .. })
        })
    }

    /// The same in throughput.
    #[must_use]
    pub fn throughput_target(&self) -> Option<&Advice> {
        self.target(|advice| advice.metric == Metric::Throughput)
    }

    fn target(&self, is_of: impl Fn(&Advice) -> bool) -> Option<&Advice> {
        self.decisions
            .advice
            .iter()
            .find(|advice| is_of(advice) && advice.risk != Level::High)
    }

    /// The baseline's leading score; `None` where it has none.
    #[must_use]
    pub fn score_target(&self) -> Option<ScoreTarget<'_>> {
        let baseline = self.sessions.iter().find(|session| session.is_baseline)?;
        let (metric, baseline) = Metric::SCORES
            .into_iter()
            .find_map(|metric| Some((metric, baseline.figure(metric)?.measured()?)))?;
        let bound = baseline.interval.map(|ends| match metric.direction() {
            Direction::Higher => ends.low,
            _ => ends.high,
        });
        Some(ScoreTarget {
            metric,
            baseline,
            bound,
        })
    }
}

/// Of the first score that is a share.
fn share_interval(session: &SessionFindings) -> Option<Interval> {
    Metric::SCORES
        .into_iter()
        .filter(|metric| metric.unit() == Unit::Ratio)
        .find_map(|metric| session.figure(metric)?.interval())
}

/// The cell of the longest median latency among some.
#[must_use]
pub fn slowest<'a>(cells: &[&'a CellFindings]) -> Option<&'a CellFindings> {
    highest(cells.iter().copied(), Metric::LatencyP50)
}

fn highest<'a>(
    cells: impl Iterator<Item = &'a CellFindings>,
    metric: Metric,
) -> Option<&'a CellFindings> {
    cells
        .filter_map(|cell| Some((cell, cell.value(metric)?)))
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .map(|(cell, _)| cell)
}
