//! Two configurations that took turns: what one costs over the other, round by round.

use std::collections::{BTreeMap, HashSet};

use crate::analysis::figures::energy::{gpu_of_launch, gpu_per_prediction};
use crate::analysis::figures::index::Index;
use crate::analysis::figures::{Estimate, Measured};
use crate::metric::Metric;
use crate::plan::{CellKey, Objective};
use crate::record::{BlockRecord, LaunchCell, Pairs};
use crate::stats::PairedRatio;

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

/// The change of cost below which two configurations are not told apart, on the scale of the logarithm.
#[must_use]
pub fn floor(objective: Objective) -> f64 {
    metric(objective, false).noise_floor().unwrap_or_default().0.ln_1p()
}

/// The cost of one configuration over that of another in the rounds named; `None` where they share none, or have no
/// such figure. A cost is what less of is better: seconds per prediction for the throughput.
pub(in crate::analysis) fn contest(
    index: &Index<'_>,
    objective: Objective,
    [one, other]: [CellKey; 2],
    rounds: &[u64],
) -> Option<PairedRatio> {
    let rounds: HashSet<u64> = rounds.iter().copied().collect();
    let on_gpu = |key: CellKey| index.record.plan.sessions[key.session].nvidia_device().is_some();
    let blocks = |figure: fn(&BlockRecord) -> f64| {
        let of = |key| -> Vec<&BlockRecord> {
            index.blocks(key).iter().copied().filter(|block| rounds.contains(&block.round)).collect()
        };
        Pairs::new(&of(one), &of(other)).log_ratios(figure)
    };
    let launches = |figure: &dyn Fn(&LaunchCell) -> Option<f64>| {
        let of = |key| -> BTreeMap<u64, f64> {
            let cells = index.launch_cells(key).iter().filter(|(launch, _)| rounds.contains(&launch.round));
            cells.filter_map(|(launch, cell)| Some((launch.round, figure(cell)?))).collect()
        };
        let others = of(other);
        let ratio = |(round, cost): (u64, f64)| Some(vec![(cost / others.get(&round)?).ln()]);
        of(one).into_iter().filter_map(ratio).filter(|ratio| ratio[0].is_finite()).collect()
    };
    let ratios = match objective {
        Objective::Throughput => blocks(seconds_per_prediction),
        Objective::Latency => blocks(|block| block.median_ns.as_f64()),
        Objective::Memory => launches(&|cell| Some(cell.peak_memory_bytes?.as_f64())),
        Objective::Energy if on_gpu(one) && on_gpu(other) => launches(&gpu_joules_per_prediction),
        Objective::Energy if on_gpu(one) || on_gpu(other) => Vec::new(),
        Objective::Energy => blocks(cpu_joules_per_prediction),
    };
    PairedRatio::of(&ratios)
}

/// A contest as an estimate of the cost of the one over the other's: below 1 is better.
pub(super) fn estimate(paired: &PairedRatio) -> Estimate {
    Estimate::Measured(Measured::over_launches(&paired.ratio()))
}

fn predictions(block: &BlockRecord) -> f64 {
    block.inferences_count as f64 * block.key.batch_size as f64
}

fn seconds_per_prediction(block: &BlockRecord) -> f64 {
    block.elapsed_ns.as_secs_f64() / predictions(block)
}

/// Not a number, so that its pairs are left out, where the counters were not read.
fn cpu_joules_per_prediction(block: &BlockRecord) -> f64 {
    block.cpu_energy.as_ref().map_or(f64::NAN, |energy| energy.total().0 / predictions(block))
}

fn gpu_joules_per_prediction(cell: &LaunchCell) -> Option<f64> {
    gpu_of_launch(gpu_per_prediction, cell)
}
