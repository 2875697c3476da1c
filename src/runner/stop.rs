//! When the figures are as narrow as asked for.

use std::collections::HashMap;

use crate::plan::CellKey;
use crate::record::{BlockRecord, Pairs, Phase, RunRecord};
use crate::stats;

use super::pace::TARGET_ROUNDS;

/// Whether every ratio to the baseline (every median, where there is nothing to compare) is within the target.
///
/// It is not asked before [`TARGET_ROUNDS`] rounds are done: an interval of few launches can be narrow by luck.
pub(super) fn target_reached(record: &RunRecord) -> bool {
    let target = record.plan.schedule.target_half_width_ratio.0;
    let blocks = timed_blocks(record);
    let measured: Vec<CellKey> = record.cells.iter().filter(|cell| cell.outcome.is_ok()).map(|cell| cell.key).collect();
    let rounds = record.blocks.iter().map(|block| block.round + 1).max().unwrap_or(0);
    rounds >= TARGET_ROUNDS
        && !measured.is_empty()
        && measured.iter().all(|&key| half_width(record, &blocks, key).is_some_and(|width| width <= target))
}

/// Relative half-width of what is asked of a cell; zero for the baseline's cells beside others, which are the measure.
fn half_width(record: &RunRecord, blocks: &Blocks<'_>, key: CellKey) -> Option<f64> {
    let own = blocks.get(&key)?;
    match record.plan.baseline_session() {
        Some(session) if session != key.session => {
            let partners = blocks.get(&CellKey { session, ..key })?;
            let ratios = Pairs::new(own, partners).log_ratios(|block| block.median_ns.as_f64());
            stats::PairedRatio::of(&ratios)?.half_width_ratio()
        }
        _ if record.plan.sessions.len() > 1 => Some(0.0),
        _ => stats::over_launches(&medians(own))?.half_width_ratio(),
    }
}

/// The median of block medians of each launch.
fn medians(blocks: &[&BlockRecord]) -> Vec<f64> {
    let mut launches: HashMap<u64, Vec<f64>> = HashMap::new();
    for block in blocks {
        launches.entry(block.launch).or_default().push(block.median_ns.as_f64());
    }
    launches.values().filter_map(|values| stats::median(values)).collect()
}

type Blocks<'a> = HashMap<CellKey, Vec<&'a BlockRecord>>;

fn timed_blocks(record: &RunRecord) -> Blocks<'_> {
    let mut blocks = Blocks::new();
    for block in record.blocks.iter().filter(|block| block.phase == Phase::Timed) {
        blocks.entry(block.key).or_default().push(block);
    }
    blocks
}
