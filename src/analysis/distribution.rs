//! The distribution of a cell's latencies, point by point, and timed blocks in the order in which
//! they were measured.

use super::figures::index::Index;
use super::findings::Findings;
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::record::{BlockRecord, Phase, RunRecord};
use crate::stats::{Buckets, Quantile};
use crate::units::{Nanos, Ratio};

/// Beyond the ends of an axis lie what rounding leaves of the values that name them.
const ROUNDING: f64 = 0.002;

/// Shares of the inferences at which the distribution is read off: every hundredth, and the tail
/// more closely.
fn shares() -> impl Iterator<Item = f64> {
    (0..=99)
        .map(|percent| f64::from(percent) / 100.0)
        .chain([0.995, 0.999, 0.9999, 1.0])
}

/// A point of an empirical distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DistributionPoint {
    /// A latency that was measured.
    pub latency_ns: Nanos,
    /// Share of the inferences that took no longer.
    pub share: Ratio,
}

/// The empirical distribution of a cell's timed latencies at up to 104 ranks, ascending, from the
/// smallest latency to the largest; `None` if none can be read.
#[must_use]
pub fn distribution(record: &RunRecord, key: CellKey) -> Option<Vec<DistributionPoint>> {
    let latencies = latencies(record, key)?;
    let count = latencies.count();
    let mut ranks: Vec<u64> = shares()
        .map(|share| ((share * count as f64).ceil() as u64).clamp(1, count.max(1)))
        .collect();
    ranks.dedup();
    ranks
        .into_iter()
        .map(|rank| {
            Some(DistributionPoint {
                latency_ns: latencies.at_rank(rank)?,
                share: Ratio(rank as f64 / count as f64),
            })
        })
        .collect()
}

/// How often latencies of some cells occur, in columns of equal ratio over one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// The smallest 1st percentile.
    pub low_ns: Nanos,
    /// The largest 99th percentile.
    pub high_ns: Nanos,
    /// The cells of which any latencies can be read.
    pub cells: Vec<CellSpread>,
}

/// How often latencies of one cell occur.
#[derive(Clone, Debug, PartialEq)]
pub struct CellSpread {
    /// Which.
    pub key: CellKey,
    /// Timed inferences in each column, by ascending latency.
    pub counts: Vec<u64>,
    /// All of its timed inferences, those beyond the ends of the axis as well.
    pub inferences_count: u64,
}

/// The latencies of `keys` in so many columns between their 1st and 99th percentiles; `None` if
/// none can be read.
#[must_use]
pub fn spread(
    record: &RunRecord,
    keys: impl Iterator<Item = CellKey>,
    columns: u32,
) -> Option<Spread> {
    let found: Vec<(CellKey, Buckets)> = keys
        .filter_map(|key| Some((key, latencies(record, key)?)))
        .collect();
    let low_ns = quantiles(&found, Quantile::P1).min()?;
    let high_ns = quantiles(&found, Quantile::P99).max()?;
    let edges = edges(
        low_ns.as_f64() * (1.0 - ROUNDING),
        high_ns.as_f64() * (1.0 + ROUNDING),
        columns,
    );
    let cells = found
        .iter()
        .map(|(key, latencies)| CellSpread {
            key: *key,
            counts: counts(latencies, &edges),
            inferences_count: latencies.count(),
        })
        .collect();
    Some(Spread {
        low_ns,
        high_ns,
        cells,
    })
}

/// One of each cell.
fn quantiles(cells: &[(CellKey, Buckets)], quantile: Quantile) -> impl Iterator<Item = Nanos> {
    cells
        .iter()
        .filter_map(move |(_, latencies)| latencies.nearest_rank(quantile))
}

fn latencies(record: &RunRecord, key: CellKey) -> Option<Buckets> {
    Buckets::decode(record.cell(key)?.latency_histogram.as_ref()?)
        .ok()
        .filter(|latencies| !latencies.is_empty())
}

/// The ends of columns of the same width on a logarithmic axis, one more than there are columns.
fn edges(low: f64, high: f64, columns: u32) -> Vec<f64> {
    let width = (high.max(low * 1.01) / low).powf(1.0 / f64::from(columns));
    (0..=columns)
        .map(|column| low * width.powf(f64::from(column)))
        .collect()
}

fn counts(latencies: &Buckets, edges: &[f64]) -> Vec<u64> {
    edges
        .iter()
        .map(|&edge| latencies.count_above(Nanos(edge as u64)))
        .collect::<Vec<_>>()
        .windows(2)
        .map(|ends| ends[0].saturating_sub(ends[1]))
        .collect()
}

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
    /// CPU time / (elapsed x CPUs of the worker); absent where the worker did not say which CPUs it
    /// may use.
    pub cpu_utilization_ratio: Option<Ratio>,
    /// Whether something disturbed it.
    pub is_disturbed: bool,
}

/// All timed blocks, in the order of their start.
#[must_use]
pub fn timeline(record: &RunRecord, findings: &Findings) -> Vec<TimelineBlock> {
    let index = Index::new(record);
    let mut blocks: Vec<TimelineBlock> = record
        .blocks
        .iter()
        .filter(|block| block.phase == Phase::Timed)
        .map(|block| timeline_block(findings, block, index.cpus(block.launch)))
        .collect();
    blocks.sort_by_key(|block| block.started_ns);
    blocks
}

fn timeline_block(findings: &Findings, block: &BlockRecord, cpus: Option<usize>) -> TimelineBlock {
    let centre = findings
        .cell(block.key)
        .and_then(|cell| cell.value(Metric::LatencyP50));
    let available = block.span().as_f64() * cpus.unwrap_or(0) as f64;
    TimelineBlock {
        key: block.key,
        started_ns: block.started_ns,
        median_ns: block.median_ns,
        to_cell_ratio: centre
            .filter(|&centre| centre > 0.0)
            .map(|centre| Ratio(block.median_ns.as_f64() / centre)),
        cpu_utilization_ratio: (available > 0.0)
            .then(|| Ratio(block.cpu_time_ns.as_f64() / available)),
        is_disturbed: !block.disturbances.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Latencies;

    #[test]
    fn latencies_are_counted_between_the_ends_of_columns() {
        let mut latencies = Latencies::new();
        for (value, times) in [(100, 1), (1_000, 1), (2_000, 80), (4_000, 40), (70_000, 1)] {
            (0..times).for_each(|_| latencies.record(Nanos(value)));
        }
        let edges = [900.0, 1_500.0, 3_000.0, 5_000.0, 9_000.0];
        assert_eq!(counts(&Buckets::from(&latencies), &edges), [1, 80, 40, 0]);
    }

    #[test]
    fn axis_has_columns_of_equal_ratio_from_the_lowest_to_the_highest() {
        let edges = edges(100.0, 1600.0, 28);
        assert_eq!((edges.len(), edges[0]), (29, 100.0));
        for (place, edge) in [(28, 1600.0), (7, 200.0)] {
            assert!((edges[place] - edge).abs() < 1e-6, "{edges:?}");
        }
    }
}
