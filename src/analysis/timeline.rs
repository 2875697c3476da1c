//! Timed blocks in the order in which they were measured.

use std::collections::HashMap;

use super::findings::Findings;
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::record::{LaunchRecord, Phase, RunRecord};
use crate::units::{Nanos, Ratio};

/// One timed block of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimelineBlock {
    /// Which cell.
    pub key: CellKey,
    /// Start of the block, since the start of the run.
    pub started_ns: Nanos,
    /// Median latency of the block.
    pub median_ns: Nanos,
    /// That / the median latency of its cell over the whole run; absent where the cell has none.
    pub to_cell_ratio: Option<Ratio>,
    /// CPU time / (elapsed x CPUs of the worker); absent where the worker did not say which CPUs it may use.
    pub cpu_utilization_ratio: Option<Ratio>,
    /// Whether something disturbed it.
    pub is_disturbed: bool,
}

/// All timed blocks, in the order of their start.
#[must_use]
pub fn timeline(record: &RunRecord, findings: &Findings) -> Vec<TimelineBlock> {
    let cpus = |launch: &LaunchRecord| Some((launch.launch, launch.effective.as_ref()?.cpus.len()));
    let cpus: HashMap<u64, usize> = record.launches.iter().filter_map(cpus).collect();
    let timed = record.blocks.iter().filter(|block| block.phase == Phase::Timed);
    let mut blocks: Vec<TimelineBlock> = timed
        .map(|block| {
            let centre = findings.cell(block.key).and_then(|cell| cell.value(Metric::LatencyP50));
            let cpus = cpus.get(&block.launch).copied().unwrap_or(0);
            let available = block.span().as_f64() * cpus as f64;
            TimelineBlock {
                key: block.key,
                started_ns: block.started_ns,
                median_ns: block.median_ns,
                to_cell_ratio: centre
                    .filter(|&centre| centre > 0.0)
                    .map(|centre| Ratio(block.median_ns.as_f64() / centre)),
                cpu_utilization_ratio: (available > 0.0).then(|| Ratio(block.cpu_time_ns.as_f64() / available)),
                is_disturbed: !block.disturbances.is_empty(),
            }
        })
        .collect();
    blocks.sort_by_key(|block| block.started_ns);
    blocks
}
