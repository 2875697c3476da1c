//! Latencies of each launch, and percentiles of them against the baseline's.

use super::{Change, Index};
use crate::metric::Metric;
use crate::observed::Observed;
use crate::plan::CellKey;
use crate::record::{LaunchCell, LaunchRecord};
use crate::stats::{Buckets, LaunchLatencies, TailRatio, TooFew};

/// Of each launch that timed the cell. Where those of one are not in the record, as in records of
/// version 1.0, or cannot be read, there are none: to leave the slow ones out would flatter.
pub(in crate::analysis) fn of_launches(
    index: &Index<'_>,
    key: CellKey,
) -> Observed<Vec<LaunchLatencies>> {
    let blocks = index.blocks(key);
    index
        .launch_cells(key)
        .iter()
        .filter(|(launch, _)| blocks.iter().any(|block| block.launch == launch.launch))
        .map(|(launch, cell)| of_launch(launch, cell))
        .collect()
}

fn of_launch(launch: &LaunchRecord, cell: &LaunchCell) -> Observed<LaunchLatencies> {
    let text = cell
        .latency_histogram
        .as_ref()
        .ok_or("the record does not keep the latencies of each launch")?;
    let latencies = Buckets::decode(text).map_err(|error| {
        format!(
            "latencies of launch {} cannot be read: {error}",
            launch.launch
        )
    })?;
    Ok(LaunchLatencies {
        round: launch.round,
        latencies,
    })
}

/// The change that a ratio of percentiles is, not judged yet.
pub(in crate::analysis) fn change(
    metric: Metric,
    ratio: Result<TailRatio, TooFew>,
) -> Observed<Change> {
    match ratio {
        Ok(ratio) => Ok(Change::of_tails(metric, &ratio)),
        Err(too_few) => Err(too_few.to_string().into()),
    }
}
