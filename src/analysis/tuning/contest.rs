//! Two configurations that took turns: what one costs over the other, round by round, and how sure
//! each look has to be.

use std::collections::{BTreeMap, HashSet};

use crate::analysis::figures::change::log_rounds;
use crate::analysis::figures::energy::{gpu_of_launch, gpu_per_prediction};
use crate::analysis::{Estimate, Index, Measured};
use crate::metric::Metric;
use crate::plan::{CellKey, Objective};
use crate::record::{BlockRecord, LaunchCell, Pairs};
use crate::stats::{CONFIDENCE, PairedRatio};

/// The figure that an objective makes as good as possible.
#[must_use]
pub fn metric(objective: Objective, on_gpu: bool) -> Metric {
    match (objective, on_gpu) {
        (Objective::Throughput, _) => Metric::Throughput,
        (Objective::Latency, _) => Metric::LatencyP50,
        (Objective::Memory, _) => Metric::PeakMemory,
        (Objective::Energy, true) => Metric::GpuEnergy,
        (Objective::Energy, false) => Metric::CpuEnergy,
    }
}

/// The change of cost below which two configurations are not told apart, on the scale of the
/// logarithm.
#[must_use]
pub fn floor(objective: Objective) -> f64 {
    metric(objective, false)
        .noise_floor()
        .unwrap_or_default()
        .0
        .ln_1p()
}

/// A configuration that is held against another one over rounds in which they took turns.
#[derive(Clone, Copy, Debug)]
pub struct Turns<'a> {
    /// The configuration.
    pub key: CellKey,
    /// The other one.
    pub against: CellKey,
    /// The rounds.
    pub rounds: &'a [u64],
}

/// The cost of one configuration over that of another; `None` where they share no round, or have no
/// such figure. A cost is what less of is better: seconds per prediction for the throughput.
pub(super) fn contest(
    index: &Index<'_>,
    objective: Objective,
    turns: Turns<'_>,
) -> Option<PairedRatio> {
    let sides = Sides {
        index,
        key: turns.key,
        against: turns.against,
        rounds: turns.rounds.iter().copied().collect(),
    };
    PairedRatio::of(&sides.log_ratios(objective))
}

struct Sides<'a> {
    index: &'a Index<'a>,
    key: CellKey,
    against: CellKey,
    rounds: HashSet<u64>,
}

impl Sides<'_> {
    fn log_ratios(&self, objective: Objective) -> Vec<Vec<f64>> {
        match objective {
            Objective::Throughput => {
                self.of_blocks(|block| block.elapsed_ns.as_secs_f64() / block.predictions())
            }
            Objective::Latency => self.of_blocks(|block| block.median_ns.as_f64()),
            Objective::Memory => self.of_launches(|cell| Some(cell.peak_memory_bytes?.as_f64())),
            Objective::Energy => match [self.key, self.against]
                .map(|key| self.index.is_on_gpu(key.session))
            {
                [true, true] => self.of_launches(|cell| gpu_of_launch(gpu_per_prediction, cell)),
                [false, false] => self.of_blocks(cpu_joules_per_prediction),
                _ => Vec::new(),
            },
        }
    }

    fn of_blocks(&self, cost: fn(&BlockRecord) -> f64) -> Vec<Vec<f64>> {
        Pairs::new(&self.blocks(self.key), &self.blocks(self.against)).log_ratios(cost)
    }

    fn blocks(&self, key: CellKey) -> Vec<&BlockRecord> {
        self.index
            .blocks(key)
            .iter()
            .copied()
            .filter(|block| self.rounds.contains(&block.round))
            .collect()
    }

    /// One pair a round, of those in which both have the figure.
    fn of_launches(&self, cost: fn(&LaunchCell) -> Option<f64>) -> Vec<Vec<f64>> {
        let others = self.launches(self.against, cost);
        log_rounds(
            self.launches(self.key, cost)
                .into_iter()
                .filter_map(|(round, cost)| Some(cost / others.get(&round)?)),
        )
    }

    /// By round.
    fn launches(&self, key: CellKey, cost: fn(&LaunchCell) -> Option<f64>) -> BTreeMap<u64, f64> {
        self.index
            .launch_cells(key)
            .iter()
            .filter(|(launch, _)| self.rounds.contains(&launch.round))
            .filter_map(|(launch, cell)| Some((launch.round, cost(cell)?)))
            .collect()
    }
}

/// A contest as an estimate of the cost of the one over the other's: below 1 is better.
pub(super) fn estimate(paired: &PairedRatio) -> Estimate {
    Estimate::Measured(Measured::over_launches(&paired.ratio()))
}

/// Not a number, so that its pairs are left out, where the counters were not read.
fn cpu_joules_per_prediction(block: &BlockRecord) -> f64 {
    block
        .cpu_energy
        .as_ref()
        .map_or(f64::NAN, |energy| energy.total().0 / block.predictions())
}

/// Rounds of a heat after which it is looked at, and the probability of a false drop that each look
/// may spend, on one side. With 8 rounds the signed-rank test reaches 0.4%, a fifth of 2%: enough
/// against each of five others.
pub const LOOKS: [(u64, f64); 6] = [
    (8, 0.02),
    (14, 0.0025),
    (24, 0.001),
    (40, 0.0005),
    (64, 0.0005),
    (100, 0.0005),
];

/// How much wider than its 95% interval a figure's doubt is taken to be when it is held against the
/// SLO, because a heat is looked at up to six times: 1.35 x 1.96 standard errors leave 0.4% out on
/// one side, and six times that are 2.5%.
pub const SLO_WIDENED: f64 = 1.35;

/// Probability of dropping a configuration that is no worse than any other in a heat, at most.
#[must_use]
pub fn drop_error() -> f64 {
    LOOKS.iter().map(|(_, error)| error).sum()
}

/// Probability of dropping a configuration that keeps the SLO in a heat, at most: what a 95%
/// interval leaves out on one side.
#[must_use]
pub fn slo_error() -> f64 {
    (1.0 - CONFIDENCE) / 2.0
}

/// How sure one look has to be that the SLO is broken.
#[must_use]
pub fn slo_confidence() -> f64 {
    1.0 - slo_error() / LOOKS.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_looks_together_spend_what_an_interval_leaves_out_on_one_side() {
        assert!((drop_error() - slo_error()).abs() < 1e-12);
        // The standard normal distribution at 1.35 x 1.96, from tables: 0.99593.
        assert!(
            (slo_confidence() - 0.99593).abs() < 2e-4 && (SLO_WIDENED * 1.96 - 2.646).abs() < 1e-9
        );
    }
}
