//! Larger batch sizes with less throughput than the next smaller one, and what went along with that.

use super::by_launch;
use super::types::{Cliff, CliffEvidence};
use crate::analysis::compare;
use crate::analysis::findings::{BatchCurve, Change, Verdict};
use crate::analysis::index::Index;
use crate::analysis::over_launches::predictions_per_sec;
use crate::plan::CellKey;
use crate::record::{ArenaStats, BlockRecord, Metric};
use crate::stats::{self, END_ERROR};

/// Times as many page faults that an inference must have to be worth a mention, and how many more.
const FAULTS_FACTOR: f64 = 2.0;
const FAULTS_MORE: f64 = 1.0;

/// Cliffs of each curve. All neighbouring batch sizes of the run are judged together.
pub(super) fn cliffs(index: &Index<'_>, curves: &[BatchCurve]) -> Vec<Vec<Cliff>> {
    let mut steps: Vec<(usize, Cliff)> = Vec::new();
    for (place, curve) in curves.iter().enumerate() {
        for pair in curve.points.windows(2) {
            let (from, to) = (pair[0].batch_size, pair[1].batch_size);
            if let Some(change) = change(index, curve.key(from), curve.key(to)) {
                steps.push((place, Cliff { from, to, change, evidence: Vec::new() }));
            }
        }
    }
    let mut changes: Vec<&mut Change> = steps.iter_mut().map(|(_, cliff)| &mut cliff.change).collect();
    compare::judge(Metric::ThroughputRatioToBaseline, &mut changes, END_ERROR);
    let mut found = vec![Vec::new(); curves.len()];
    for (place, mut cliff) in steps.into_iter().filter(|(_, cliff)| cliff.change.verdict == Verdict::Slower) {
        let keys = [cliff.from, cliff.to].map(|batch_size| curves[place].key(batch_size));
        cliff.evidence = evidence(index, keys);
        found[place].push(cliff);
    }
    found
}

/// Throughput at `to` / at `from`, paired within launches.
fn change(index: &Index<'_>, from: CellKey, to: CellKey) -> Option<Change> {
    let [small, large] = [from, to].map(|key| by_launch(index.blocks(key), predictions_per_sec));
    let ratio = |(launch, large): (&u64, &f64)| Some(vec![(large / small.get(launch)?).ln()]);
    let rounds: Vec<Vec<f64>> = large.iter().filter_map(ratio).filter(|round| round[0].is_finite()).collect();
    Change::paired(Metric::ThroughputRatioToBaseline, &rounds)
}

fn evidence(index: &Index<'_>, [from, to]: [CellKey; 2]) -> Vec<CliffEvidence> {
    let [small, large] = [from, to].map(|key| faults(index.blocks(key)));
    let more_faults = small.zip(large).filter(|(from, to)| *to >= from * FAULTS_FACTOR && to - from >= FAULTS_MORE);
    arena(index, [from, to])
        .into_iter()
        .chain(more_faults.map(|(from, to)| CliffEvidence::MinorFaults { from, to }))
        .collect()
}

/// Minor page faults of an inference; `None` if they were not counted.
fn faults(blocks: &[&BlockRecord]) -> Option<f64> {
    let faults: u64 = blocks.iter().map(|block| block.minor_faults_count).sum::<Option<u64>>()?;
    let inferences: u64 = blocks.iter().map(|block| block.inferences_count).sum();
    (inferences > 0).then(|| faults as f64 / inferences as f64)
}

/// What the arena did from one batch size to the next, in launches that tell of both.
fn arena(index: &Index<'_>, [from, to]: [CellKey; 2]) -> Vec<CliffEvidence> {
    let large =
        index.launch_cells(to).iter().filter_map(|(launch, cell)| Some((launch.launch, cell.arena.as_ref().ok()?)));
    let pairs: Vec<[&ArenaStats; 2]> = large
        .filter_map(|(number, large)| {
            let (_, small) = index.launch_cells(from).iter().find(|(launch, _)| launch.launch == number)?;
            Some([small.arena.as_ref().ok()?, large])
        })
        .collect();
    let median =
        |figure: &dyn Fn(&[&ArenaStats; 2]) -> f64| stats::median(&pairs.iter().map(figure).collect::<Vec<_>>());
    let mut found = Vec::new();
    let grown =
        |[small, large]: &[&ArenaStats; 2]| large.extensions_count.saturating_sub(small.extensions_count) as f64;
    if let Some(extensions_count) = median(&grown).filter(|&count| count > 0.0) {
        found.push(CliffEvidence::ArenaExtensions { extensions_count });
    }
    let peak = |side: usize| median(&move |pair: &[&ArenaStats; 2]| pair[side].peak_in_use_bytes.as_f64());
    if let (Some(small), Some(large)) = (peak(0), peak(1)) {
        let caches = index.record.host.caches.iter();
        let exceeded = caches.filter(|cache| small <= cache.size_bytes.as_f64() && large > cache.size_bytes.as_f64());
        found.extend(exceeded.map(|cache| CliffEvidence::CacheExceeded {
            level: cache.level,
            cache_bytes: cache.size_bytes,
            arena_bytes: crate::units::Bytes(large as u64),
        }));
    }
    found
}
