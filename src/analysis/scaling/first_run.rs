//! What the first inference at each batch size and shape takes: memory is planned and taken, and kernels are prepared.

use super::by_launch;
use super::types::FirstRun;
use crate::analysis::findings::BatchCurve;
use crate::analysis::index::Index;
use crate::analysis::over_launches::{median, median_of_blocks};

/// The first inference of each batch size of a curve, by itself and over the median of the same launch.
pub(super) fn first_runs(index: &Index<'_>, curve: &BatchCurve) -> Vec<FirstRun> {
    let first_run = |batch_size: u64| {
        let key = curve.key(batch_size);
        let launches = index.launch_cells(key);
        let medians = by_launch(index.blocks(key), |blocks| median_of_blocks(blocks, |block| block.median_ns));
        let times: Vec<f64> = launches.iter().map(|(_, cell)| cell.first_run_ns.as_f64()).collect();
        let ratios: Vec<f64> = launches
            .iter()
            .filter_map(|(launch, cell)| Some(cell.first_run_ns.as_f64() / medians.get(&launch.launch)?))
            .collect();
        FirstRun {
            batch_size,
            first_run_ns: median(&times, "no launch reported it"),
            over_median: median(&ratios, "no launch has both"),
        }
    };
    let is_begun = |batch_size: &u64| !index.launch_cells(curve.key(*batch_size)).is_empty();
    index.record.plan.batch_sizes.iter().copied().filter(is_begun).map(first_run).collect()
}
