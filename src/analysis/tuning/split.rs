//! The gain of a search's answer over the defaults, split by what differs.

use super::gain::Field;
use crate::analysis::{Between, Estimate, GainSplit, Ratios, StepBasis, StepRatio};
use crate::metric::Metric;
use crate::plan::CellKey;

/// `None` where fewer than two causes differ, and where no turns lead from one to the other.
pub(super) fn split(field: Field<'_>, between: &Between) -> Option<GainSplit> {
    between.split(&field.judge.record.plan.sessions, &Contests(field))
}

/// Ratios from configurations that took turns.
struct Contests<'a>(Field<'a>);

impl Ratios for Contests<'_> {
    fn ratio(&self, from: CellKey, to: CellKey) -> Option<StepRatio> {
        let gain = self.0.gain(to, from)?;
        Some(StepRatio {
            factor: gain.cost_ratio.reciprocal(),
            basis: if gain.is_direct {
                StepBasis::InTurns
            } else {
                StepBasis::ByWayOfOthers
            },
        })
    }

    fn is_measured(&self, key: CellKey) -> bool {
        let cell = self.0.judge.figures.cells.at(key);
        let p50 = cell.and_then(|cell| cell.figure(Metric::LatencyP50));
        p50.is_some_and(|p50: &Estimate| p50.measured().is_some())
    }
}
