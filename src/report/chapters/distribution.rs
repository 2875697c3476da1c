//! Latencies of single predictions, variant by variant, over one axis.

use serde::Serialize;

use crate::analysis::CellFindings;
use crate::metric::{Metric, Unit};
use crate::report::words::number;
use crate::report::words::{self, Source};
use crate::stats::{Buckets, Quantile};
use crate::units::Nanos;

/// Distributions over one axis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Distributions {
    /// What they are of.
    pub title: String,
    /// The ends of the axis.
    pub ends: [String; 2],
    /// How to read the columns.
    pub note: String,
    /// One for each variant.
    pub rows: Vec<Distribution>,
}

/// One distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// Whose it is.
    pub name: String,
    /// Height of each column, from 0 to [`HIGHEST`], of which the column that holds most has all.
    pub heights: Vec<u8>,
    /// Its median.
    pub remark: String,
}

/// Height of the column that holds most.
pub const HIGHEST: u8 = 8;

/// Columns of the axis.
const COLUMNS: u32 = 28;

/// A column that holds a smaller share of the latencies than this is empty: single outliers would look like a tail.
const VISIBLE_SHARE: f64 = 0.001;

/// Beyond the ends of an axis lie what rounding leaves of the values that name them.
const ROUNDING: f64 = 0.002;

/// The distributions at the smallest measured batch size; `None` where nothing was timed.
pub(in crate::report) fn distributions(source: Source<'_>) -> Option<Distributions> {
    let found: Vec<(&CellFindings, Buckets)> =
        source.single().into_iter().filter_map(|cell| Some((cell, latencies(source, cell)?))).collect();
    let low = found.iter().filter_map(|(_, latencies)| latencies.nearest_rank(Quantile::P1)).min()?;
    let high = found.iter().filter_map(|(_, latencies)| latencies.nearest_rank(Quantile::P99)).max()?;
    let edges = edges(low.as_f64() * (1.0 - ROUNDING), high.as_f64() * (1.0 + ROUNDING));
    let row = |(cell, latencies): &(&CellFindings, Buckets)| Distribution {
        name: source.name(cell.key.session),
        heights: heights(latencies, &edges),
        remark: remark(cell),
    };
    let at = source.at(found.first()?.0.key);
    Some(Distributions {
        title: format!("Latencies {at}: how often does each occur?"),
        ends: [low, high].map(|end| number::value(Unit::Ns, end.as_f64(), None)),
        note: "taller: more inferences; logarithmic axis, without the fastest and slowest 1% at most".into(),
        rows: found.iter().map(row).collect(),
    })
}

fn latencies(source: Source<'_>, cell: &CellFindings) -> Option<Buckets> {
    let text = source.record.cell(cell.key)?.latency_histogram.as_ref()?;
    Buckets::decode(text).ok().filter(|latencies| !latencies.is_empty())
}

fn remark(cell: &CellFindings) -> String {
    let median = cell.figure(Metric::LatencyP50).map(|p50| words::value(Metric::LatencyP50, p50));
    median.filter(|median| !median.is_empty()).map(|median| format!("median {median}")).unwrap_or_default()
}

/// The ends of columns of the same width on a logarithmic axis, one more than there are columns.
fn edges(low: f64, high: f64) -> Vec<f64> {
    let width = (high.max(low * 1.01) / low).powf(1.0 / f64::from(COLUMNS));
    (0..=COLUMNS).map(|column| low * width.powf(f64::from(column))).collect()
}

/// How many latencies lie in each column, as a height; whatever holds enough to be seen has at least 1.
fn heights(latencies: &Buckets, edges: &[f64]) -> Vec<u8> {
    let above: Vec<u64> = edges.iter().map(|&edge| latencies.count_above(Nanos(edge as u64))).collect();
    let counts: Vec<u64> = above.windows(2).map(|ends| ends[0].saturating_sub(ends[1])).collect();
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let height = |count: u64| match count as f64 / latencies.count() as f64 {
        share if share < VISIBLE_SHARE => 0,
        _ => (count * u64::from(HIGHEST)).div_ceil(most) as u8,
    };
    counts.into_iter().map(height).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Latencies;

    #[test]
    fn heights_follow_the_counts_between_the_ends_of_the_axis() {
        let mut latencies = Latencies::new();
        for (value, times) in [(100, 1), (1_000, 1), (2_000, 80), (4_000, 40), (70_000, 1)] {
            (0..times).for_each(|_| latencies.record(Nanos(value)));
        }
        assert_eq!(heights(&Buckets::from(&latencies), &[900.0, 1_500.0, 3_000.0, 5_000.0, 9_000.0]), [1, 8, 4, 0]);
    }

    #[test]
    fn single_outliers_are_no_tail() {
        let mut latencies = Latencies::new();
        (0..5_000).for_each(|_| latencies.record(Nanos(1_000)));
        latencies.record(Nanos(2_000));
        assert_eq!(heights(&Buckets::from(&latencies), &[900.0, 1_500.0, 3_000.0]), [8, 0]);
    }

    #[test]
    fn axis_has_columns_of_equal_ratio_from_the_lowest_to_the_highest() {
        let edges = edges(100.0, 1600.0);
        assert_eq!((edges.len(), edges[0]), (29, 100.0));
        assert!((edges[28] - 1600.0).abs() < 1e-6 && (edges[7] - 200.0).abs() < 1e-6, "{edges:?}");
    }
}
