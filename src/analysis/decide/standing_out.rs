//! What stands out among the figures: the fastest cell, the slowest of some, the least certain score.

use crate::analysis::{CellFindings, Findings, SessionFindings};
use crate::metric::{Metric, Unit};

impl Findings {
    /// The cell of the highest throughput; `None` where none was measured.
    #[must_use]
    pub fn fastest(&self) -> Option<&CellFindings> {
        highest(self.cells.iter(), Metric::Throughput)
    }

    /// The widest half of an interval of a score that is a share: the change of a score that is surely seen.
    #[must_use]
    pub fn score_resolution(&self) -> Option<f64> {
        let shares = || Metric::SCORES.into_iter().filter(|metric| metric.unit() == Unit::Ratio);
        let interval = |session: &SessionFindings| shares().find_map(|metric| session.figure(metric)?.interval());
        let intervals = self.sessions.iter().filter_map(interval);
        intervals.map(|interval| (interval.high - interval.low) / 2.0).reduce(f64::max)
    }
}

/// The cell of the longest median latency among some.
#[must_use]
pub fn slowest<'a>(cells: &[&'a CellFindings]) -> Option<&'a CellFindings> {
    highest(cells.iter().copied(), Metric::LatencyP50)
}

fn highest<'a>(cells: impl Iterator<Item = &'a CellFindings>, metric: Metric) -> Option<&'a CellFindings> {
    let measured = cells.filter_map(|cell| Some((cell, cell.value(metric)?)));
    measured.max_by(|one, other| one.1.total_cmp(&other.1)).map(|(cell, _)| cell)
}
