//! Whether a choice is a gain over the baseline, and what more throughput costs in latency beyond
//! the knee of a curve.

use crate::analysis::{Basis, BatchCurve, CellFindings, Choice, Interval, Measured, Pick};
use crate::metric::Metric;

/// Why a choice is no gain over the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoGain {
    /// Nothing was chosen.
    NothingChosen,
    /// There is nothing to compare with the baseline, or no baseline.
    NothingToCompare,
    /// Nothing usable was shown to be better.
    NoneShown,
}

impl Choice {
    /// The choice, if it is measurably better than the baseline.
    ///
    /// # Errors
    /// Why it is not.
    pub fn gain(&self) -> Result<&Pick, NoGain> {
        let pick = self.pick().ok_or(NoGain::NothingChosen)?;
        match pick.basis {
            Basis::BeatsBaseline => Ok(pick),
            Basis::OnlyUsable | Basis::BestWithoutBaseline => Err(NoGain::NothingToCompare),
            Basis::NothingBetter => Err(NoGain::NoneShown),
        }
    }
}

/// A batch size with enough throughput against the knee's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trade {
    /// The batch size with enough throughput, larger than the knee's.
    pub batch_size: u64,
    /// Its throughput over that of the knee.
    pub throughput_factor: f64,
    /// Its median latency over that of the knee.
    pub latency_factor: f64,
}

impl BatchCurve {
    /// Cost and gain of the batch size with enough throughput against the knee's; `None` where it
    /// is no larger one.
    #[must_use]
    pub fn trade(&self, knee: u64) -> Option<Trade> {
        let (enough, knee) = self.point(self.enough).zip(self.point(knee))?;
        (enough.batch_size > knee.batch_size).then(|| Trade {
            batch_size: enough.batch_size,
            throughput_factor: enough.throughput_per_sec / knee.throughput_per_sec,
            latency_factor: enough.latency_p50_ns / knee.latency_p50_ns,
        })
    }
}

/// A figure of one cell over that of another which it took no turns with: the interval is between
/// the farthest ends of both, and so wider than 95%. `None` where one of them was not measured.
#[must_use]
pub fn ratio_of_cells(
    metric: Metric,
    before: &CellFindings,
    after: &CellFindings,
) -> Option<Measured> {
    let (before, after) = (
        before.figure(metric)?.measured()?,
        after.figure(metric)?.measured()?,
    );
    let ends = before.interval.zip(after.interval);
    Some(Measured {
        interval: ends.map(|(before, after)| Interval {
            low: after.low / before.high,
            high: after.high / before.low,
        }),
        ..Measured::exact(
            after.value / before.value,
            before.n.min(after.n),
            after.n_of,
        )
    })
}
