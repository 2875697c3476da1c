//! Larger batch sizes with less throughput than the next smaller one, and what went along with
//! that.

use super::launches::{in_common, launch_points};
use super::{Cliff, CliffEvidence, CliffSign, Index};
use crate::analysis::figures::change::{judge, log_rounds};
use crate::analysis::figures::over_launches::median_of;
use crate::analysis::figures::{BatchCurve, Change, Verdict};
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::record::{ArenaStats, BlockRecord, CpuCache};
use crate::stats::END_ERROR;
use crate::units::Bytes;

/// Times as many page faults, and how many more, that an inference must have to be worth a mention.
const FAULTS_FACTOR: f64 = 2.0;
const FAULTS_MORE: f64 = 1.0;

/// Cliffs of each curve. All neighbouring batch sizes of the run are judged together.
pub(super) fn cliffs(index: &Index<'_>, curves: &[BatchCurve]) -> Vec<Vec<Cliff>> {
    let mut steps: Vec<Vec<Cliff>> = curves.iter().map(|curve| steps(index, curve)).collect();
    judge(
        Metric::ThroughputRatioToBaseline,
        steps.iter_mut().flatten().map(|cliff| &mut cliff.change),
        END_ERROR,
    );
    for (curve, cliffs) in curves.iter().zip(&mut steps) {
        cliffs.retain(|cliff| cliff.change.verdict == Verdict::Slower);
        for cliff in cliffs {
            (cliff.evidence, cliff.unknown) =
                evidence(index, curve.key(cliff.from), curve.key(cliff.to));
        }
    }
    steps
}

/// From each batch size to the next larger one, neither judged nor explained.
fn steps(index: &Index<'_>, curve: &BatchCurve) -> Vec<Cliff> {
    curve
        .points
        .windows(2)
        .filter_map(|points| {
            let (from, to) = (points[0].batch_size, points[1].batch_size);
            Some(Cliff {
                from,
                to,
                change: throughput_change(index, curve.key(from), curve.key(to))?,
                evidence: Vec::new(),
                unknown: Vec::new(),
            })
        })
        .collect()
}

/// Throughput at `to` / at `from`, paired within launches, not judged yet; `None` if no launch has
/// both.
pub(in crate::analysis) fn throughput_change(
    index: &Index<'_>,
    from: CellKey,
    to: CellKey,
) -> Option<Change> {
    Change::paired(
        Metric::ThroughputRatioToBaseline,
        &log_rounds(throughput_ratios(index, from, to).into_iter()),
    )
}

pub(in crate::analysis) fn throughput_ratios(
    index: &Index<'_>,
    from: CellKey,
    to: CellKey,
) -> Vec<f64> {
    let [small, large] = [from, to].map(|key| launch_points(index.blocks(key)));
    in_common(&small, &large)
        .map(|(small, large)| large.throughput_per_sec / small.throughput_per_sec)
        .filter(|ratio| ratio.is_finite())
        .collect()
}

fn evidence(index: &Index<'_>, from: CellKey, to: CellKey) -> (Vec<CliffEvidence>, Vec<CliffSign>) {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    let arena = arena(index, from, to);
    let caches = &index.record.host.caches;
    if arena.is_empty() {
        unknown.push(CliffSign::Arena);
    } else {
        found.extend(extensions(&arena));
        found.extend(exceeded_caches(caches, &arena));
        if caches.is_empty() {
            unknown.push(CliffSign::Caches);
        }
    }
    match [from, to].map(|key| faults(index.blocks(key))) {
        [Some(small), Some(large)] => found.extend(more_faults(small, large)),
        _ => unknown.push(CliffSign::MinorFaults),
    }
    (found, unknown)
}

fn more_faults(from: f64, to: f64) -> Option<CliffEvidence> {
    let are_more = to >= from * FAULTS_FACTOR && to - from >= FAULTS_MORE;
    are_more.then_some(CliffEvidence::MinorFaults { from, to })
}

fn faults(blocks: &[&BlockRecord]) -> Option<f64> {
    let faults: u64 = blocks
        .iter()
        .map(|block| block.minor_faults_count)
        .sum::<Option<u64>>()?;
    let inferences: u64 = blocks.iter().map(|block| block.inferences_count).sum();
    (inferences > 0).then(|| faults as f64 / inferences as f64)
}

/// One launch's arena at the smaller batch size, and at the larger one.
struct ArenaStep<'a> {
    from: &'a ArenaStats,
    to: &'a ArenaStats,
}

/// Of each launch that tells of both.
fn arena<'a>(index: &Index<'a>, from: CellKey, to: CellKey) -> Vec<ArenaStep<'a>> {
    let smaller = index.launch_cells(from);
    index
        .launch_cells(to)
        .iter()
        .filter_map(|(launch, to)| {
            let mut smaller = smaller.iter();
            let (_, from) = smaller.find(|(other, _)| other.launch == launch.launch)?;
            Some(ArenaStep {
                from: from.arena.as_ref().ok()?,
                to: to.arena.as_ref().ok()?,
            })
        })
        .collect()
}

/// Median over launches, if not 0.
fn extensions(arena: &[ArenaStep<'_>]) -> Option<CliffEvidence> {
    Some(CliffEvidence::ArenaExtensions {
        extensions_count: median_of(arena.iter().map(|ArenaStep { from, to }| {
            to.extensions_count.saturating_sub(from.extensions_count) as f64
        }))
        .filter(|&count| count > 0.0)?,
    })
}

/// Those that held the arena's peak at the smaller batch size and do not at the larger one: medians
/// over launches.
fn exceeded_caches(caches: &[CpuCache], arena: &[ArenaStep<'_>]) -> Vec<CliffEvidence> {
    let small = median_peak(arena.iter().map(|step| step.from));
    let large = median_peak(arena.iter().map(|step| step.to));
    let (Some(small), Some(large)) = (small, large) else {
        return Vec::new();
    };
    caches
        .iter()
        .filter(|cache| small <= cache.size_bytes.as_f64() && large > cache.size_bytes.as_f64())
        .map(|cache| CliffEvidence::CacheExceeded {
            level: cache.level,
            cache_bytes: cache.size_bytes,
            arena_bytes: Bytes(large as u64),
        })
        .collect()
}

fn median_peak<'a>(arena: impl Iterator<Item = &'a ArenaStats>) -> Option<f64> {
    median_of(arena.map(|stats| stats.peak_in_use_bytes.as_f64()))
}
