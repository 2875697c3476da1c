//! What the first inference at each batch size and shape takes: memory is planned and taken, and kernels are prepared.

use super::launches::CurveLaunches;
use super::types::FirstRun;
use crate::analysis::figures::index::Index;
use crate::analysis::figures::over_launches::median;

/// Of each batch size of a curve, by itself and over the median of the same launch.
pub(super) fn first_runs(index: &Index<'_>, measured: &CurveLaunches<'_>) -> Vec<FirstRun> {
    let is_begun = |batch_size: &u64| !index.launch_cells(measured.curve.key(*batch_size)).is_empty();
    let begun = index.record.plan.batch_sizes.iter().copied().filter(is_begun);
    begun.map(|batch_size| first_run(index, measured, batch_size)).collect()
}

fn first_run(index: &Index<'_>, measured: &CurveLaunches<'_>, batch_size: u64) -> FirstRun {
    let launches = index.launch_cells(measured.curve.key(batch_size));
    let points = measured.at(batch_size);
    let times: Vec<f64> = launches.iter().map(|(_, cell)| cell.first_run_ns.as_f64()).collect();
    let ratios = launches.iter().filter_map(|(launch, cell)| {
        let point = points.iter().find(|point| point.launch == launch.launch)?;
        Some(cell.first_run_ns.as_f64() / point.median_ns)
    });
    FirstRun {
        batch_size,
        first_run_ns: median(&times, "no launch came to the end of the cell"),
        over_median: median(&ratios.collect::<Vec<_>>(), "no launch has both"),
    }
}
