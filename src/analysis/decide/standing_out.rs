//! Findings that stand out: the fastest cell, the least certain score, and the score that is to be
//! kept.

use crate::analysis::{CellFindings, Findings, Interval, Measured, SessionFindings};
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

fn highest<'a>(
    cells: impl Iterator<Item = &'a CellFindings>,
    metric: Metric,
) -> Option<&'a CellFindings> {
    cells
        .filter_map(|cell| Some((cell, cell.value(metric)?)))
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .map(|(cell, _)| cell)
}
