//! How latency, throughput and memory go with batch size and shape, and what an idle gap costs.
//!
//! Begin at [`Scaling`].

mod cliff;
mod curve;
mod idle;
mod knee;
mod launches;
mod limit;
mod line;
mod memory;
mod types;

pub(super) use cliff::{throughput_change, throughput_ratios};
pub(super) use curve::batch_curves;
pub(super) use idle::idle_gaps;
pub use line::LINE_TOLERANCE;
pub use types::{
    BatchFit, Cliff, CliffEvidence, CliffSign, Deviation, FirstRun, GapFindings, IdleFindings,
    Knee, KneePlace, MemoryFit, Scaling, Within, WithinLimit,
};

use super::decide::facts::Facts;
use super::figures::BatchCurve;
use super::figures::index::Index;
use super::figures::over_launches::median;
use launches::CurveLaunches;

/// In the order of the curves.
pub(super) fn scaling(facts: &Facts<'_>) -> Vec<Scaling> {
    facts
        .curves
        .iter()
        .zip(cliff::cliffs(facts.index, facts.curves))
        .map(|(curve, cliffs)| of_curve(facts, curve, cliffs))
        .collect()
}

/// Without cliffs, which are judged over all curves together.
fn of_curve(facts: &Facts<'_>, curve: &BatchCurve, cliffs: Vec<Cliff>) -> Scaling {
    let launches = CurveLaunches::of(facts.index, curve);
    let is_first = Some(&curve.load_mode) == facts.index.record.plan.load_modes.first();
    Scaling {
        session: curve.session,
        shape: curve.shape,
        load_mode: curve.load_mode,
        knee: knee::knee(&launches),
        fit: line::fit(facts, &launches),
        limits: limit::within(facts, curve),
        cliffs,
        memory: is_first.then(|| memory::fit(facts.index, curve)),
        first_runs: if is_first {
            first_runs(facts.index, &launches)
        } else {
            Vec::new()
        },
    }
}

/// Memory is planned and taken, and kernels are prepared: each batch size's by itself and over the
/// median of the same launch.
fn first_runs(index: &Index<'_>, measured: &CurveLaunches<'_>) -> Vec<FirstRun> {
    index
        .record
        .plan
        .batch_sizes
        .iter()
        .filter_map(|&batch_size| first_run(index, measured, batch_size))
        .collect()
}

/// `None` where no launch began.
fn first_run(index: &Index<'_>, measured: &CurveLaunches<'_>, batch_size: u64) -> Option<FirstRun> {
    let launches = index.launch_cells(measured.curve.key(batch_size));
    if launches.is_empty() {
        return None;
    }
    let points = measured.at(batch_size);
    let times: Vec<f64> = launches
        .iter()
        .map(|(_, cell)| cell.first_run_ns.as_f64())
        .collect();
    let ratios = launches.iter().filter_map(|(launch, cell)| {
        Some(
            cell.first_run_ns.as_f64()
                / points
                    .iter()
                    .find(|point| point.launch == launch.launch)?
                    .median_ns,
        )
    });
    Some(FirstRun {
        batch_size,
        first_run_ns: median(&times, "no launch came to the end of the cell"),
        over_median: median(&ratios.collect::<Vec<_>>(), "no launch has both"),
    })
}
