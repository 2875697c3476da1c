//! Which advice sets the targets of further work, and which score is to be kept.

use crate::analysis::{Action, Advice, Findings, Level, Measured};
use crate::metric::{Direction, Metric};

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
    /// The advice of the largest conservative gain in the median latency of every prediction whose risk is not high.
    #[must_use]
    pub fn latency_target(&self) -> Option<&Advice> {
        let is_kept_warm = |advice: &Advice| matches!(advice.action, Action::KeepWarm { .. });
        self.target(|advice| advice.metric == Metric::LatencyP50 && !is_kept_warm(advice))
    }

    /// The same in throughput.
    #[must_use]
    pub fn throughput_target(&self) -> Option<&Advice> {
        self.target(|advice| advice.metric == Metric::Throughput)
    }

    fn target(&self, is_of: impl Fn(&Advice) -> bool) -> Option<&Advice> {
        self.decisions.advice.iter().find(|advice| is_of(advice) && advice.risk != Level::High)
    }

    /// The baseline's leading score; `None` where it has none.
    #[must_use]
    pub fn score_target(&self) -> Option<ScoreTarget<'_>> {
        let baseline = self.sessions.iter().find(|session| session.is_baseline)?;
        let scored = |metric: Metric| Some((metric, baseline.figure(metric)?.measured()?));
        let (metric, baseline) = Metric::SCORES.into_iter().find_map(scored)?;
        let bound = baseline.interval.map(|ends| match metric.direction() {
            Direction::Higher => ends.low,
            _ => ends.high,
        });
        Some(ScoreTarget { metric, baseline, bound })
    }
}
